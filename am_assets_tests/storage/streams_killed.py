"""Writers of streamed tables that are killed at random moments, and what a reader finds after each.

python -m am_assets_tests.storage.streams_killed [--kills 50]

Children are forked, so that a start takes milliseconds. Every second table is sorted by way of the disk.
"""

import argparse
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from am_assets.storage import streams

ROWS, PARTS = 400, 20
EMPTY = pl.DataFrame(schema={"id": pl.String, "text": pl.String, "of": pl.Int64})


def frames(of: int, backwards: bool) -> Iterator[pl.DataFrame]:
    """The table of one writer: all its rows name it."""
    for part in range(PARTS)[:: -1 if backwards else 1]:
        ids = [f"{part * ROWS + at:08d}" for at in range(ROWS)]
        yield pl.DataFrame({"id": ids, "text": [name * 40 for name in ids], "of": of})


def publish(of: int, target: Path) -> None:
    backwards = of % 2 == 1
    made = frames(of, backwards)
    streams.write(streams.in_order(made, "id", target) if backwards else made, EMPTY, target, ["id"]).publish()


def killed(kills: int, folder: Path, seed: int = 0) -> list[int]:
    """Kill one writer after another of the same table; by kill, the number of the writer whose table is there after it.
    `AssertionError` where a reader finds anything but a whole table, or one that was acknowledged is gone."""
    draw, target = random.Random(seed), folder / "table.parquet"
    acknowledged, found, span = 0, [], 0.0
    for of in range(kills):
        reader, writer = os.pipe()
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            try:
                publish(of, target)
                os.write(writer, b"y")
            finally:
                os._exit(0)
        if of > 1:  # the first two come to their end: a sorted one and another
            time.sleep(draw.random() * 1.2 * span)
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        span = max(span, time.monotonic() - started) if of < 2 else span
        os.close(writer)
        acknowledged = of if os.read(reader, 1) else acknowledged
        os.close(reader)
        table = pl.read_parquet(target)
        assert table.height == ROWS * PARTS and table["id"].is_sorted() and table["of"].n_unique() == 1
        assert table["of"][0] in (acknowledged, of)
        found.append(table["of"][0])
    publish(kills, target)
    assert [path.name for path in folder.iterdir()] == [target.name]  # what the dead left was removed
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    asked = parser.parse_args()
    streams.GROUP_BYTES, streams.RUN_BYTES = 100_000, 500_000
    with tempfile.TemporaryDirectory() as folder:
        found = killed(asked.kills, Path(folder))
    print(f"{asked.kills} writers, of which {len({*found})} came to their end; each time one whole table was there")


if __name__ == "__main__":
    main()
