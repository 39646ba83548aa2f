"""Deduplication: of questions that are alike, the one of the highest priority stays.

A question is dropped only for one that is *kept*: of a chain a~b~c where only neighbours are alike, b alone goes.
"""

import numpy as np
import polars as pl

from am_assets.recipe import DedupPolicy
from am_assets.schema import DIFFICULTIES, DedupedSet

HARDEST_FIRST = {name: rank for rank, name in enumerate(reversed(DIFFICULTIES))}
# What stands for each name in `DedupPolicy.priority`, ascending: the smallest is preferred.
PRIORITY = {
    "has_check": ~pl.col("has_check"),
    "published": ~pl.col("published"),
    "difficulty": pl.col("difficulty").replace_strict(HARDEST_FIRST, default=len(DIFFICULTIES), return_dtype=pl.UInt8),
    "complete": ~pl.col("complete"),
    "source_rank": pl.col("source_rank"),
}


def dedup(questions: pl.DataFrame, pairs: pl.DataFrame, policy: DedupPolicy) -> pl.DataFrame:
    """DedupedSet of all `questions`, by shard and id; `pairs` are SimilarPairs, those of absent questions ignored.

    `questions` has a row a question and shard: question_id, shard, source, copies, defect, has_check, published,
    difficulty, complete, source_rank. The order of rows does not matter.

    Of a question that lies in several shards the row of the highest priority stands for all. Then, best first, a
    question stays unless a question that stayed is at or above `policy.threshold` to it; the best such one represents
    it. A representative is always kept: a copy whose best row went is represented by whoever represents that row.
    """
    order = [PRIORITY[name].alias(f"by_{name}") for name in policy.priority]
    ranked = questions.sort(*order, "question_id", "shard")
    defective = ranked.filter(pl.col("defect").is_not_null()).with_columns(
        drop_reason=pl.lit("defective"), detail="defect", representative=pl.lit(None, pl.String), cosine=pl.lit(None)
    )
    sound = ranked.filter(pl.col("defect").is_null())
    gone = _greedy(sound["question_id"].unique(maintain_order=True), pairs, policy.threshold)
    copy = ~pl.col("question_id").is_first_distinct()
    decided = sound.join(gone, on="question_id", how="left", maintain_order="left").with_columns(
        drop_reason=pl.when(copy)
        .then(pl.lit("exact_duplicate"))
        .when(pl.col("representative").is_not_null())
        .then(pl.lit("near_duplicate")),
        detail=pl.lit(None, pl.String),
        representative=pl.coalesce("representative", pl.when(copy).then("question_id")),
        cosine=pl.coalesce("cosine", pl.when(copy).then(1.0)),
    )
    table = pl.concat([defective, decided], how="diagonal_relaxed").with_columns(kept=pl.col("drop_reason").is_null())
    return DedupedSet.cast(table.select(DedupedSet.column_names())).sort("shard", "question_id")


def _greedy(ids: pl.Series, pairs: pl.DataFrame, threshold: float) -> pl.DataFrame:
    """Which of `ids`, best first, go: question_id, the best kept question at or above the threshold, its cosine.

    Only questions that have a better neighbour are walked, best first, so whether a neighbour stays is always known.
    """
    position = pl.DataFrame({"id": ids}).with_row_index("at")
    alike = (
        pairs.filter(pl.col("cosine") >= pl.lit(threshold, pl.Float32))
        .join(position.rename({"id": "question_id", "at": "a"}), on="question_id")
        .join(position.rename({"id": "other_id", "at": "b"}), on="other_id")
        .select("cosine", better=pl.min_horizontal("a", "b"), worse=pl.max_horizontal("a", "b"))
        .sort("worse", "better")
    )
    better, worse = alike["better"].to_numpy(), alike["worse"].to_numpy()
    walk, starts = np.unique(worse, return_index=True)
    stays = np.ones(len(ids), dtype=bool)
    deciding = []  # rows of `alike`
    for question, start, end in zip(walk.tolist(), starts.tolist(), [*starts[1:].tolist(), len(worse)], strict=False):
        first = start + int(stays[better[start:end]].argmax())
        if stays[better[first]]:
            stays[question] = False
            deciding.append(first)
    chosen = alike[deciding]
    return pl.DataFrame(
        {
            "question_id": ids.gather(chosen["worse"]),
            "representative": ids.gather(chosen["better"]),
            "cosine": chosen["cosine"],
        }
    )
