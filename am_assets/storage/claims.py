"""Who is measuring what at this moment, so that two processes never pay for the same row.

A claim is a file of keys, locked for as long as its process works on them; the kernel drops the lock of a process that
dies, and the next one to look removes the file. Claims of a folder never overlap: each is cut down to what nobody else
holds before it is made.
"""

import fcntl
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import polars as pl


@contextmanager
def claimed(folder: Path, keys: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Those of `keys` (a column `key`) that no living process holds; they are ours until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.claim"
    with ExitStack() as stack:
        with (folder / ".claiming").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            claim = stack.enter_context(path.open("wb"))  # in our turn, or others take it for that of a dead process
            stack.callback(path.unlink, missing_ok=True)
            fcntl.flock(claim, fcntl.LOCK_EX)
            mine = keys.select("key")
            for held in _held_by_others(folder, path):
                mine = mine.join(held, on="key", how="anti", maintain_order="left")
            try:
                mine.write_parquet(claim)
            except pl.exceptions.ComputeError as error:  # what polars makes of an error of the disk
                raise OSError(str(error)) from None
            claim.flush()
        yield mine


def _held_by_others(folder: Path, own: Path) -> Iterator[pl.DataFrame]:
    for path in folder.glob("*.claim"):
        if path == own:
            continue
        try:
            with path.open("rb") as file:
                if _abandoned(file):
                    path.unlink(missing_ok=True)
                else:
                    yield pl.read_parquet(path)
        except FileNotFoundError:
            continue  # let go of meanwhile


def _abandoned(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
