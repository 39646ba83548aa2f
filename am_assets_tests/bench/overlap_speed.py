"""Questions a second that are compared with a benchmark, by words alone and in all.

    python -m am_assets_tests.bench.overlap_speed --data FOLDER [--questions 200000] [--items 1100] [--dimension 256]

Questions are those of gsm8k_train.jsonl with numbers drawn anew, items those of gsm8k_test.jsonl; vectors are random.
Prints seconds by the clock and of the processor, since other work on the machine shows in the first only.
"""

import argparse
import random
import re
import time
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.selection.overlap import SLICE, Items, benchmark_overlap
from am_assets.selection.words import read
from am_assets_tests.bench.planted_contamination import questions


def unit(rows: int, dimension: int) -> np.ndarray:
    vectors = np.random.default_rng(rows).standard_normal((rows, dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=1_100)
    parser.add_argument("--dimension", type=int, default=256)
    asked = parser.parse_args()
    draw = random.Random(0)
    known = questions(asked.data / "gsm8k_train.jsonl", "question")
    texts = [re.sub(r"\d+", lambda _: str(draw.randrange(1000)), draw.choice(known)) for _ in range(asked.questions)]
    pool = pl.DataFrame({"question_id": [f"{at:08d}" for at in range(len(texts))], "question": texts})
    arrays = pl.Series(unit(pool.height, asked.dimension), dtype=pl.Array(pl.Float32, asked.dimension))
    vectors = pool.select("question_id", vector=arrays.cast(pl.List(pl.Float32)))
    bench = questions(asked.data / "gsm8k_test.jsonl", "question")[: asked.items]
    items = Items(
        pl.DataFrame({"item_id": [f"{at:04d}" for at in range(len(bench))], "question": bench}),
        unit(len(bench), asked.dimension),
    )
    assert items.grams
    words = len(read(pool["question"][:SLICE]).plain.code) / min(SLICE, pool.height)
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest memory so far
    before = megabytes("VmRSS")
    print(f"{pool.height:,} questions of {words:.0f} words, {len(bench):,} items, {asked.dimension} dimensions")
    with took("words and shared grams", pool.height):
        for part in pool["question"].to_frame().iter_slices(SLICE):
            seen = read(part["question"])
            for name, grams in items.grams.items():
                grams.shared(seen.masked if name == "wording" else seen.plain).largest()
    with took("all of benchmark_overlap", pool.height):
        benchmark_overlap(pool, vectors, items, 0.6)
    print(f"{megabytes('VmHWM') - before:,.0f} MB above the tables at most")


def megabytes(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


class took:
    def __init__(self, what: str, rows: int):
        self.what, self.rows = what, rows

    def __enter__(self) -> None:
        self.clock, self.processor = time.monotonic(), time.process_time()

    def __exit__(self, *_: object) -> None:
        clock, processor = time.monotonic() - self.clock, time.process_time() - self.processor
        print(
            f"{self.what}: {clock:.1f} s ({self.rows / clock:,.0f}/s), {processor:.1f} s of the processor", flush=True
        )


if __name__ == "__main__":
    main()
