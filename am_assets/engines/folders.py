"""Folders and texts that appear whole or not at all: written aside, flushed to disk, then renamed.

A writer that was killed leaves its folder behind; the next one removes it. Nothing here knows what they hold.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """A fresh folder beside `target` that takes its place when the block ends without an error, else is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in _abandoned(target):
        shutil.rmtree(left, ignore_errors=True)
    aside = _fresh(target)
    try:
        aside.chmod(0o755)  # mkdtemp makes it private; the result is for every reader of the assets folder
        yield aside
        publish(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def publish(aside: Path, target: Path) -> None:
    """Flushes `aside` and renames it to `target`; what stood there before goes last."""
    for path in [*sorted(aside.rglob("*")), aside]:
        flush(path)
    if target.exists():
        previous = _fresh(target)
        target.rename(previous)
        aside.rename(target)
        shutil.rmtree(previous)
    else:
        aside.rename(target)
    flush(target.parent)


def _fresh(target: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{_prefix(target)}{os.getpid()}~", dir=target.parent))


def _abandoned(target: Path) -> Iterator[Path]:
    """What processes of this machine that are no more have left beside `target`."""
    for path in target.parent.glob(f"{_prefix(target)}*"):
        if not psutil.pid_exists(int(path.name.split("~")[-2])):
            yield path


def _prefix(target: Path) -> str:
    return f".{target.name}~{socket.gethostname()}~"  # machines that share a disk number processes each for itself


def write_whole(path: Path, text: str) -> None:
    """A file of `text`, in place of the one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        aside = Path(folder, path.name)
        aside.write_text(text, encoding="utf-8")
        flush(aside)
        aside.replace(path)
    flush(path.parent)


def flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
