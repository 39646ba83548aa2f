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
from collections.abc import Callable, Iterator
from functools import partial
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


def publish(of: int, target: Path) -> int:
    backwards = of % 2 == 1
    made = frames(of, backwards)
    streams.write(streams.in_order(made, "id", target) if backwards else made, EMPTY, target, ["id"]).publish()
    return of


def look(target: Path) -> int:
    """The writer whose table is there, a whole one."""
    table = pl.read_parquet(target)
    assert table.height == ROWS * PARTS and table["id"].is_sorted() and table["of"].n_unique() == 1
    return int(table["of"][0])


def child(work: Callable[[], int], seconds: float | None = None) -> int | None:
    """What `work` returns in a process of its own, None where it was killed before, after `seconds`. Polars is used in
    such processes alone: its threads do not outlive a fork."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.write(writer, str(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    with os.fdopen(reader) as said:
        return int(told) if (told := said.read()) else None


def killed(kills: int, folder: Path, seed: int = 0) -> list[int]:
    """Kill one writer after another of the same table; by kill, the number of the writer whose table is there after it.
    `AssertionError` where a reader finds anything but a whole table, or one that was acknowledged is gone."""
    draw, target = random.Random(seed), folder / "table.parquet"
    acknowledged, span = 0, 0.0
    found = []
    for of in range(kills + 2):  # the first two come to their end: a table in order, and a sorted one
        started = time.monotonic()
        said = child(partial(publish, of, target), draw.random() * 1.2 * span if of > 1 else None)
        span = max(span, time.monotonic() - started) if of < 2 else span
        acknowledged = acknowledged if said is None else said
        there = child(partial(look, target))
        assert there in (acknowledged, of), (there, acknowledged, of)
        acknowledged = there  # a writer that was killed before it said so may have come to its end
        found.append(there)
    child(partial(publish, 0, target))
    assert [path.name for path in folder.iterdir()] == [target.name]  # what the dead left was removed
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    asked = parser.parse_args()
    streams.GROUP_BYTES, streams.RUN_BYTES = 100_000, 500_000
    with tempfile.TemporaryDirectory() as folder:
        found = killed(asked.kills, Path(folder))
    print(
        f"{asked.kills} kills, {len({*found}) - 2} of them too late; a whole table was there each time, none was lost"
    )


if __name__ == "__main__":
    main()
