"""How likely requests are that wait for a verdict: what `samples: {until: pass}` will probably cost, and at most.

Measured over the stored tables of all shards: of the answers of a teacher to questions of a difficulty, the share that
passed. Where none was verified it is taken that none passes, so that what is expected is the most.
"""

from functools import cached_property

import polars as pl

from am_assets.datasets import due
from am_assets.orchestration.schemas import TABLES
from am_assets.runtime.wording import counted
from am_assets.storage.stored import StoredTables
from am_assets.verification import passing

CERTAIN = {"likely": pl.lit(1.0), "waits": pl.lit(False)}  # of requests that wait for nothing


class Chances:
    def __init__(self, store: StoredTables):
        self.store = store

    def first_tries(self, shard: str, asked: pl.DataFrame) -> pl.DataFrame:
        """Of `asked` (TeacherRequests, and `difficulty` where it is known) those that may be due, but for further
        tries: with key, model, how `likely` each is, and whether it `waits` for a verdict."""
        if due.verified(asked).is_empty():
            first = asked.filter(pl.col("after") == "").with_columns(**CERTAIN)
        else:
            rates = [self.rate(*of)[0] for of in asked.select("teacher", _difficulty(asked)).iter_rows()]
            rated = asked.with_columns(pass_rate=pl.Series(rates, dtype=pl.Float64))
            chances = due.likely(rated, passing.stored(lambda name, columns: self._read(name, shard, columns)))
            first = asked.join(chances.filter(pl.col("likely") > 0), on="request_key", maintain_order="left")
        return first.rename({"request_key": "key", "teacher": "model"})

    def rate(self, teacher: str, difficulty: str | None) -> tuple[float, int]:
        """The share of a teacher's verified answers that passed, and their number; (0, 0) where there are none."""
        return self._rates.get((teacher, difficulty)) or self._rates.get((teacher, None)) or (0.0, 0)

    def basis(self, name: str, rows: pl.DataFrame) -> list[str]:
        """What the chances of `rows` (model, difficulty, waits) of one model and difficulty rest on."""
        if not rows["waits"].any():
            return []
        rate, answers = self.rate(*rows.select("model", "difficulty").row(0))
        of = counted(answers, "verified answer")
        passed = f"{rate:.0%} of {of} did" if answers else "as if none did, as none is verified"
        return [f"{name}: asked until an answer passes, {passed}"]

    @cached_property
    def _rates(self) -> dict[tuple[str, str | None], tuple[float, int]]:
        """By teacher, and by teacher and difficulty."""
        each = pl.concat(self._answers(shard) for shard in ["", *self.store.partitions("responses")])
        figures = (pl.col("passed").mean(), pl.len())
        alone = each.group_by("teacher").agg(*figures).with_columns(difficulty=pl.lit(None, pl.String))
        both = each.drop_nulls().group_by("teacher", "difficulty").agg(*figures)
        rows = pl.concat([alone, both.select(alone.columns)])
        return {(teacher, at): (rate, count) for teacher, rate, count, at in rows.iter_rows()}

    def _answers(self, shard: str) -> pl.DataFrame:
        """teacher, difficulty, passed of the verified answers of a shard."""

        def read(name: str, columns: list[str]) -> pl.DataFrame:
            return self._read(name, shard, columns)

        labels = read("question_labels", ["question_id", "difficulty"]).cast(pl.String)
        asked = read("responses", ["request_key", "question_id", "teacher"])
        return (
            passing.stored(read)
            .drop_nulls("passed")
            .join(asked, on="request_key")
            .join(labels, on="question_id", how="left")
            .select("teacher", "difficulty", "passed")
        )

    def _read(self, name: str, shard: str, columns: list[str]) -> pl.DataFrame:
        """Columns of a table as it is stored, up to date or not; without rows where it is not there."""
        if shard in self.store.partitions(name):
            return self.store.read(name, shard, columns)
        return TABLES[name].create_empty().select(columns)


def _difficulty(asked: pl.DataFrame) -> pl.Expr:
    return pl.col("difficulty") if "difficulty" in asked.columns else pl.lit(None, pl.String)
