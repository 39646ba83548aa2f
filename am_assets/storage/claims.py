"""Claims on memo keys, so that no two processes measure (and pay for) the same row at the same time.

A claim is a Parquet file of keys, locked (flock) while its process works on them. The kernel drops the lock of a
process that dies, and the next process to claim removes its file. Claims in a folder are disjoint: keys held by others
are removed from a claim before it is written. Processes on several machines claim through `shared/claims.py`.
"""

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import polars as pl

from am_assets.runtime.locks import lock
from am_assets.storage.segments import disk_errors


class Claims(Protocol):
    """What keeps two processes from measuring the same row."""

    def claimed(self, namespace: str, keys: pl.DataFrame) -> AbstractContextManager[pl.DataFrame]:
        """Claim those of `keys` that no living process holds, until the block ends; yields them."""

    def lost(self) -> str | None:
        """Why what was claimed last may be another's by now; None while it is held."""


class LocalClaims:
    """Claims of the processes of this machine, in the folders of the memo."""

    def __init__(self, memo: Path):
        self.memo = memo

    def claimed(self, namespace: str, keys: pl.DataFrame) -> AbstractContextManager[pl.DataFrame]:
        return claimed(self.memo / namespace / "claims", keys)

    def lost(self) -> None:
        """Never: a process that lives holds its files."""


@contextmanager
def claimed(folder: Path, keys: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Claim those of `keys` (a column `key`) that no living process holds, until the block ends; yields them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.claim"
    with ExitStack() as stack:
        with (folder / ".claiming").open("a") as mutex:
            lock(mutex, wait=True)
            claim = stack.enter_context(path.open("wb"))  # under the mutex, else it looks abandoned
            stack.callback(path.unlink, missing_ok=True)
            lock(claim, wait=True)
            mine = keys.select("key")
            for held in _held_by_others(folder, path):
                mine = mine.join(held, on="key", how="anti", maintain_order="left")
            with disk_errors(path):
                mine.write_parquet(claim)
            claim.flush()
        yield mine


def _held_by_others(folder: Path, own: Path) -> Iterator[pl.DataFrame]:
    for path in folder.glob("*.claim"):
        if path == own:
            continue
        try:
            with path.open("rb") as file:
                if lock(file, shared=True):  # held by no living process
                    path.unlink(missing_ok=True)
                else:
                    yield pl.read_parquet(path)
        except FileNotFoundError:
            continue  # released meanwhile
