"""Difference of two recipes' sets: the rows in only one of them, the drop reasons in the other, and the fields behind.

Plain Polars over kept and dropped rows; `asking.py` reads them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.config.changes import Change, changes
from am_assets.config.recipe import SECTIONS, Recipe

# In the order in which the stages decide; the others decide on no row that is compared.
DECIDING = [section for section in SECTIONS if section not in ("release", "preference", "rl", "training", "evaluation")]
# Fields that set what a threshold is compared with, by the field of the threshold.
WEIGHTED = {"verification.min_reward": "verification.weights"}


@dataclass(frozen=True)
class OneSided:
    """Rows that `kept_by` keeps and `dropped_by` does not: `reasons` (reason, rows, fields), most frequent first, and
    `rows` (id, question_id, reason, detail), by reason and id."""

    kept_by: str
    dropped_by: str
    reasons: pl.DataFrame
    rows: pl.DataFrame


@dataclass(frozen=True)
class Difference:
    """`both`: the number of rows that both recipes keep."""

    what: str  # questions or responses
    both: int
    sides: list[OneSided]

    def to_dict(self, rows: int) -> dict[str, Any]:
        sides = [
            {"kept_by": side.kept_by, "dropped_by": side.dropped_by, "rows": side.rows.height}
            | {"reasons": side.reasons.to_dicts(), "examples": side.rows.head(rows).to_dicts()}
            for side in self.sides
        ]
        return {"what": self.what, "both": self.both, "sides": sides}


def differing(one: Recipe, other: Recipe) -> list[Change]:
    """The fields that decide on rows and differ between the recipes."""
    mine, others = (recipe.model_dump(include=set(DECIDING)) for recipe in (one, other))
    return list(changes(mine, others))


def one_sided(
    kept: pl.DataFrame, fates: pl.DataFrame, otherwise: str, names: tuple[str, str], fields: Sequence[Change]
) -> OneSided:
    """The rows of `kept` (id, question_id), which the first recipe of `names` keeps and the second does not.

    `fates` (id, reason, detail, decided_by): what the second did with them, the first row of an id counting; an id
    without one gets the reason `otherwise`. `fields`: where the recipes differ.
    """
    fates = fates.select("id", pl.col("reason").cast(pl.String), "detail", "decided_by")
    first = fates.unique("id", keep="first", maintain_order=True)
    rows = kept.join(first, on="id", how="left").with_columns(pl.col("reason").fill_null(otherwise))
    reasons = (
        rows.group_by("reason")
        .agg(rows=pl.len(), decided_by=pl.col("decided_by").unique())
        .sort("rows", "reason", descending=[True, False])
    )
    causes = [causes_of(decided_by, fields) for decided_by in reasons["decided_by"]]
    reasons = reasons.select("reason", "rows", pl.Series("fields", causes, dtype=pl.List(pl.String)))
    return OneSided(*names, reasons, rows.drop("decided_by").sort("reason", "id"))


def causes_of(decided_by: Iterable[str | None], fields: Sequence[Change]) -> list[str]:
    """The differing fields behind drops that were `decided_by` these fields, in the order of `fields`.

    >>> causes_of(["dedup.threshold"], differing(one, other))
    ['dedup.threshold']
    """
    differ = [change.field for change in fields]
    causes = {field for decided in decided_by for field in _causes(decided, differ)}
    return [field for field in differ if field in causes]


def _causes(decided: str | None, differ: Sequence[str]) -> list[str]:
    """Of the fields that differ: the deciding ones; else those of the same rule or group; else those of their section
    and the sections before it, which change which row represents another, or the size of a group."""
    if decided is None:
        return list(differ)
    own = decided.split(", ")
    groups = [field.rpartition(".")[0] for field in own if field.count(".") > 1]
    for wanted in (own, [*groups, *(WEIGHTED[field] for field in own if field in WEIGHTED)]):
        if found := [field for field in differ if any(_within(field, of) for of in wanted)]:
            return found
    last = max(DECIDING.index(field.split(".")[0]) for field in own)
    return [field for field in differ if DECIDING.index(field.split(".")[0]) <= last]


def _within(field: str, of: str) -> bool:
    return field == of or field.startswith(f"{of}.")
