"""Distributions of a recipe's released rows by category, difficulty, source, check, origin and length, beside the
paper's.

Counting only, over narrow columns; funnel and costs are counted in `report.py`.
"""

import polars as pl

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, UNLABELLED
from am_assets.evaluation import paper

# Characters: upper ends of the ranges, about half a decade each.
LENGTHS = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000]
# The columns that a report counts.
COUNTED = ["response_id", "source", "category", "difficulty", "check", "think_chars", "answer_chars"]


def released(sft: pl.LazyFrame) -> pl.DataFrame:
    """The columns COUNTED of the released rows."""
    return sft.select(COUNTED).collect()


def spread(values: pl.Series, published: dict[str, int], names: list[str] | None = None) -> pl.DataFrame:
    """(name, rows, share, paper): value counts in the order of `names`, else most frequent first; shares in [0, 1].

    `paper` is the share in the paper's counts `published`, null for a name it does not have.

    >>> spread(rows["category"], paper.CATEGORY_ROWS)
    """
    counts = values.cast(pl.String).alias("name").value_counts(name="rows")
    if names is None:
        counts = counts.sort("rows", "name", descending=[True, False])
    else:
        counts = pl.DataFrame({"name": names}, {"name": pl.String}).join(
            counts, on="name", how="left", maintain_order="left"
        )
    total = sum(published.values())
    shares = {name: rows / total for name, rows in published.items()}
    return counts.with_columns(pl.col("rows").fill_null(0)).with_columns(
        share=pl.col("rows") / max(len(values), 1),
        paper=pl.col("name").replace_strict(shares, default=None, return_dtype=pl.Float64),
    )


def mixes(rows: pl.DataFrame, origins: pl.Series) -> dict[str, pl.DataFrame]:
    """The distributions of `released` rows that the paper publishes too; `origins` are those of the same rows."""
    return {
        "Category": spread(rows["category"], paper.CATEGORY_ROWS, [*CATEGORIES, UNLABELLED]),
        "Difficulty": spread(rows["difficulty"], paper.DIFFICULTY_ROWS, [*DIFFICULTIES, UNLABELLED]),
        "Checked by": spread(rows["check"], paper.CHECK_ROWS, list(paper.CHECK_ROWS)),
        "Origin": spread(origins, paper.ORIGIN_ROWS, list(paper.ORIGIN_ROWS)),
    }


def lengths(chars: pl.Series) -> pl.DataFrame:
    """(name, rows, share) by range of LENGTHS, from the first to the last non-empty one."""
    ends = [f"up to {end:,}" for end in LENGTHS] + [f"over {LENGTHS[-1]:,}"]
    places = pl.Series(LENGTHS).search_sorted(chars.cast(pl.Int64), side="left")
    low, high = (int(places.min()), int(places.max())) if len(places) else (0, -1)  # type: ignore[arg-type]
    return spread(pl.Series(ends).gather(places), {}, ends[low : high + 1]).drop("paper")
