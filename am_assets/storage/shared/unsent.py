"""Segments of the memo, which were paid for, beside it on the disk of a machine until the store has them.

Who sends one holds a lock on it, which the kernel drops with the process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from am_assets.runtime.locks import lock
from am_assets.storage.atomic import flush

UNSENT = ".unsent"


@contextmanager
def until_sent(path: Path, aside: Path) -> Iterator[None]:
    """Keep `aside`, which is to be `path`, beside that until the block has sent it; where it fails or is killed, the
    next look of this machine does."""
    beside = path.with_name(path.name + UNSENT)
    with aside.open("rb") as file:
        lock(file)  # by both names
        os.link(aside, beside)
        flush(beside.parent)
        yield
        beside.unlink()


def left(folder: Path) -> Iterator[tuple[Path, Path]]:
    """What nobody is sending: the path that it is to have, and where it lies until its turn is over."""
    for beside in folder.glob(f"*{UNSENT}"):
        with suppress(FileNotFoundError), beside.open("rb") as file:  # else another process sent it
            if lock(file) and beside.exists():
                yield beside.with_name(beside.name.removesuffix(UNSENT)), beside
                beside.unlink()
