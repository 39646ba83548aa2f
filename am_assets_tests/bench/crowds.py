"""Questions that are all alike: what is stored of them, what it takes, and whether the right ones stay.

    python -m am_assets_tests.bench.crowds [--rows 50000] [--copies 100000]

A family of one template, whose members all lie above the floor to each other, is deduplicated at several thresholds and
held against the walk of its definition, one question at a time over all vectors. Then a shard of equal vectors.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.config.recipe import DedupPolicy
from am_assets.engines.models.embedder import embed
from am_assets.selection.dedup import dedup
from am_assets_tests.pairing import pairs_of

FLOOR, THRESHOLDS = 0.80, [0.80, 0.85, 0.90, 0.95, 0.98]
TEMPLATE = (
    "A farmer brings {} sacks of potatoes and {} baskets of pears to the market, sells the potatoes at {} dollars and"
    " the pears at {} dollars, and pays the driver out of what the market took in. How much money is left of it?"
)


def family(rows: int) -> list[str]:
    random = np.random.default_rng(0)
    texts: dict[str, None] = {}
    while len(texts) < rows:
        texts[TEMPLATE.format(*random.integers(2, 100, size=4))] = None
    return list(texts)


def walk(vectors: np.ndarray, threshold: float) -> np.ndarray:
    """Which rows stay, by the definition: one after another, against all that stayed."""
    stays = np.zeros(len(vectors), dtype=bool)
    kept = np.empty_like(vectors)
    count = 0
    for row, vector in enumerate(vectors):
        if not count or (kept[:count] @ vector).max() < threshold:
            stays[row], kept[count] = True, vector
            count += 1
    return stays


def measure(vectors: np.ndarray, thresholds: list[float]) -> None:
    ids = pl.Series("question_id", [f"{number:032x}" for number in range(len(vectors))])
    values = pl.Series("vector", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1])).cast(pl.List(pl.Float32))
    table = pl.DataFrame([ids, values])
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        pairs, _ = pairs_of({"all": table}, FLOOR, Path(folder))
    crowd = pairs.filter(pl.col("question_id") == pl.col("other_id")).select("question_id")
    print(
        f"{len(vectors):,} questions: {pairs.height:,} rows stored, {crowd.height:,} of them in a crowd,"
        f" of {len(vectors) * (len(vectors) - 1) // 2:,} pairs; {time.monotonic() - started:.1f} s"
    )
    questions = ids.to_frame().with_columns(
        *(pl.lit(value).alias(name) for name, value in {"shard": "all", "source": "all", "language": "en"}.items()),
        *(pl.lit(True).alias(name) for name in ("has_check", "published", "complete")),
        copies=pl.lit(1, pl.UInt32), defect=pl.lit(None, pl.String), difficulty=pl.lit("medium"),
        source_rank=pl.lit(0),
    )  # fmt: skip
    crowd = table.join(crowd, on="question_id", how="semi")
    for threshold in thresholds:
        started = time.monotonic()
        kept, _ = dedup(questions, pairs.lazy(), crowd, DedupPolicy(threshold=threshold), [])
        took = time.monotonic() - started
        exact = walk(vectors, threshold)
        apart = (kept["kept"].to_numpy() != exact).sum()
        print(
            f"  at {threshold}: {kept['kept'].sum():,} stay, {exact.sum():,} by the definition; {apart:,} questions"
            f" differ ({apart / len(vectors):.3%}); {took:.1f} s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--copies", type=int, default=100_000)
    asked = parser.parse_args()
    vectors = embed(family(asked.rows), "static")
    print(f"the farthest pair of 2,000 members lies at {(vectors[:2000] @ vectors[:2000].T).min():.3f}")
    measure(vectors, THRESHOLDS)
    measure(np.repeat(vectors[:1], asked.copies, axis=0), [0.95])


if __name__ == "__main__":
    main()
