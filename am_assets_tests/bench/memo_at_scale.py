"""How long the memo takes to tell what is missing among as many rows as the paper's dataset has.

    python -m am_assets_tests.bench.memo_at_scale [--answers 1400000] [--chars 500]

Each answer has a text of its own, so that reading texts by mistake would show. Prints seconds.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from am_assets.storage.memo import Memo

SEGMENT = 4_000
SHARD = 14_000
SCHEMA = pl.Schema({"key": pl.String, "text": pl.String, "completion_tokens": pl.UInt32})


def answers(numbers: range, chars: int) -> pl.DataFrame:
    """Rows with keys as a hash would give and texts that do not compress to nothing."""
    letters = np.random.default_rng(numbers.start).integers(97, 123, (len(numbers), chars), dtype=np.uint8)
    return keys(numbers).with_columns(
        text=pl.Series([row.tobytes().decode() for row in letters]), completion_tokens=pl.lit(chars // 4, pl.UInt32)
    )


def keys(numbers: range) -> pl.DataFrame:
    hashed = pl.Series(numbers, dtype=pl.UInt64).hash(seed=1)
    return pl.DataFrame({"key": [f"{number:016x}{number:016x}" for number in hashed]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=1_400_000)
    parser.add_argument("--chars", type=int, default=500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        memo = Memo(Path(folder))
        with took(f"store {asked.answers:,} answers of {asked.chars} characters"):
            for start in range(0, asked.answers, SEGMENT):
                memo.append("answers", answers(range(start, min(start + SEGMENT, asked.answers)), asked.chars))
        segments = list((memo.folder / "answers").glob("*.parquet"))
        print(f"{len(segments)} segments, {sum(path.stat().st_size for path in segments) / 1e6:,.0f} MB")
        everything = keys(range(asked.answers)).sample(fraction=1, shuffle=True, seed=0)
        with took(f"find that none of {everything.height:,} shuffled keys is missing"):
            assert memo.missing("answers", everything).is_empty()
        hundred_thousand = everything.head(100_000)
        with took("find that none of 100,000 of them is missing"):
            assert memo.missing("answers", hundred_thousand).is_empty()
        with took(f"find {everything.height:,} new keys among as many known ones"):
            new = keys(range(asked.answers, 2 * asked.answers))
            assert memo.missing("answers", pl.concat([everything, new])).height == new.height
        shard = keys(range(asked.answers // 2, asked.answers // 2 + SHARD))
        with took(f"read the texts of one shard, {SHARD:,} rows stored together"):
            assert memo.read("answers", shard, SCHEMA).height == min(SHARD, asked.answers)


class took:
    def __init__(self, what: str):
        self.what = what

    def __enter__(self) -> None:
        self.started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        print(f"{time.monotonic() - self.started:8.2f} s  {self.what}", flush=True)


if __name__ == "__main__":
    main()
