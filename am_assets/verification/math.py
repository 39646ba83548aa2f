r"""Math verdicts: is the result an answer states equal to the reference?

Strings that spell the same result are settled at once; the rest goes, one row at a time, to worker processes that are
killed when a row takes too long, because math-verify (and sympy under it) may hang in C code where no signal arrives.
What an answer states is `stated.py`'s, whether it stands by that `upheld.py`'s, what is equal `equality.py`'s and, for
options and words, `multiple_choice.py`'s.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.metadata import version
from itertools import islice

import polars as pl

from am_assets.config.instruments import Math
from am_assets.config.vocabulary import VERDICTS
from am_assets.runtime import workers
from am_assets.storage.memo import with_keys
from am_assets.verification import equality, multiple_choice
from am_assets.verification.extraction import boxed, results
from am_assets.verification.normalization import normalize
from am_assets.verification.retraction import Verdict, downgrade_retracted

VERSION = f"math-verify {version('math-verify')}, rules 2"  # raise the number when a rule of this package changes

PRELOAD = "am_assets.verification.preload"
BATCH = 256
KEPT_CHARS = 500  # of what was extracted
TEXT = pl.String()
ANY_OF = '{"any_of"'  # how a reference that is several begins
MEASURED = pl.Schema({"key": TEXT, "verdict": pl.Enum(VERDICTS), "reason": TEXT, "extracted": TEXT})


def with_job_keys(rows: pl.DataFrame, limits: Math) -> pl.DataFrame:
    """`rows` (answer, reference and any others) with the memo's key of each verdict: who else is asked is no part."""
    return with_keys(rows, "answer", "reference", identity=[VERSION, limits.model_dump(include={"timeout_seconds"})])


def verify(jobs: pl.DataFrame, limits: Math) -> Iterator[pl.DataFrame]:
    r"""Verdicts of `jobs` (key, answer, reference) as frames (key, verdict, reason, extracted), in row order.

    `answer` is the answer part alone, null where there is none. Its last `\boxed{}` counts, else what it states.
    pass: "equal". fail: "different", "answer missing", "several conflicting answers" (boxes that contradict one
    another or the statement after them). unverifiable: "reference unparseable" (words or symbols that differ, which
    no algebra can compare), "answer in doubt" (equal, but taken back, quoted or hedged), "timeout" after
    `limits.timeout_seconds` for the row alone, "verifier error: …". Comma-separated references are compared as sets, as
    math-verify reads them; of several references (`references`) one has to be met. A batch is yielded while workers
    are busy with the next one.
    """
    rows = jobs.select("key", "answer", "reference")
    work = (_work(answer, reference) for _, answer, reference in rows.iter_rows())
    with closing(workers.in_order(work, limits.timeout_seconds, equality.prepare_worker, PRELOAD)) as outcomes:
        for batch in rows.iter_slices(BATCH):
            yield _frame(batch["key"], [_verdict(outcome) for outcome in islice(outcomes, batch.height)])


def _work(answer: str | None, reference: str | None) -> Verdict | workers.Call:
    told, open_questions = settle_all(answer, reference)
    if told and not open_questions:
        return told
    return workers.Call(equality.judge_all, (answer, told, open_questions))


def references(reference: str | None) -> list[str]:
    """The references that stand in one: those of a JSON object {"any_of": [...]}, else the text alone."""
    text = (reference or "").strip()
    with suppress(ValueError):
        several = json.loads(text)["any_of"] if text.startswith(ANY_OF) else [text]
        if isinstance(several, list) and several and all(isinstance(one, str) for one in several):
            return several
    return [text]


def settle_all(answer: str | None, reference: str | None) -> tuple[Verdict | None, list[tuple[list[str], str]]]:
    """The verdict as far as no algebra is needed, and what of it needs some: results and reference of each."""
    stated = results(answer or "")
    verdicts: list[Verdict] = []
    open_questions = []
    for one in references(reference):
        left = multiple_choice.strip_option_label(stated, _bare(one))
        if len(left) == 3:
            verdicts.append(downgrade_retracted(left, answer or ""))
            continue
        found, gold = left
        verdict = settle(found, answer, gold)
        if verdict:
            verdicts.append(verdict)
        else:
            open_questions.append((found, gold))
    told = equality.best(verdicts)
    return told, [] if told and told[0] == "pass" else open_questions


def settle(found: list[str], answer: str | None, reference: str) -> Verdict | None:
    """The verdict that needs no algebra, or None. On mathematics it is the one `equality.judge` would reach; words and
    the letters of options are settled here alone."""
    extracted = " | ".join(found) or None
    gold = normalize(reference)
    if not gold:
        return "unverifiable", "reference unparseable", extracted
    if not answer or not answer.strip():
        return "fail", "answer missing", None
    if multiple_choice.is_choice(reference):
        return multiple_choice.settle(found, answer, reference)
    if len(found) != 1:
        return None
    read = normalize(found[0])
    if read == gold:
        return downgrade_retracted(("pass", "equal", extracted), answer)
    whole_numbers = re.fullmatch(r"-?\d+", read) and re.fullmatch(r"-?\d+", gold)
    return ("fail", "different", extracted) if whole_numbers else None


def _bare(reference: str) -> str:
    return boxes[-1] if (boxes := boxed(reference)[0]) else reference.strip()


def _frame(keys: pl.Series, verdicts: list[Verdict]) -> pl.DataFrame:
    frame = pl.DataFrame(verdicts, schema=dict.fromkeys(["verdict", "reason", "extracted"], pl.String), orient="row")
    return frame.select(
        keys, pl.col("verdict").cast(pl.Enum(VERDICTS)), "reason", pl.col("extracted").str.head(KEPT_CHARS)
    )


def _verdict(outcome: Verdict | Exception) -> Verdict:
    if isinstance(outcome, TimeoutError):
        return "unverifiable", "timeout", None
    if isinstance(outcome, Exception):  # whatever sympy raised, or the death of the worker: the row can't be told
        return "unverifiable", f"verifier error: {type(outcome).__name__}", None
    return outcome
