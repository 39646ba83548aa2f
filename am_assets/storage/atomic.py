"""Folders and texts that appear whole or not at all: written aside, flushed to disk, then renamed.

A writer holds a lock on its folder. The kernel drops the lock of one that was killed, and the next writer removes what
it left. Nothing here knows what the folders hold.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """A fresh folder beside `target` that takes its place when the block ends without an error, else is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(target)
    with _fresh(target) as aside:
        aside.chmod(0o755)  # mkdtemp makes it private; the result is for every reader of the assets folder
        yield aside
        publish(aside, target)


def publish(aside: Path, target: Path) -> None:
    """Flushes `aside` and renames it to `target`; what stood there before goes last."""
    for path in [*sorted(aside.rglob("*")), aside]:
        flush(path)
    if target.exists():
        with _fresh(target) as previous:
            target.rename(previous)
            aside.rename(target)
    else:
        aside.rename(target)
    flush(target.parent)


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, locked; what lies at its place when the block ends is removed."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}~", dir=target.parent))
        with _locked(folder, wait=True) as ours:
            if not ours:
                continue  # before it was locked, another writer took it for abandoned
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


def _remove_abandoned(target: Path) -> None:
    for folder in target.parent.glob(f".{target.name}~*"):
        with _locked(folder, wait=False) as nobodys:
            if nobodys:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, wait: bool) -> Iterator[bool]:
    """Whether `folder` is there and, for the block, locked by us."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _lock(handle, wait) and folder.exists()
    finally:
        os.close(handle)


def _lock(handle: int, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def write_whole(path: Path, text: str) -> None:
    """A file of `text`, in place of the one that was there."""
    with file_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def file_aside(path: Path) -> Iterator[Path]:
    """Where to write a file that takes the place of `path` when the block ends without an error, else is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        aside = Path(folder, path.name)
        yield aside
        flush(aside)
        aside.replace(path)
    flush(path.parent)


def flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
