"""Pairs and deduplication of vectors by this project: `run_dedup.py VECTORS.npy OUT.npz`.

Pairs are found down to the default floor of 0.80, and the shard's graph is built and saved, as the assets do it. Prints
the seconds of both; leaves which rows stay, and the neighbours of every row.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.config.recipe import DedupPolicy
from am_assets.selection.dedup import dedup
from am_assets_tests.pairing import pairs_of

vectors = np.load(sys.argv[1])
ids = pl.Series("question_id", [f"{number:032x}" for number in range(len(vectors))])
values = pl.Series("vector", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1])).cast(pl.List(pl.Float32))
table = pl.DataFrame([ids, values])
questions = ids.to_frame().with_columns(
    *(pl.lit(value).alias(name) for name, value in {"shard": "all", "source": "all", "language": "en"}.items()),
    *(pl.lit(True).alias(name) for name in ("has_check", "published", "complete")),
    copies=pl.lit(1, pl.UInt32), defect=pl.lit(None, pl.String), difficulty=pl.lit("medium"), source_rank=pl.lit(0),
)  # fmt: skip
started = time.monotonic()
with tempfile.TemporaryDirectory() as folder:
    pairs, _ = pairs_of({"all": table}, 0.80, Path(folder))
    crowded = pairs.filter(pl.col("question_id") == pl.col("other_id")).select("question_id")
    crowd = table.join(crowded, on="question_id", how="semi")
    kept, _ = dedup(questions, pairs.lazy(), crowd, DedupPolicy(threshold=0.9), [])
seconds = time.monotonic() - started
near = pairs.filter((pl.col("cosine") >= pl.lit(0.9, pl.Float32)) & (pl.col("question_id") != pl.col("other_id")))
one, other = (near[name].str.to_integer(base=16).to_numpy() for name in ("question_id", "other_id"))
np.savez(sys.argv[2], stays=kept["kept"].to_numpy(), rows=np.append(one, other), columns=np.append(other, one))
print(seconds)
