"""Tables larger than memory: written row group by row group, sorted by way of the disk, read in batches.

    written = write(frames, target, ["response_id"])  # beside `target`, which is as before until:
    written.publish()
    for batch in Stored(target).batches(["response_id", "response"]):
        ...

What is held in memory is bounded by the constants here, whatever the number of rows. A single row may be larger.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

import polars as pl

from am_assets.storage.atomic import flush, folder_beside
from am_assets.storage.copies import ANY, of
from am_assets.storage.segments import GROUP_BYTES, ROW_GROUP, disk_errors

RUN_BYTES = 128_000_000  # sorted in memory before it goes to disk
CHAT = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
LEVEL = 1  # of zstd: takes two thirds of the time of the default, and texts come out a twelfth larger


@dataclass(frozen=True)
class Stream:
    """What a body may return in place of a frame: frames of a table's columns, which together are sorted by its primary
    key, or in no order where they are `unsorted`. `told` gives metadata when all of them were made."""

    frames: Iterable[pl.DataFrame]
    told: Callable[[], dict[str, Any]] = dict
    unsorted: bool = False


@dataclass(frozen=True)
class Stored:
    """A stored table that is read a row group at a time."""

    path: Path

    def lazy(self) -> pl.LazyFrame:
        return pl.scan_parquet(self.path, glob=False)

    def rows(self) -> int:
        return sum(rows for rows, _, _ in self._groups())

    def batches(self, columns: Sequence[str] | None = None, ids: pl.Series | None = None) -> Iterator[pl.DataFrame]:
        """The rows in order, in frames that are not empty; those with `ids`, which the table is sorted by, are found
        without reading row groups that have none."""
        table = self.lazy() if columns is None else self.lazy().select(columns)
        at = 0
        for rows, first, last in self._groups(None if ids is None else ids.name):
            if rows and (ids is None or first is None or ids.is_between(first, last).any()):
                frame = table.slice(at, rows).collect()
                found = frame if ids is None else frame.filter(pl.col(ids.name).is_in(ids.implode()))
                if found.height:
                    yield found
            at += rows

    def mapped(self, columns: Sequence[str], where: pl.Expr | bool = True) -> pl.DataFrame:
        """Some columns of the rows that `where` holds of, mapped into memory: for joins with batches of another."""
        empty = self.lazy().select(columns).head(0).collect()
        return mapped(chain([empty], (rows.filter(where) for rows in self.batches(columns))), self.path)

    def spread(self, most: int) -> pl.DataFrame:
        """Up to `most` rows at even distances."""
        rows = self.rows()
        step = max(1, rows // most)
        return pl.concat(
            [self.lazy().head(0), *(self.lazy().slice(at, 1) for at in range(0, rows, step)[:most])]
        ).collect()

    def _groups(self, column: str | None = None) -> list[tuple[int, Any, Any]]:
        """Of each row group the number of rows, and the least and largest value of a column where these are known."""
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(self.path) as file:
            groups = [file.metadata.row_group(at) for at in range(file.metadata.num_row_groups)]
            place = file.metadata.schema.names.index(column) if column else None
        told = [None if place is None else group.column(place).statistics for group in groups]
        return [
            (group.num_rows, *((one.min, one.max) if one and one.has_min_max else (None, None)))
            for group, one in zip(groups, told, strict=True)
        ]


@dataclass(frozen=True)
class Written:
    """A table that was written beside `target`."""

    aside: Path
    target: Path
    rows: int
    version: str
    _folder: ExitStack

    def publish(self) -> None:
        """Put it in the place of `target`. Returns when it would survive a power cut."""
        with self._folder, disk_errors(self.target):
            flush(self.aside)
            of(self.target).keep(self.target, self.aside, ANY)
            self.aside.replace(self.target)
            flush(self.target.parent)


class Unsorted(ValueError):
    """Frames of a stream are not in the order of their key, or have a key twice."""


def write(frames: Iterable[pl.DataFrame], empty: pl.DataFrame, target: Path, key: Sequence[str]) -> Written:
    """Write `frames` (each of the columns of `empty`; at least one row or none at all) beside `target`.

    `Unsorted` where keys do not ascend. While a group is compressed, the next one is made.
    """
    import pyarrow.parquet

    digest, rows = Digest(), 0
    schema = empty.to_arrow().schema
    with ExitStack() as stack, disk_errors(target):
        aside = stack.enter_context(folder_beside(target)) / target.name
        with (
            pyarrow.parquet.ParquetWriter(aside, schema, compression="zstd", compression_level=LEVEL) as writer,
            ThreadPoolExecutor(1) as pool,
        ):
            compressed: Future[Any] = pool.submit(bool)
            for group in ascending(groups(frames, GROUP_BYTES, ROW_GROUP), key):
                rows += group.height
                digest.add(group)
                arrow = group.to_arrow().cast(schema)
                compressed.result()
                compressed = pool.submit(writer.write_table, arrow, group.height)  # without polars: see Digest
            compressed.result()
        if not rows:
            digest.add(empty)
        return Written(aside, target, rows, digest.version(), stack.pop_all())


class Digest:
    """A hash of the content of a table that arrives in parts. That of a single part is `content_version` of it.

    Threads of polars write to it, which wait for the interpreter: while another thread holds that and waits for threads
    of polars, both wait for ever. So it is used where no other thread uses polars.
    """

    def __init__(self) -> None:
        self.hash = sha256()

    def add(self, frame: pl.DataFrame) -> None:
        frame.rechunk().write_parquet(
            cast("IO[bytes]", self), compression="uncompressed", statistics=False, row_group_size=131_072
        )

    def version(self) -> str:
        return self.hash.hexdigest()[:32]

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return len(data)

    def flush(self) -> None:
        """A file for polars, which flushes what it wrote."""


def content_version(frame: pl.DataFrame) -> str:
    """A hash of the content, 32 hex digits: the same rows in the same order give the same version."""
    digest = Digest()
    digest.add(frame)
    return digest.version()


def groups(frames: Iterable[pl.DataFrame], most: int, rows: int) -> Iterator[pl.DataFrame]:
    """The rows of `frames` in frames of at most `most` bytes of text, or one row, and at most `rows` rows: the same
    ones however the rows arrive."""
    held: list[pl.DataFrame] = []
    count, size = 0, 0
    for frame in frames:
        start = 0
        for at, length in enumerate(text_bytes(frame).to_list()):
            if count and (count == rows or size + length > most):
                yield pl.concat([*held, frame.slice(start, at - start)])
                held, start, count, size = [], at, 0, 0
            count, size = count + 1, size + length
        if start < frame.height:
            held.append(frame.slice(start))
    if held:
        yield pl.concat(held)


def text_bytes(frame: pl.DataFrame) -> pl.Series:
    """The bytes of text in each row, those of chats too, those within other lists left out."""
    texts = [pl.col(name).str.len_bytes() for name, kind in frame.schema.items() if kind == pl.String]
    chats = [
        pl.col(name).list.eval(pl.element().struct.field("content").str.len_bytes()).list.sum()
        for name, kind in frame.schema.items()
        if kind == CHAT
    ]
    sizes = [size.fill_null(0) for size in [*texts, *chats]]
    return frame.select(size=pl.sum_horizontal(pl.repeat(0, pl.len(), dtype=pl.UInt64), *sizes))["size"]


def ascending(frames: Iterable[pl.DataFrame], key: Sequence[str]) -> Iterator[pl.DataFrame]:
    """`frames`; `Unsorted` before the first one that holds a key not above the one before it."""
    last: tuple[Any, ...] | None = None
    for frame in frames:
        rows = frame.select(key).rows()
        for row in rows:
            if last is not None and not last < row:
                raise Unsorted(f"{', '.join(map(str, row))} follows {', '.join(map(str, last))}")
            last = row
        yield frame


def in_order(frames: Iterable[pl.DataFrame], key: str, beside: Path) -> Iterator[pl.DataFrame]:
    """The rows of `frames` sorted by `key`, a column of texts. What is more than RUN_BYTES is sorted in runs, which are
    `mapped` until they are merged. While one is sorted and written, the rows of the next are made."""
    runs: list[pl.DataFrame] = []
    held: list[pl.DataFrame] = []
    size = 0
    with ThreadPoolExecutor(1) as pool:
        written: Future[pl.DataFrame] | None = None
        for frame in frames:
            held.append(frame)
            size += int(frame.estimated_size())
            if size >= RUN_BYTES:
                if written:
                    runs.append(written.result())
                written = pool.submit(_run, held, key, beside)
                held, size = [], 0
        if written:
            runs.append(written.result())
    if held:
        runs.append(pl.concat(held).sort(key))
    return _merged(runs, key)


def _run(rows: list[pl.DataFrame], key: str, beside: Path) -> pl.DataFrame:
    return mapped([pl.concat(rows).sort(key)], beside)


def _merged(runs: list[pl.DataFrame], key: str) -> Iterator[pl.DataFrame]:
    """The rows of sorted `runs`, in frames of about GROUP_BYTES."""
    if len(runs) < 2:
        yield from runs
        return
    sizes = [run.select(key, run=pl.lit(number), size=text_bytes(run)) for number, run in enumerate(runs)]
    places = pl.concat(sizes).sort(key).with_columns(part=pl.col("size").cum_sum() // GROUP_BYTES)
    starts = [0] * len(runs)
    counts = places.group_by("part", "run", maintain_order=True).agg(rows=pl.len())
    for _, part in counts.group_by("part", maintain_order=True):
        slices = []
        for _, run, rows in part.iter_rows():
            slices.append(runs[run].slice(starts[run], rows))
            starts[run] += rows
        yield pl.concat(slices).sort(key)


def mapped(frames: Iterable[pl.DataFrame], beside: Path) -> pl.DataFrame:
    """The rows of `frames`, one or more, as a file on the disk of `beside` that is mapped into memory and has no name
    any more: its pages are the kernel's to drop and to read again, and its bytes are free when the frame is."""
    import pyarrow

    oldest = pl.CompatLevel.oldest()  # has texts in the order of the rows, so that what is read together lies so
    parts = (frame.to_arrow(compat_level=oldest) for frame in frames)
    with disk_errors(beside), folder_beside(beside) as folder:
        first = next(parts)
        with pyarrow.ipc.new_file(folder / "rows", first.schema) as file:
            for part in chain([first], parts):
                file.write_table(part)
        rows = pyarrow.ipc.open_file(pyarrow.memory_map(str(folder / "rows"))).read_all()
    return cast("pl.DataFrame", pl.from_arrow(rows))
