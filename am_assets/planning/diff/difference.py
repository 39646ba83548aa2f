"""Two recipes' sets held against each other: rows in one and not in the other, why, and the fields they stem from.

Plain Polars over kept and dropped rows; where they are read from is `asking.py`'s business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.config.changes import Change, changes
from am_assets.config.recipe import SECTIONS, Recipe
from am_assets.planning.explain.lines import FIELDS

RATES = ["sampling.rates", "sampling.shares"]
# In the order in which the stages decide; the fields that train and score decide on no row.
DECIDING = [section for section in SECTIONS if section not in ("training", "evaluation")]


@dataclass(frozen=True)
class OneSided:
    """Rows that `kept_by` has and `dropped_by` has not: `reasons` (reason, rows, fields) by frequency, and `rows` (id,
    question_id, reason, detail), by reason and id."""

    kept_by: str
    dropped_by: str
    reasons: pl.DataFrame
    rows: pl.DataFrame


@dataclass(frozen=True)
class Difference:
    """`both`: how many rows the two have in common."""

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
    """The fields in which the recipes differ and that decide on rows."""
    mine, others = (recipe.model_dump(include=set(DECIDING)) for recipe in (one, other))
    return list(changes(mine, others))


def one_sided(
    kept: pl.DataFrame, fates: pl.DataFrame, otherwise: str, names: tuple[str, str], fields: Sequence[Change]
) -> OneSided:
    """`kept` (id, question_id): what the first of `names` keeps and the second does not. `fates` (id, reason, detail):
    what became of it there, the first row of an id counting; what has none went for `otherwise`."""
    said = fates.select("id", pl.col("reason").cast(pl.String), "detail")
    first = said.unique("id", keep="first", maintain_order=True)
    rows = kept.join(first, on="id", how="left").with_columns(pl.col("reason").fill_null(otherwise))
    counted = rows.group_by("reason").agg(rows=pl.len()).sort("rows", "reason", descending=[True, False])
    stems = [stems_from(reason, fields) for reason in counted["reason"]]
    reasons = counted.with_columns(pl.Series("fields", stems, dtype=pl.List(pl.String)))
    return OneSided(*names, reasons, rows.sort("reason", "id"))


def stems_from(reason: str, fields: Sequence[Change]) -> list[str]:
    """The differing fields that a drop reason stems from: its own, else those of its section and the ones before it,
    through which another row came to stand for it, or its group to be of another size."""
    own = RATES if reason == "downsampled" else [field for _, field in FIELDS.get(reason, [])]
    differ = [change.field for change in fields]
    mine = [field for field in differ if any(_within(field, of) for of in own)]
    if mine:
        return mine
    last = max((DECIDING.index(of.split(".")[0]) for of in own), default=len(DECIDING) - 1)
    return [field for field in differ if DECIDING.index(field.split(".")[0]) <= last]


def _within(field: str, of: str) -> bool:
    return field == of or field.startswith(f"{of}.")
