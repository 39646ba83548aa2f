"""Deduplication: of questions that are alike, the one of the highest priority stays.

A question is dropped only for one that is *kept*: of a chain a~b~c where only neighbours are alike, b alone goes.
"""

import numpy as np
import polars as pl

from am_assets.config.recipe import DedupPolicy
from am_assets.config.vocabulary import DIFFICULTIES
from am_assets.engines.models.embedder import to_matrix
from am_assets.selection.greedy import Likeness
from am_assets.storage.schemas import DedupedSet

VERSION = "2"  # raise when a rule here or in `greedy` decides or describes otherwise
HARDEST_FIRST = {name: rank for rank, name in enumerate(reversed(DIFFICULTIES))}


def priority(policy: DedupPolicy) -> pl.Expr:
    """What to sort by so that the best comes first: all rules in one number, since sorting by many columns is slow."""
    languages = {name: rank for rank, name in enumerate(policy.languages)}
    rules = {
        "has_check": (~pl.col("has_check"), 1),
        "published": (~pl.col("published"), 1),
        "difficulty": (_place("difficulty", HARDEST_FIRST), 3),
        "complete": (~pl.col("complete"), 1),
        "language": (_place("language", languages), 16),
        "source_rank": (pl.col("source_rank").cast(pl.Int64) + 2**31, 32),
    }
    number = pl.lit(0, pl.UInt64)
    for rule, bits in (rules[name] for name in dict.fromkeys(policy.priority)):
        number = number * 2**bits + rule.cast(pl.UInt64).fill_null(0)  # a defective row knows none of this
    return number


def _place(column: str, places: dict[str, int]) -> pl.Expr:
    """The place of a value; what has none comes last."""
    return pl.col(column).replace_strict(places, default=len(places), return_dtype=pl.UInt16)


def candidates(
    raw_pool: pl.LazyFrame, features: pl.LazyFrame, labels: pl.LazyFrame, ranks: dict[str, int]
) -> pl.DataFrame:
    """The questions as `dedup` takes them, of tables with a column `shard`; `ranks` are those of the sources. No text
    is read."""
    at = ["question_id", "shard"]
    rank = pl.col("source").replace_strict(ranks, return_dtype=pl.Int32)
    known = features.select(*at, "has_check", "complete", "language", published=pl.col("published") > 0)
    return (
        raw_pool.select(*at, "source", "copies", "defect", source_rank=rank)
        .join(known, on=at, how="left")
        .join(labels.select(*at, pl.col("difficulty").cast(pl.String)), on=at, how="left")
        .collect()
    )


def curve(floor: float) -> list[float]:
    """The thresholds at which a recipe's neighbours are counted: from the floor up in steps of 0.02, and 1."""
    return [round(threshold, 2) for threshold in np.arange(floor, 1, 0.02).tolist()] + [1.0]


def dedup(
    questions: pl.DataFrame, pairs: pl.LazyFrame, crowd: pl.DataFrame, policy: DedupPolicy, thresholds: list[float]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """DedupedSet of all `questions`, by shard and id; and the curve: how many would stay at each of `thresholds`.

    `questions` has a row a question and shard, as `candidates` gives them. `pairs` are SimilarPairs; `crowd` holds
    question_id and vector of those that stand in a crowd. Questions of either that are not in the pool are ignored. The
    order of rows does not matter.

    Of a question that lies in several shards the row of the highest priority stands for all. Then, best first, a
    question stays unless a question that stayed is at or above `policy.threshold` to it; the best such one represents
    it. A representative is always kept: a copy whose best row went is represented by whoever represents that row.
    """
    ranked = questions.sort(priority(policy), "question_id", "shard")
    sound = ranked.filter(pl.col("defect").is_null()).with_columns(copy=~pl.col("question_id").is_first_distinct())
    ids = sound.filter(~pl.col("copy"))["question_id"]
    likeness = _likeness(ids, pairs, crowd)
    stays = likeness.stay(policy.threshold)
    gone, by, cosine = likeness.representatives(stays, policy.threshold)
    near = pl.DataFrame({"question_id": ids.gather(gone), "near": ids.gather(by), "cosine": cosine})
    decided = sound.join(near, on="question_id", how="left", maintain_order="left").with_columns(
        drop_reason=pl.when("copy")
        .then(pl.lit("exact_duplicate"))
        .when(pl.col("near").is_not_null())
        .then(pl.lit("near_duplicate")),
        decided_by=pl.when("copy")
        .then(pl.lit("dedup.priority"))
        .when(pl.col("near").is_not_null())
        .then(pl.lit("dedup.threshold")),
        representative=pl.coalesce("near", pl.when("copy").then("question_id")),
        cosine=pl.coalesce("cosine", pl.when("copy").then(1.0)),
    )
    defective = ranked.filter(pl.col("defect").is_not_null()).with_columns(
        drop_reason=pl.lit("defective"), detail="defect"
    )
    table = pl.concat([decided, defective], how="diagonal_relaxed").with_columns(kept=pl.col("drop_reason").is_null())
    counts = [int(likeness.stay(threshold).sum()) for threshold in thresholds]
    kept = pl.DataFrame({"threshold": thresholds, "kept": counts}, {"threshold": pl.Float64, "kept": pl.Int64})
    return DedupedSet.cast(table.select(DedupedSet.column_names())).sort("shard", "question_id"), kept


def _likeness(ids: pl.Series, pairs: pl.LazyFrame, crowd: pl.DataFrame) -> Likeness:
    """Pairs and crowd as places in `ids`, which come best first."""
    # joined by a 64-bit hash of the ids, in half the time; of the seeds one that tells all of them apart
    seed = next(seed for seed in range(9) if ids.hash(seed).n_unique() == len(ids))
    places = pl.DataFrame({"id": ids.hash(seed)}).with_row_index("at").lazy()
    one, other = pl.col("question_id").hash(seed), pl.col("other_id").hash(seed)
    listed = (
        pairs.filter(pl.col("question_id") != pl.col("other_id"))
        .select("cosine", one=one, other=other)
        .join(places.rename({"id": "one", "at": "a"}), on="one")
        .join(places.rename({"id": "other", "at": "b"}), on="other")
        .select("cosine", better=pl.min_horizontal("a", "b"), worse=pl.max_horizontal("a", "b"))
        .sort(pl.col("worse").cast(pl.UInt64) * 2**32 + pl.col("better"))
        .collect()
    )
    crowded = crowd.lazy().with_columns(id=one).join(places, on="id").sort("at").select("at", "vector").collect()
    worse, better, cosine = (listed[name].to_numpy() for name in ("worse", "better", "cosine"))
    places_of_crowd = crowded["at"].to_numpy().astype(np.int64)
    return Likeness(len(ids), worse, better, cosine, places_of_crowd, to_matrix(crowded["vector"]))
