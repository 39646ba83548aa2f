"""Recall of similar pairs found through a graph against comparing all with all, on clustered and on real text.

    python -m am_assets_tests.bench.pair_recall [--rows 30000] [--data FOLDER] [--model static]

FOLDER holds gsm8k_train.jsonl and math_train.json. The graph is used whatever the number of questions; the first half
is a shard that ranks before the second.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.engines.models.embedder import embed
from am_assets.selection import search
from am_assets_tests.bench.corpus import questions
from am_assets_tests.pairing import pairs_of

FLOOR = 0.80


def shards(texts: list[str], model: str) -> list[pl.DataFrame]:
    vectors = embed(list(dict.fromkeys(texts)), model)
    order = np.random.default_rng(0).permutation(len(vectors))
    ids = [f"{number:032x}" for number in range(len(vectors))]
    values = pl.Series("vector", vectors[order], dtype=pl.Array(pl.Float32, vectors.shape[1]))
    table = pl.DataFrame({"question_id": ids}).with_columns(values.cast(pl.List(pl.Float32)))
    return [table.head(len(ids) // 2), table.tail(len(ids) - len(ids) // 2)]


def pairs(first: pl.DataFrame, second: pl.DataFrame, exact_rows: int) -> pl.DataFrame:
    search.EXACT_ROWS = exact_rows
    search.EXACT_PRODUCTS = exact_rows**2
    with tempfile.TemporaryDirectory() as folder:
        graphs = Path(folder)
        inside, _ = pairs_of({"first": first}, FLOOR, graphs)
        across, _ = pairs_of({"second": second, "first": first}, FLOOR, graphs)
    return pl.concat([inside, across])


def report(name: str, tables: list[pl.DataFrame]) -> None:
    exact, found = pairs(*tables, exact_rows=10**9), pairs(*tables, exact_rows=0)
    hits = exact.join(found, on=["question_id", "other_id"], how="semi")
    print(f"{name}: {sum(table.height for table in tables):,} questions, {exact.height:,} pairs", end="; ")
    for at in (FLOOR, 0.85, 0.90, 0.95):
        true, listed = (table.filter(pl.col("cosine") >= pl.lit(at, pl.Float32)).height for table in (exact, hits))
        print(f"recall from {at:.2f} on {listed / true:.4f}", end="; ")
    print(f"{found.join(exact, on=['question_id', 'other_id'], how='anti').height} found that are none", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", default="static")
    asked = parser.parse_args()
    report("clustered", shards(questions(asked.rows), asked.model))
    if asked.data:
        lines = (asked.data / "gsm8k_train.jsonl").read_text().splitlines()
        problems = json.loads((asked.data / "math_train.json").read_text())
        real = [json.loads(line)["question"] for line in lines] + [problem["problem"] for problem in problems]
        report("real", shards(real, asked.model))


if __name__ == "__main__":
    main()
