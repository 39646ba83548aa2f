"""Atomic writes: files and folders are written under a temporary name, flushed to disk, then renamed into place.

Every file of the project that must never be seen half written goes through here. Nothing here knows the content.

    with file_aside(path) as aside:
        aside.write_bytes(content)  # `path` has the new content, or the old one, whatever happens
"""

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from am_assets.runtime.locks import lock
from am_assets.storage.copies import ANY, DISK, of

OS_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def file_aside(target: Path, aside: Path | None = None, over: str | None = ANY) -> Iterator[Path]:
    """Yield a path to write to; on success the file there is flushed and replaces `target`, on error it is removed.

    `aside` is the temporary path, in the folder of `target`; a hidden name that is unique if not given. `over`: the tag
    of what it replaces, else `Changed`, where a store tells.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = aside or target.with_name(f".{target.name}.{uuid.uuid4().hex}.aside")
    try:
        yield aside
        flush(aside)
        of(target).keep(target, aside, over)
        aside.replace(target)
    except BaseException:
        aside.unlink(missing_ok=True)  # on a full disk its bytes are needed
        raise
    flush(target.parent)


@contextmanager
def version_aside(target: Path) -> Iterator[Path]:
    """`file_aside` for `<name>.<version>.<suffix>`: on success the other versions of that name are deleted."""
    with file_aside(target) as aside:
        yield aside
    keeper, (name, _, suffix) = of(target), target.name.rsplit(".", 2)
    there = {*keeper.names(target.parent, suffix), *DISK.names(target.parent, suffix)}
    others = [one for one in there - {target.name} if one.rsplit(".", 2)[::2] == [name, suffix]]  # a name may have dots
    keeper.remove([target.with_name(one) for one in others])


def write_whole(target: Path, text: str) -> None:
    """Write a text file (UTF-8) atomically. Returns when it would survive a power cut."""
    with file_aside(target) as aside:
        aside.write_text(text, encoding="utf-8")


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Yield a fresh folder beside `target` that replaces it on success and is removed on error."""
    with folder_beside(target) as aside:
        aside.chmod(0o755)  # mkdtemp makes it private; the result is for every reader of the assets folder
        yield aside
        publish(aside, target)


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Yield a fresh folder beside `target` that is removed when the block ends.

    A writer holds a lock on its folder, which the kernel drops when the writer is killed: the next writer of `target`
    then removes what was left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(target)
    with _temporary_folder(target) as folder:
        yield folder


def publish(aside: Path, target: Path) -> None:
    """Put the folder `aside` in the place of `target`, for all who share it."""
    keeper = of(target)
    keeper.keep_folder(target, aside)
    publish_here(aside, target)
    keeper.kept_folder(target)


def publish_here(aside: Path, target: Path) -> None:
    """Flush the folder `aside` and rename it to `target`; a previous `target` is removed last."""
    for path in [*sorted(aside.rglob("*")), aside]:
        flush(path)
    if target.exists():
        with _temporary_folder(target) as previous:
            target.rename(previous)
            aside.rename(target)
    else:
        aside.rename(target)
    flush(target.parent)


def flush(path: Path) -> None:
    """fsync a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def error_number(error: Exception) -> int | None:
    """The number of a disk error, which polars says in words."""
    said = OS_ERROR.search(str(error))
    return getattr(error, "errno", None) or (int(said[1]) if said else None)


@contextmanager
def _temporary_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, locked; whatever has its path when the block ends is removed."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}~", dir=target.parent))
        with locked(folder, wait=True) as ours:
            if not ours:
                continue  # another writer removed it as abandoned before it was locked
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


def _remove_abandoned(target: Path) -> None:
    for folder in target.parent.glob(f".{target.name}~*"):
        with locked(folder, wait=False) as abandoned:
            if abandoned:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(folder: Path, wait: bool = True) -> Iterator[bool]:
    """Lock `folder` for the block; False where it does not exist or, without `wait`, another process holds the lock."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        yield lock(handle, wait=wait) and _is_still(folder, handle)
    finally:
        os.close(handle)


def _is_still(folder: Path, handle: int) -> bool:
    """Whether `folder` is the one of `handle`: it may have been removed, and made again, meanwhile."""
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except FileNotFoundError:
        return False
