"""Two versions of what a decision keeps, held against each other: what each group gains and loses, and why.

Plain Polars over kept rows; where the versions come from is the business of `whatif.py`.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, UNLABELLED

BY = ["source", "category", "difficulty"]
ORDER = {name: rank for rank, name in enumerate([*CATEGORIES, *DIFFICULTIES, UNLABELLED])}


@dataclass(frozen=True)
class Comparison:
    """`groups`: by, group, before, after, gained, lost, where before + gained - lost = after; the first row is `all`.
    `reasons`: reason and rows of what is kept no longer, the most frequent first."""

    groups: pl.DataFrame
    reasons: pl.DataFrame

    def to_dict(self) -> dict[str, Any]:
        groups = {
            str(by): rows.drop("by").to_dicts() for (by,), rows in self.groups.group_by("by", maintain_order=True)
        }
        return {"all": groups.pop("all")[0], "by": groups, "lost_because": dict(self.reasons.rows())}


def compare(before: pl.DataFrame, after: pl.DataFrame, fates: pl.DataFrame, key: str, otherwise: str) -> Comparison:
    """`before` and `after` are kept rows: `key`, distinct, and BY. `fates` (`key`, reason) says why a row is kept no
    longer, the first row of a key counting; one that has no fate went for `otherwise`.

    A row kept in both versions under different groups (a question that another shard now stands for) is lost by the one
    group and gained by the other.
    """
    both = before.select(key, *BY, all=pl.lit("all")).join(
        after.select(key, *BY, all=pl.lit("all")), on=key, how="full", coalesce=True, suffix="_after"
    )
    groups = pl.concat(_by(both, by) for by in ["all", *BY])
    lost = both.filter(pl.col("all_after").is_null()).select(key)
    first = fates.select(key, pl.col("reason").cast(pl.String)).unique(key, keep="first", maintain_order=True)
    reasons = lost.join(first, on=key, how="left").group_by(pl.col("reason").fill_null(otherwise)).agg(rows=pl.len())
    return Comparison(groups, reasons.sort("rows", "reason", descending=[True, False]))


def _by(both: pl.DataFrame, by: str) -> pl.DataFrame:
    was, now, rows = pl.col("was"), pl.col("now"), pl.col("rows")
    moves = both.group_by(was=pl.col(by).cast(pl.String), now=pl.col(f"{by}_after").cast(pl.String)).agg(rows=pl.len())
    moved = rows.filter(was.ne_missing(now)).sum()
    before = moves.drop_nulls("was").group_by(group=was).agg(before=rows.sum(), lost=moved)
    after = moves.drop_nulls("now").group_by(group=now).agg(after=rows.sum(), gained=moved)
    return (
        before.join(after, on="group", how="full", coalesce=True)
        .select(pl.lit(by).alias("by"), "group", pl.col("before", "after", "gained", "lost").fill_null(0))
        .sort(pl.col("group").replace_strict(ORDER, default=len(ORDER), return_dtype=pl.Int64), "group")
    )
