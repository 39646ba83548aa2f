r"""Math verdicts: is the final result of an answer equal to the reference?

Equal strings are settled at once; the rest goes row by row to worker processes that are killed on timeout, because
math-verify (and sympy under it) may hang in C code that no signal interrupts. Of `verification/mathematics/`,
`extraction` finds the results, `retraction` checks that they are asserted, `equality` compares mathematics (by way of
`reading` and `comparing`) and `multiple_choice` options and words.
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.metadata import version
from itertools import islice

import dataframely as dy
import polars as pl

from am_assets.config.instruments import Math
from am_assets.config.vocabulary import VERDICTS
from am_assets.datasets.checks import HAS_REFERENCE
from am_assets.runtime import workers
from am_assets.verification.mathematics import equality, multiple_choice
from am_assets.verification.mathematics.boxes import boxed, uncommitted
from am_assets.verification.mathematics.extraction import results
from am_assets.verification.mathematics.markup import plain_text
from am_assets.verification.mathematics.normalization import is_text, names_a_set, normalize
from am_assets.verification.mathematics.retraction import Verdict, downgrade_retracted
from am_assets.verification.split import settle_splits
from am_assets.verification.verifiers.base import SECONDS, Verdicts, Verifier

VERSION = f"math-verify {version('math-verify')}, rules 13"  # raise the number when a rule of this package changes

PRELOAD = "am_assets.verification.mathematics.preload"
BATCH = 256
KEPT_CHARS = 500  # of what was extracted
TEXT = pl.String()
ANY_OF = '{"any_of"'  # the beginning of a reference that lists several
MEASURED = pl.Schema({"key": TEXT, "verdict": pl.Enum(VERDICTS), "reason": TEXT, "extracted": TEXT})


class MathVerdicts(Verdicts):
    extracted = dy.String(nullable=True, description="the answer as parsed")
    reference = dy.String()
    # A language model's opinion of the same answer; null: not asked, or (judged_equal alone) not parseable.
    judge = dy.String(nullable=True)
    judged_equal = dy.Bool(nullable=True)
    judge_raw = dy.String(nullable=True)


def verify(jobs: pl.DataFrame, limits: Math) -> Iterator[pl.DataFrame]:
    r"""Verdicts of `jobs` (key, answer, reference) as frames (key, verdict, reason, extracted, seconds), in row order.

    `answer` is the answer part alone, null if there is none; see `extraction.results` for what counts as its result.
    pass: "equal". fail: "different", "answer missing", "several conflicting answers" (boxes that contradict one
    another or the statement after them). unverifiable: "reference unparseable" (different words or symbols, which
    algebra cannot compare), "no rule compares these" (neither equal nor different by a rule; docs/verdicts.md has
    them), "answer in doubt" (equal, but retracted, quoted or hedged), "timeout" after `limits.timeout_seconds` for the
    row alone, "verifier error: …". Of several references (`references`) one has to match. A batch is yielded while the
    workers process the next one.

    >>> pl.concat(verify(jobs, Math()))["verdict"].to_list()
    ['pass', 'fail']
    """
    rows = jobs.select("key", "answer", "reference")
    tolerance = limits.relative_tolerance
    work = (_work(answer, reference, tolerance) for _, answer, reference in rows.iter_rows())
    with closing(workers.in_order(work, limits.timeout_seconds, equality.prepare_worker, PRELOAD)) as ends:
        for batch in rows.iter_slices(BATCH):
            yield _frame(batch["key"], [(*_verdict(end.outcome), end.seconds) for end in islice(ends, batch.height)])


def _work(answer: str | None, reference: str | None, tolerance: float | None) -> Verdict | workers.Call:
    answer, reference = answer and plain_text(answer), reference and plain_text(reference)
    settled, open_pairs = settle_all(answer, reference, tolerance)
    if settled and not open_pairs:
        return settled
    return workers.Call(equality.judge_all, (answer, settled, open_pairs, tolerance))


def references(reference: str | None) -> list[str]:
    """The accepted references: those of a JSON object {"any_of": [...]}, else the text itself."""
    text = (reference or "").strip()
    with suppress(ValueError):
        several = json.loads(text)["any_of"] if text.startswith(ANY_OF) else [text]
        if isinstance(several, list) and several and all(isinstance(one, str) for one in several):
            return several
    return [text]


def settle_all(
    answer: str | None, reference: str | None, tolerance: float | None = None
) -> tuple[Verdict | None, list[tuple[list[str], str]]]:
    """The verdict that needs no algebra, if any, and the (results, reference) pairs that do."""
    extracted = results(answer or "")
    verdicts: list[Verdict] = []
    open_pairs = []
    for one in references(reference):
        left = multiple_choice.strip_option_label(extracted, _bare(one))
        if len(left) == 3:
            verdicts.append(downgrade_retracted(left, answer or ""))
            continue
        found, gold = left
        verdict = settle(found, answer, gold, tolerance)
        if verdict:
            verdicts.append(verdict)
        else:
            open_pairs.append((found, gold))
    settled = equality.best(verdicts)
    return settled, [] if settled and settled[0] == "pass" else open_pairs


def settle(found: list[str], answer: str | None, reference: str, tolerance: float | None = None) -> Verdict | None:
    """The verdict if it needs no algebra, else None. For mathematics it is the one `equality.judge` would return; words
    and option letters are settled only here."""
    extracted = " | ".join(found) or None
    gold = normalize(reference)
    if not gold:
        return "unverifiable", "reference unparseable", extracted
    if not answer or not answer.strip() or (not found and uncommitted(answer) is not None):
        return "fail", "answer missing", None
    sets = names_a_set(reference) and all(names_a_set(one) or not is_text(one) for one in found or [answer])
    if multiple_choice.is_choice(reference) and not sets:
        return multiple_choice.settle(found, answer, reference)
    if len(found) != 1:
        return None
    read = normalize(found[0])
    if read == gold:
        return downgrade_retracted(("pass", "equal", extracted), answer)
    whole_numbers = not tolerance and re.fullmatch(r"-?\d+", read) and re.fullmatch(r"-?\d+", gold)
    return ("fail", "different", extracted) if whole_numbers else None


def _bare(reference: str) -> str:
    """The contents of the boxes of a reference, all of which are asked for; else the reference."""
    return ", ".join(dict.fromkeys(boxed(reference)[0])) or reference.strip()


def _frame(keys: pl.Series, verdicts: list[tuple]) -> pl.DataFrame:
    texts = dict.fromkeys(["verdict", "reason", "extracted"], pl.String)
    return pl.DataFrame(verdicts, schema={**texts, **SECONDS}, orient="row").select(
        keys, pl.col("verdict").cast(pl.Enum(VERDICTS)), "reason", pl.col("extracted").str.head(KEPT_CHARS), "seconds"
    )


def _verdict(outcome: Verdict | Exception) -> Verdict:
    if isinstance(outcome, TimeoutError):
        return "unverifiable", "timeout", None
    if isinstance(outcome, Exception):  # an exception of sympy, or a dead worker
        return "unverifiable", f"verifier error: {type(outcome).__name__}", None
    return outcome


VERIFIER = Verifier(
    name="math",
    doc="Whether the final answer equals the reference, for questions with a reference answer and no tests; by"
    " math-verify, and in addition by a language model where the instruments name one.",
    version=VERSION,
    questions=HAS_REFERENCE,
    against="reference_answer",
    named="reference",
    precedence=20,
    verify=verify,
    measured=MEASURED,
    columns=MathVerdicts,
    lineage={
        "verdict reason judged_equal judge_raw": "response_features.answer raw_pool.reference_answer",
        "extracted": "response_features.answer",
        "reference": "raw_pool.reference_answer",
    },
    section="math",
    fields=("timeout_seconds", "relative_tolerance"),
    opinions=True,
    drop_reason="wrong_answer",
    settle=settle_splits,
    decides_on=("judged_equal",),
)
