"""An append-only table as a folder of immutable Parquet segments, compacted in the background.

Segments are written atomically, so that a crash or a power cut leaves none half written. Their names begin with the
time of writing, so that they sort by it, and the size in memory. Any number of processes may append, read and merge at
once. The meaning of the rows belongs to `memo.py`.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.config.vocabulary import FINISH_REASONS
from am_assets.storage.atomic import error_number, file_aside
from am_assets.storage.copies import ANY, of

T = TypeVar("T")
SMALL_BYTES = 16_000_000  # in memory; smaller segments are merged
SIZE_DIGITS = 12
MIN_RUN = 16  # adjacent small segments that are worth a merge
ROW_GROUP = 4096  # rows, and fewer of long texts:
GROUP_BYTES = 16_000_000  # in memory
ABANDONED_SECONDS = 86_400  # a temporary file older than a day was left by a dead writer
MAX_ATTEMPTS = 5  # reads that concurrent merges may invalidate before the reader blocks merges
KEYS = pl.Schema({"key": pl.String, "finish_reason": pl.String})  # the latter of a model's answers only
INTERRUPTED = ~pl.col("finish_reason").str.to_lowercase().is_in([*FINISH_REASONS]).fill_null(True)


class DamagedSegment(ConfigError):
    """A segment is not a valid Parquet file."""


def listed(folder: Path) -> list[Path]:
    """The segments of a folder, oldest first.

    Reading a directory is not atomic, and a concurrent merge may hide both the merged file and its parts: the listing
    is repeated until two in a row agree.
    """
    paths: list[Path] | None = None
    while paths != (again := of(folder).paths(folder, ".parquet")):
        paths = again
    return again


def keys(paths: list[Path], at: str | None = None, path: str | None = None) -> pl.LazyFrame:
    """The `key` of all rows, without answers of a model that were interrupted; on request the number of the row in its
    segment as `at`, and the segment as `path`."""
    rows = pl.scan_parquet(
        paths,
        schema=KEYS,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
        row_index_name=at,
        include_file_paths=path,
    )
    return rows.filter(~INTERRUPTED).drop("finish_reason")


def whole(paths: list[Path]) -> list[pl.LazyFrame]:
    """The rows of each segment; `DamagedSegment` names the file where one is not valid."""
    with _whole(paths):
        scans = [pl.scan_parquet(path, glob=False) for path in paths]
        for scan in scans:
            scan.collect_schema()
    return scans


def having(paths: list[Path], wanted: pl.DataFrame, schema: pl.Schema) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """By segment, in order: those of `wanted` that it has and no earlier one, and its rows of their keys."""
    for path, ours in _by_segment(paths, wanted):
        hits = keys([path], at="at").join(ours.lazy(), on="key", how="semi")
        first, last = hits.select(first=pl.min("at"), last=pl.max("at")).collect(engine="streaming").row(0)
        table = pl.scan_parquet(path, glob=False)
        there = table.collect_schema()
        rows = table.select(name for name in schema if name in there).slice(first, last - first + 1).collect()
        part = rows.join(ours, on="key", how="semi", maintain_order="left")
        yield ours, part.match_to_schema(schema, missing_columns="insert", extra_columns="ignore")


def nulls(path: Path) -> dict[str, int | None]:
    """By column of a segment how many are null, by what the file says of itself; None where it does not."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
        names = file.metadata.schema.names
    told = {name: [group.column(at).statistics for group in groups] for at, name in enumerate(names)}
    return {
        name: sum(one.null_count for one in found) if all(one and one.has_null_count for one in found) else None
        for name, found in told.items()
    }


def write(folder: Path, frame: pl.DataFrame) -> None:
    """Append `frame` as one segment. Returns when it would survive a power cut."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(frame, folder, f"{time.time_ns():020d}")


def read_consistently(folder: Path, read: Callable[[list[Path]], T]) -> T:
    """The result of `read` on the segments, repeated when a concurrent merge removed one of them.

    After `MAX_ATTEMPTS` the reader takes the merge lock, so that it is never starved by merges.
    """
    for _ in range(MAX_ATTEMPTS):
        with suppress(FileNotFoundError):
            return _checked(listed(folder), read)
    with of(folder).alone(folder, wait=True):
        return _checked(listed(folder), read)


def one_by_one(folder: Path, read: Callable[[list[Path]], Iterator[T]]) -> Iterator[T]:
    """The results of `read` on the segments as they come; `FileNotFoundError` when a concurrent merge removed one."""
    with _whole(paths := listed(folder)):
        yield from read(paths)


def _checked(paths: list[Path], read: Callable[[list[Path]], T]) -> T:
    """The result of `read`; `DamagedSegment` names the file where one is not valid."""
    with _whole(paths):
        return read(paths)


@contextmanager
def _whole(paths: list[Path]) -> Iterator[None]:
    """`DamagedSegment` that names the file where one of `paths` is not valid and can't be read."""
    try:
        yield
    except pl.exceptions.ComputeError as error:
        if broken := _damaged(paths):
            raise DamagedSegment(
                f"{broken}: not a whole Parquet file. Put a copy of it back, or move it away to have its rows"
                f" measured (and paid for) again: {error}"
            ) from None
        raise


def merge(folder: Path) -> None:
    """Merge runs of adjacent small segments into one each, unless another process is merging.

    The merged file is in place before its parts are removed: readers see a row once or twice, never not at all.
    """
    with of(folder).alone(folder, wait=False) as locked:
        if not locked:
            return
        for path in folder.glob("*.aside"):
            with suppress(FileNotFoundError):  # renamed or removed by its writer meanwhile
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()
        for run in list(_runs(listed(folder))):
            rows = pl.concat([pl.read_parquet(path) for path in run], how="diagonal")
            if rows["key"].is_duplicated().any():
                if "finish_reason" in rows.columns:  # of an answer and an interrupted one the former, which came later
                    rows = pl.concat([rows.filter(~INTERRUPTED), rows.filter(INTERRUPTED)])
                rows = rows.unique("key", keep="first", maintain_order=True)
            _write(rows, folder, run[0].name.partition("-")[0])
            of(folder).remove(run)


def keep_only(folder: Path, wanted: pl.DataFrame) -> int:
    """Delete the rows whose `key` is not in `wanted`; returns their number."""

    def has_others(path: Path) -> bool:
        known = whole([path])[0].select("key")
        return bool(known.join(wanted.lazy(), on="key", how="anti").limit(1).collect().height)

    return rewrite(folder, lambda rows: rows.join(wanted, on="key", how="semi", maintain_order="left"), has_others)


def rewrite(
    folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame], changes: Callable[[Path], bool] = lambda _: True
) -> int:
    """Replace the rows of each segment by what `change` makes of them; returns how many fewer there are. Segments that
    `changes` says no to are not read.

    What takes the place of a segment is there before that is removed. Waits for another process that is merging.
    """
    removed = 0
    with of(folder).alone(folder, wait=True):
        for path in filter(changes, listed(folder)):
            with _whole([path]):
                rows = pl.read_parquet(path)
            changed = change(rows)
            if not changed.equals(rows):
                if changed.height:
                    _write(changed, folder, path.name.partition("-")[0])
                of(folder).remove([path])
                removed += rows.height - changed.height
    return removed


def write_durably(frame: pl.DataFrame, aside: Path, target: Path, over: str | None = ANY) -> None:
    """Write `frame` as Parquet to `aside`, flush it, then rename it to `target`; `OSError` names the target. `over` as
    of `file_aside`."""
    with disk_errors(target), file_aside(target, aside, over), aside.open("wb") as file:
        # Level 1 takes two thirds of the time of the default, and tables of ids come out no larger.
        rows = max(1, min(ROW_GROUP, GROUP_BYTES * frame.height // max(1, int(frame.estimated_size()))))
        frame.write_parquet(file, compression="zstd", compression_level=1, row_group_size=rows)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise disk errors of the block as `OSError` that names `path`, with their number; polars raises some of them as
    `ComputeError`."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        told = OSError(f"{path}: {str(error).rpartition('IO error: ')[2]}")
        told.errno = error_number(error)
        raise told from None


def _write(frame: pl.DataFrame, folder: Path, time_of_writing: str) -> None:
    name = f"{time_of_writing}-{int(frame.estimated_size()):0{SIZE_DIGITS}d}-{uuid.uuid4().hex}"
    write_durably(frame, folder / f"{name}.aside", folder / f"{name}.parquet")


def _runs(paths: list[Path]) -> Iterator[list[Path]]:
    """Runs of adjacent small segments, each of about `SMALL_BYTES` together or at least `MIN_RUN` segments."""
    for small, neighbours in groupby(paths, lambda path: _size(path) < SMALL_BYTES):
        part: list[Path] = []
        size = 0
        for path in neighbours if small else ():
            part.append(path)
            size += _size(path)
            if size >= SMALL_BYTES:
                yield part
                part, size = [], 0
        if len(part) >= MIN_RUN:
            yield part


def _size(path: Path) -> int:
    """Bytes in memory, from the name: text takes many times its compressed size. Older names have no size."""
    size = path.name.partition("-")[2].partition("-")[0]
    return int(size) if size.isdigit() and len(size) == SIZE_DIGITS else path.stat().st_size


def _damaged(paths: list[Path]) -> Path | None:
    """The first of `paths` that is not a valid Parquet file."""
    for path in paths:
        try:
            pl.read_parquet(path)
        except pl.exceptions.ComputeError:
            return path
    return None


def _by_segment(paths: list[Path], wanted: pl.DataFrame) -> Iterator[tuple[Path, pl.DataFrame]]:
    """The rows of `wanted` by the first of `paths` that has their keys, in order; keys are read in one query, so that
    no segment is compared with all that is wanted."""
    if not paths or not wanted.height:
        return
    places = pl.Enum([str(path) for path in paths])
    found = keys(paths, path="path").with_columns(at=pl.col("path").cast(places).to_physical())
    held = found.join(wanted.lazy(), on="key", how="semi").group_by("key").agg(pl.col("at").min())
    placed = wanted.join(held.collect(engine="streaming"), on="key", maintain_order="left")
    for (at,), ours in placed.sort("at", maintain_order=True).group_by("at", maintain_order=True):
        yield paths[int(str(at))], ours.drop("at")
