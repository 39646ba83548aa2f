"""Deduplication: among near-duplicate questions the one of highest priority is kept.

A question is dropped only as a duplicate of a *kept* one: of a chain a~b~c with only neighbours similar, b alone goes.
Decisions only: pairs are measured in `neighbors.py`, the greedy algorithm is in `greedy.py`.
"""

import numpy as np
import polars as pl

from am_assets.config.licenses import RANK, UNKNOWN
from am_assets.config.recipe import DedupPolicy
from am_assets.config.vocabulary import DIFFICULTIES, EXCLUDED
from am_assets.engines.models.embedder import to_matrix
from am_assets.selection.greedy import SimilarityGraph
from am_assets.storage.schemas import DedupedSet

VERSION = "3"  # raise when a rule here or in `greedy` decides or describes otherwise
HARDEST_FIRST = {name: rank for rank, name in enumerate(reversed(DIFFICULTIES))}


def priority(policy: DedupPolicy) -> pl.Expr:
    """The sort key that puts the best question first: all rules packed into one integer, as one column sorts faster."""
    languages = {name: rank for rank, name in enumerate(policy.languages)}
    rules = {
        "has_check": (~pl.col("has_check"), 1),
        "published": (~pl.col("published"), 1),
        "difficulty": (_place("difficulty", HARDEST_FIRST), 3),
        "complete": (~pl.col("complete"), 1),
        "language": (_place("language", languages), 16),
        "license": (pl.col("license").fill_null(UNKNOWN).replace_strict(RANK, default=RANK["other"]), 4),
        "source_rank": (pl.col("source_rank").cast(pl.Int64) + 2**31, 32),
    }
    number = pl.lit(0, pl.UInt64)
    for rule, bits in (rules[name] for name in dict.fromkeys(policy.priority)):
        number = number * 2**bits + rule.cast(pl.UInt64).fill_null(0)  # a defective row has no features
    return number


def _place(column: str, places: dict[str, int]) -> pl.Expr:
    """The rank of a value; one without a rank comes last."""
    return pl.col(column).replace_strict(places, default=len(places), return_dtype=pl.UInt16)


def candidates(
    raw_pool: pl.LazyFrame, features: pl.LazyFrame, labels: pl.LazyFrame, ranks: dict[str, int]
) -> pl.DataFrame:
    """The input of `dedup`, a row per question and shard, from tables with a column `shard`. `ranks`: by source. Reads
    no texts."""
    at = ["question_id", "shard"]
    rank = pl.col("source").replace_strict(ranks, return_dtype=pl.Int32)
    known = features.select(*at, "has_check", "complete", "language", "license", published=pl.col("published") > 0)
    return (
        raw_pool.select(*at, "source", "copies", "defect", source_rank=rank)
        .join(known, on=at, how="left")
        .join(labels.select(*at, pl.col("difficulty").cast(pl.String)), on=at, how="left")
        .collect()
    )


def curve(floor: float) -> list[float]:
    """The thresholds of the dedup curve: from `floor` upwards in steps of 0.02, and 1."""
    return [round(threshold, 2) for threshold in np.arange(floor, 1, 0.02).tolist()] + [1.0]


def dedup(
    questions: pl.DataFrame, pairs: pl.LazyFrame, crowd: pl.DataFrame, policy: DedupPolicy, thresholds: list[float]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """DedupedSet of all `questions`, sorted by shard and id; and the curve (threshold, kept) over `thresholds`.

    `questions` has a row per question and shard (see `candidates`). `pairs` are SimilarPairs; `crowd` (question_id,
    vector) holds the crowded questions, whose pairs among themselves are not listed. Questions of either that are not
    in the pool are ignored. The order of rows does not matter.

    First the copies of a question in several shards are reduced to the row of highest priority. Then, in order of
    priority, a question is kept unless a kept one is at or above `policy.threshold` to it; the best such one becomes
    its representative. A representative is always kept: copies of a dropped row have the representative of that row.

    >>> table, curve = dedup(candidates(pool, features, labels, ranks), pairs, crowd, DedupPolicy(threshold=0.9), [])
    """
    ranked = questions.sort(priority(policy), "question_id", "shard")
    sound = ranked.filter(pl.col("defect").is_null()).with_columns(copy=~pl.col("question_id").is_first_distinct())
    ids = sound.filter(~pl.col("copy"))["question_id"]
    similarity = _similarity_graph(ids, pairs, crowd)
    is_kept = similarity.kept(policy.threshold)
    gone, by, cosine = similarity.representatives(is_kept, policy.threshold)
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
    excluded = pl.col("defect") == EXCLUDED
    defective = ranked.filter(pl.col("defect").is_not_null()).with_columns(
        drop_reason=pl.when(excluded).then(pl.lit(EXCLUDED)).otherwise(pl.lit("defective")),
        detail=pl.when(~excluded).then("defect"),
    )
    table = pl.concat([decided, defective], how="diagonal_relaxed").with_columns(kept=pl.col("drop_reason").is_null())
    counts = [int(similarity.kept(threshold).sum()) for threshold in thresholds]
    kept = pl.DataFrame({"threshold": thresholds, "kept": counts}, {"threshold": pl.Float64, "kept": pl.Int64})
    return DedupedSet.cast(table.select(DedupedSet.column_names())).sort("shard", "question_id"), kept


def _similarity_graph(ids: pl.Series, pairs: pl.LazyFrame, crowd: pl.DataFrame) -> SimilarityGraph:
    """Pairs and crowd by position in `ids`, which are sorted best first."""
    # a join on 64-bit hashes takes half the time of one on ids; the seed is the first without a collision
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
    return SimilarityGraph(len(ids), worse, better, cosine, places_of_crowd, to_matrix(crowded["vector"]))
