"""A growing table as a folder of immutable Parquet files, each whole or absent, merged as they become many.

A segment is written aside, flushed to disk and renamed, so a crash or a power cut leaves no half of one. Its name
begins with the time of writing (in the order of names, rows stand in the order in which they were stored) and its size.
Any number of processes may append, read and merge at once; on object storage the rename is the upload. What the rows
mean is the memo's business.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import polars as pl

from am_assets.storage.atomic import flush

T = TypeVar("T")
SMALL_BYTES = 4_000_000  # in memory; a segment under this is merged with its neighbours
SIZE_DIGITS = 12
FEWEST = 16  # neighbours worth a merge
ROW_GROUP = 4096
ABANDONED_SECONDS = 86_400  # a file still aside after a day has no writer any more
LOOKS = 5  # listings that may be outdated by merges in a row before merges are held up


class DamagedSegment(RuntimeError):
    """A stored file is not what was written."""


def listed(folder: Path) -> list[Path]:
    """The segments, those stored first first.

    A folder is listed in pieces, so that a merge in between may hide both the merged file and its parts: what counts is
    what two listings in a row agree on.
    """
    paths: list[Path] | None = None
    while paths != (again := sorted(folder.glob("*.parquet"))):
        paths = again
    return again


def write(folder: Path, frame: pl.DataFrame) -> None:
    """Store `frame` as one segment. Returns when it would survive a power cut."""
    folder.mkdir(parents=True, exist_ok=True)
    _publish(frame, folder, f"{time.time_ns():020d}")


def look(folder: Path, read: Callable[[list[Path]], T]) -> T:
    """`read` of the segments as they are, again when one of them was merged away meanwhile.

    On a busy machine merges may always be faster: after `LOOKS` tries they wait for the reader.
    """
    for _ in range(LOOKS):
        with suppress(FileNotFoundError):
            return _read_whole(listed(folder), read)
    with _alone(folder, wait=True):
        return _read_whole(listed(folder), read)


def _read_whole(paths: list[Path], read: Callable[[list[Path]], T]) -> T:
    """`read` of the segments; `DamagedSegment` where one of them is not what was written."""
    try:
        return read(paths)
    except pl.exceptions.ComputeError as error:
        if broken := _damaged(paths):
            raise DamagedSegment(
                f"{broken}: not a whole Parquet file. Put a copy of it back, or move it away to have its rows"
                f" measured (and paid for) again: {error}"
            ) from None
        raise


def merge(folder: Path) -> None:
    """Merge runs of small neighbours into one segment each, unless another process is at it.

    The merged file is in place before its parts go, so that a reader sees rows once or twice and never not at all.
    """
    with _alone(folder) as alone:
        if not alone:
            return
        for path in folder.glob("*.aside"):
            with suppress(FileNotFoundError):  # its writer was done meanwhile
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
        for run in list(_runs(listed(folder))):
            rows = pl.concat([pl.read_parquet(path) for path in run], how="diagonal")
            if rows["key"].is_duplicated().any():
                rows = rows.unique("key", keep="first", maintain_order=True)
            _publish(rows, folder, run[0].name.partition("-")[0])
            _remove(run)


def keep_only(folder: Path, wanted: pl.DataFrame) -> int:
    """Rewrite every segment without the rows whose `key` is not in `wanted`; the number of rows that went."""
    gone = 0
    with _alone(folder) as alone:
        if not alone:
            raise BlockingIOError(f"{folder}: another process is merging; try again in a moment")
        for path in listed(folder):
            rows = pl.read_parquet(path)
            kept = rows.join(wanted, on="key", how="semi", maintain_order="left")
            if kept.height < rows.height:
                if kept.height:
                    _publish(kept, folder, path.name.partition("-")[0])
                _remove([path])
                gone += rows.height - kept.height
    return gone


def write_durably(frame: pl.DataFrame, aside: Path, target: Path) -> None:
    """Write `frame` as Parquet under a name of its own, flush it, then rename it into place."""
    try:
        with aside.open("wb") as file:
            # Level 1 takes two thirds of the default's time, and tables of ids come out no larger.
            frame.write_parquet(file, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    except BaseException as error:
        aside.unlink(missing_ok=True)  # on a full disk its bytes are needed
        if isinstance(error, OSError | pl.exceptions.ComputeError):  # polars makes the latter of an error of the disk
            raise OSError(f"{target}: {str(error).rpartition('IO error: ')[2]}") from None
        raise
    flush(target.parent)


def _publish(frame: pl.DataFrame, folder: Path, time_of_writing: str) -> None:
    name = f"{time_of_writing}-{int(frame.estimated_size()):0{SIZE_DIGITS}d}-{uuid.uuid4().hex}"
    write_durably(frame, folder / f"{name}.aside", folder / f"{name}.parquet")


def _runs(paths: list[Path]) -> Iterator[list[Path]]:
    """Small segments that follow one another, in parts that make about one segment that is not small."""
    for small, neighbours in groupby(paths, lambda path: _size(path) < SMALL_BYTES):
        part: list[Path] = []
        size = 0
        for path in neighbours if small else ():
            part.append(path)
            size += _size(path)
            if size >= SMALL_BYTES:
                yield part
                part, size = [], 0
        if len(part) >= FEWEST:
            yield part


def _size(path: Path) -> int:
    """Bytes in memory, which the name tells: text takes many times its compressed size."""
    told = path.name.partition("-")[2].partition("-")[0]
    return int(told) if told.isdigit() and len(told) == SIZE_DIGITS else path.stat().st_size


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _damaged(paths: list[Path]) -> Path | None:
    for path in paths:
        try:
            pl.read_parquet(path)
        except pl.exceptions.ComputeError:
            return path
    return None


@contextmanager
def _alone(folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether this is the only process that rewrites segments of `folder`; the kernel frees the place of a dead one."""
    with (folder / ".merging").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
