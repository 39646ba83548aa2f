"""Merges of the memo that are killed at random moments, and what a reader finds after each.

    python -m am_assets_tests.bench.memo_merges_killed [--answers 20000] [--chars 20000] [--kills 20] [--folder DIR]

Answers are stored in segments small enough to be merged. After each kill every key has to be there, and a sample of
texts as it was stored. At the end a merge runs to its end. Seconds are of the processors.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from am_assets.storage import segments
from am_assets.storage.memo import Memo
from am_assets_tests.bench.memo_at_scale import SCHEMA, answers, keys
from am_assets_tests.bench.processes import busy_since, killed_after

NAMESPACE, APPENDED, SAMPLE = "answers", 100, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--chars", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--merge", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.merge:
        segments.merge(asked.merge / NAMESPACE)
        return
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="merges-"))
    for start in range(0, asked.answers, APPENDED):
        segments.write(folder / NAMESPACE, answers(range(start, min(start + APPENDED, asked.answers)), asked.chars))
    told(folder)
    draw, late = random.Random(5), 0
    for _ in range(asked.kills):
        late += not killed_after(merging(folder), draw.uniform(0.5, 4))
        check(folder, asked.answers, asked.chars, draw)
    print(
        f"{asked.kills} kills, {late} of them too late; after each all keys were there, and texts as they were stored"
    )
    told(folder)
    before = os.times()
    assert merging(folder).wait() == 0
    print(f"a merge to its end: {busy_since(before):.1f} s of processor")
    check(folder, asked.answers, asked.chars, draw)
    told(folder)


def merging(folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-W", "ignore", "-m", __spec__.name, "--merge", str(folder)])


def check(folder: Path, many: int, chars: int, draw: random.Random) -> None:
    memo, everything = Memo(folder), keys(range(many))
    assert memo.missing(NAMESPACE, everything).is_empty()
    start = draw.randrange(0, many, APPENDED)
    wanted = answers(range(start, min(start + APPENDED, many)), chars).head(SAMPLE)
    found = memo.read(NAMESPACE, wanted, SCHEMA)
    assert found.sort("key").equals(wanted.select(SCHEMA.names()).sort("key"))


def told(folder: Path) -> None:
    paths = segments.listed(folder / NAMESPACE)
    rows = pl.scan_parquet(paths).select(pl.len()).collect().item()
    left = len([*(folder / NAMESPACE).glob("*.aside")])
    size = sum(path.stat().st_size for path in paths)
    print(
        f"{len(paths)} segments, {rows:,} rows, {size / 1e6:,.0f} MB; {left} files that were left half written",
        flush=True,
    )


if __name__ == "__main__":
    main()
