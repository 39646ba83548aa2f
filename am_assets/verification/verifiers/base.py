"""What verifiers share: the declaration of one, the schema of its table, and how the memo is filled with verdicts.

No way of verifying belongs here, and no decision: what a recipe makes of verdicts is in `verification/decide.py`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dataframely as dy
import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.config.vocabulary import VERDICTS
from am_assets.runtime.wording import counted
from am_assets.storage.memo import FillResult, Measure, with_keys

UNREACHED = "unreached"  # metadata of verdicts: the number of rows that another run may settle
REASON = pl.col("reason")
JOBS_BYTES, JOBS_ROWS = 64_000_000, 16_384  # of texts that are verified one after the other, held at once
SECONDS = {"seconds": pl.Float64()}  # that a row took, beside what is measured: shown by `am verify`, stored nowhere


class Verdicts(dy.Schema):
    """The columns that the tables of all verifiers have; each adds its own."""

    response_id = dy.String(primary_key=True)
    question_id = dy.String()
    verdict = dy.Enum(VERDICTS)
    reason = dy.String()


@dataclass(frozen=True)
class Verifier:
    """One way to verify an answer, and the asset of its verdicts.

    name         of its module, of its namespace in the memo, and of its evidence in the verified set
    doc          what its verdicts say: the description of the asset
    version      part of every memo key: raise it when an answer may get another verdict
    questions    the questions whose answers it verifies, an expression over RawPool
    against      the column of RawPool that answers are compared with
    verify       (jobs, limits) -> frames of `measured`, and of SECONDS where it knows them, in any order. Jobs have
                 key, answer, and what answers are compared with as `named`; limits are its section of instruments.yaml
    measured     the schema of these frames, with key, verdict and reason
    columns      the schema of its table, which is named after it: `SqlVerdicts` for sql_verdicts
    drop_reason  of an answer that fails, one of RESPONSE_DROPS
    section      its section of instruments.yaml
    fields       those fields of the section that verdicts depend on; empty for all
    named        the name of `against` in the jobs, where that is another one
    precedence   of the verifiers of a question only the one with the lowest precedence verifies its answers
    alongside    instead, its verdict counts beside that of another verifier, the worse of the two deciding
    detail       of a drop, formatted with the reason
    lineage      of its columns, as in `orchestration/lineage.py`
    pool         the concurrency pool of its runs
    transient    verdicts about this machine and not about the answer, which the memo does not keep
    hopeless     those of them that no other run on this machine would settle
    opinions     a language model may be asked for its opinion of each answer
    settle       what a recipe makes of the verdicts: replaces `<name>_verdict` and `<name>_reason` of candidates, and
                 names in `<name>_decided_by` the field that settled it; versioned with `verification/decide.py`
    decides_on   columns of the table that `settle` reads
    """

    name: str
    doc: str
    version: str
    questions: pl.Expr
    against: str
    verify: Callable[[pl.DataFrame, Any], Iterable[pl.DataFrame]]
    measured: pl.Schema
    columns: type[Verdicts]
    drop_reason: str
    section: str
    fields: tuple[str, ...] = ()
    named: str = ""
    precedence: int = 0
    alongside: bool = False
    detail: str = ""
    lineage: Mapping[str, str] = field(default_factory=dict)
    pool: str | None = None
    transient: pl.Expr | None = None
    hopeless: pl.Expr | None = None
    opinions: bool = False
    settle: Callable[[pl.DataFrame, VerificationPolicy], pl.DataFrame] | None = None
    decides_on: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.columns.__name__).lower()

    def column(self, name: str) -> str:
        """The name among candidates of a column of its table."""
        return f"{self.name}_{name}"

    def instruments(self) -> tuple[str, ...]:
        """Its section of the instruments, or the fields of it that its verdicts depend on."""
        return tuple(f"{self.section}.{name}" for name in self.fields) or (self.section,)

    def with_job_keys(self, rows: pl.DataFrame, limits: Any) -> pl.DataFrame:
        """`rows` (answer, `named` and any others) with the memo key of each verdict."""
        return with_keys(rows, "answer", self.named or self.against, identity=[self.version, self.settings(limits)])

    def settings(self, limits: Any) -> dict[str, Any]:
        """The part of `limits` that its verdicts depend on."""
        settings: dict[str, Any] = limits.model_dump(mode="json", include={*self.fields} or None)
        return settings


@dataclass(frozen=True)
class Filled:
    """`table`: the jobs with their verdicts. `new`: the number of verdicts made by this call and kept by the memo.
    `unreached`: the number of rows that another run may settle."""

    table: pl.DataFrame
    new: int
    unreached: int


def fill(
    verifier: Verifier,
    jobs: pl.DataFrame,
    limits: Any,
    through: Callable[[str, pl.DataFrame, Measure, pl.Schema], FillResult],
) -> Filled:
    """`jobs` (see `Verifier.with_job_keys`) with their verdicts; `through` is the `fill` of a memo. Where `jobs` have
    no texts, it makes frames with texts of those that have no verdict yet.

    Transient verdicts are not memoized, so that the next fill makes these, and no others, again.
    """
    measuring = Measuring(verifier, limits)
    filled = through(verifier.name, jobs, measuring, verifier.measured)
    again = jobs.join(measuring.transients(), on="key").select(filled.table.columns)
    return Filled(pl.concat([filled.table, again]), filled.new.height, measuring.unreached(jobs))


class Measuring:
    """Makes verdicts for a memo, and holds those that it must not keep."""

    def __init__(self, verifier: Verifier, limits: Any):
        self.verifier, self.limits = verifier, limits
        self._transients = [pl.DataFrame(schema=verifier.measured)]

    def __call__(self, ready: pl.DataFrame) -> Iterator[pl.DataFrame]:
        transient = pl.lit(False) if self.verifier.transient is None else self.verifier.transient
        for timed in self.verifier.verify(ready, self.limits):
            verdicts = timed.select(self.verifier.measured.names())
            self._transients.append(verdicts.filter(transient))
            yield verdicts.filter(~transient)

    def transients(self) -> pl.DataFrame:
        return pl.concat(self._transients)

    def unreached(self, jobs: pl.DataFrame) -> int:
        """Of how many of `jobs` another run may make a verdict that lasts."""
        again = self.transients()
        settled = again if self.verifier.hopeless is None else again.filter(~self.verifier.hopeless)
        return jobs.join(settled, on="key", how="semi").height


def without_sandbox(metadata: Mapping[str, Any], recipes: Collection[str]) -> str | None:
    """Why verdicts with this metadata have to be made again, for all recipes alike; None if every answer was run."""
    rows = metadata.get(UNREACHED, 0)
    return f"{counted(rows, 'answer')} had no sandbox that worked" if rows else None
