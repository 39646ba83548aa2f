"""The memo: a persistent cache of every measurement ever made, keyed by what identifies the measurement.

A namespace is a folder of Parquet segments (`storage/segments.py`), one row per measurement: its key, the measured
columns, and the time of storing. Polars reads a namespace directly, where an earlier version may have stored fewer
columns: `pl.concat(map(pl.scan_parquet, Path("data/memo/<namespace>").glob("*.parquet")), how="diagonal")`.
Nothing here knows what is measured.

    wanted = with_keys(questions, "question", identity="model-a")
    table = Memo(folder).fill("embeddings", wanted, measure, schema).table
"""

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from json import JSONEncoder
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import polars as pl

from am_assets.runtime import progress
from am_assets.runtime.interrupts import deferring_interrupts
from am_assets.storage import segments
from am_assets.storage.claims import Claims, LocalClaims
from am_assets.storage.copies import Changed, of
from am_assets.storage.portions import Split, portions

Measure = Callable[[pl.DataFrame], Iterable[pl.DataFrame]]
Frames = Generator[pl.DataFrame, None, Any]
Notes = Mapping[str, str]
NO_NOTES: Notes = MappingProxyType({})
KEY = pl.Schema({"key": pl.String})
OWNERS = pl.Schema({"key": pl.String, "question_id": pl.String, "response_id": pl.String})
ASKED_FOR = "asked_for"  # a note beside answers: the recipes that they were asked for, comma-separated
OWNED = "owners"  # the folder of such notes within that of a namespace
KEY_DIGITS = 32
CANONICAL = JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
MERGE_EVERY = 64  # segments written
LOW_WATER_BYTES = 64_000_000  # free space that suffices to store what is in flight
WAIT_SECONDS = 1.0  # between checks for rows that another process is measuring


class MemoError(RuntimeError):
    """The store can't be written. Measurements that it acknowledged are safe."""


def key_of(*identity: Any) -> str:
    """The memo key of one measurement: the hash of the canonical JSON of everything that identifies it.

    >>> key_of("labels", {"b": 1, "a": 2}) == key_of("labels", {"a": 2, "b": 1})
    True
    """
    return sha256(CANONICAL.encode(identity).encode("utf-8", "surrogatepass")).hexdigest()[:KEY_DIGITS]


def with_keys(frame: pl.DataFrame, *columns: str, identity: Any = None) -> pl.DataFrame:
    """`frame` with a column `key`, hashed from `columns` and `identity`, which is common to all rows."""
    rows = frame.select(columns).iter_rows()
    return frame.with_columns(pl.Series("key", [key_of(identity, *row) for row in rows], dtype=pl.String))


@dataclass(frozen=True)
class FillResult:
    """`table`: the wanted rows joined with their measurements. `new`: the measurements made by this call."""

    table: pl.DataFrame
    new: pl.DataFrame


class Memo:
    """The memo in a folder; any number of processes may use it at once: those that make the same `claims`, which are
    those of one machine unless others are given."""

    def __init__(self, folder: Path, claims: Claims | None = None):
        self.folder = folder
        self.claims = claims or LocalClaims(folder)
        self._stored = 0

    def namespaces(self) -> list[str]:
        """The namespaces that hold rows, in alphabetical order."""
        return [name for name in of(self.folder).folders(self.folder) if segments.listed(self.folder / name)]

    def known(self, namespace: str) -> pl.LazyFrame | None:
        """All rows of a namespace, for reports; None where there are none."""
        scans = segments.whole(segments.listed(self.folder / namespace))
        return pl.concat(scans, how="diagonal") if scans else None

    def missing(self, namespace: str, wanted: pl.DataFrame) -> pl.DataFrame:
        """The rows of `wanted` (a column `key` and any others) not measured yet, one per key. Reads only keys."""

        def unseen(paths: list[Path]) -> pl.DataFrame:
            rows = _once(wanted)
            if not paths or not rows.height:
                return rows
            known = segments.keys(paths).join(rows.lazy(), on="key", how="semi").collect(engine="streaming")
            return rows.join(known, on="key", how="anti", maintain_order="left") if known.height else rows

        return segments.read_consistently(self.folder / namespace, unseen)

    def read(self, namespace: str, wanted: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
        """The stored measurements of the keys in `wanted`, as `schema`; of several with one key the earliest.

        A column that an older row lacks is null. Of a segment only the slice that holds wanted rows is read.
        """

        def found(paths: list[Path]) -> pl.DataFrame:
            rows = [part for _, part in segments.having(paths, _once(wanted.select("key")), schema)]
            return _once(pl.concat([pl.DataFrame(schema=schema), *rows]))

        return segments.read_consistently(self.folder / namespace, found)

    def batches(self, namespace: str, wanted: pl.DataFrame, schema: pl.Schema) -> Iterator[pl.DataFrame]:
        """The rows of `wanted` that are measured, joined with what `read` returns, in frames of a segment's rows at
        most; where a merge removes a segment meanwhile, what is left is looked for again."""
        left, done = wanted, [pl.DataFrame(schema=KEY)]

        def found(paths: list[Path]) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
            return segments.having(paths, left, schema)

        while left.height:
            with suppress(FileNotFoundError):
                for ours, part in segments.one_by_one(self.folder / namespace, found):
                    done.append(ours.select("key"))
                    yield ours.join(_once(part), on="key", maintain_order="left")
                return
            left = left.join(pl.concat(done), on="key", how="anti", maintain_order="left")

    def append(self, namespace: str, measured: pl.DataFrame, notes: Notes = NO_NOTES) -> None:
        """Store measurements (a column `key` and any others), with `notes` beside each: columns that no reader of
        measurements sees. Returns when they would survive a power cut."""
        now = pl.lit(datetime.now(UTC), pl.Datetime("ms", "UTC"))
        stamped = measured.with_columns(now.alias("stored_at"), *(pl.lit(note).alias(at) for at, note in notes.items()))
        segments.write(self.folder / namespace, stamped)
        self._stored += 1
        if self._stored % MERGE_EVERY == 0:
            segments.merge(self.folder / namespace)

    def note_wanted(self, namespace: str, by: str, wanted: pl.DataFrame) -> None:
        """Record the keys that `by` (a partition of an asset) uses now, for the removal of unreferenced entries."""
        folder = self.folder / namespace / "wanted"
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f"{by}.{uuid4().hex}.aside"
        segments.write_durably(_once(wanted.select("key")), aside, folder / f"{by}.parquet")
        if OWNERS.keys() & {*wanted.columns} - KEY.keys():
            self._note_owners(self.folder / namespace / OWNED / f"{by}.parquet", wanted)

    def _note_owners(self, path: Path, wanted: pl.DataFrame) -> None:
        """Add the questions and responses of `wanted` to those that keys were ever used for: what was measured of one
        that is gone can still be found, and removed."""
        owners = wanted.match_to_schema(OWNERS, missing_columns="insert", extra_columns="ignore")
        while True:
            tag = of(path).here(path)
            known = pl.read_parquet(path) if tag else owners.clear()
            new = owners.join(known, on=OWNERS.names(), how="anti", nulls_equal=True) if known.height else owners
            if not new.height:
                return
            path.parent.mkdir(exist_ok=True)
            aside, every = path.with_suffix(f".{uuid4().hex}.aside"), pl.concat([known, new])
            with suppress(Changed):
                segments.write_durably(every, aside, path, over=tag)
                return

    def owners(self, namespace: str) -> pl.DataFrame:
        """OWNERS of a namespace: the questions and responses that each key was ever used for, null where it has none.
        Nothing is known of what was last used before this was recorded."""
        notes = of(self.folder).paths(self.folder / namespace / OWNED, ".parquet")
        return pl.concat([pl.DataFrame(schema=OWNERS), *map(pl.read_parquet, notes)]).unique()

    def has_room(self) -> bool:
        """Whether the disk has at least `LOW_WATER_BYTES` free."""
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize >= LOW_WATER_BYTES

    def refused(self) -> str | None:
        """Why nothing more may be measured now, to be asked before what is expensive; None while it may."""
        if not self.has_room():
            return f"{self.folder}: less than {LOW_WATER_BYTES / 1e6:.0f} MB are free: free some space and run again"
        return self.claims.lost()

    def fill(
        self,
        namespace: str,
        wanted: pl.DataFrame,
        measure: Measure,
        schema: pl.Schema,
        notes: Notes = NO_NOTES,
        read: pl.Schema | None = None,
        split: Split | None = None,
    ) -> FillResult:
        """`wanted` with what is measured of it, after `complete`. Keys that `measure` leaves out are left out of the
        table. `read`: those columns of `schema` that the table gets; all by default."""
        new = self.complete(namespace, wanted, measure, schema, notes, split)
        return self.joined(namespace, wanted, new, read or schema)

    def joined(self, namespace: str, wanted: pl.DataFrame, new: pl.DataFrame, read: pl.Schema) -> FillResult:
        """`wanted` with the columns `read` of what is measured of it, of which the keys `new` are new."""
        found = self.read(namespace, wanted, read)
        table = wanted.join(found, on="key", how="inner", maintain_order="left")
        return FillResult(table, found.join(new, on="key", how="semi"))

    def help(self, namespace: str, wanted: pl.DataFrame, split: Split, schema: pl.Schema) -> None:
        """Measure what the memo lacks of `wanted` and nobody else measures, beside a process that fills."""
        missing = self.missing(namespace, wanted)
        self._store(namespace, missing, self._portions(namespace, missing, split), schema)

    def complete(
        self,
        namespace: str,
        wanted: pl.DataFrame,
        measure: Measure,
        schema: pl.Schema,
        notes: Notes = NO_NOTES,
        split: Split | None = None,
    ) -> pl.DataFrame:
        """Measure what the memo lacks of `wanted` (a column `key` and any others); returns the keys of what is new.

        `schema`: `key` and the measured columns. `measure` gets the missing rows, one per key, and yields frames of
        `schema`; each is stored before the next is requested, so that a crash loses at most one. `notes` are stored
        beside what is new. `split`: how other processes may help, whose measurements then count as made by this call.
        Waits for rows that another process is measuring.

        `MemoError` where the store can't be written, before anything is measured.
        """
        missing = self.missing(namespace, wanted)
        new = self._store(namespace, missing, self._measured(namespace, missing, measure, split), schema, notes)
        return missing.select("key") if split else new

    def _store(
        self, namespace: str, missing: pl.DataFrame, measured: Frames, schema: pl.Schema, notes: Notes = NO_NOTES
    ) -> pl.DataFrame:
        """Store `measured`, which is made of `missing`; its keys."""
        new = [pl.DataFrame(schema=KEY)]
        if missing.height:
            with (
                progress.task(namespace, missing.height) as advance,
                closing(deferring_interrupts(measured)) as frames,
            ):
                for frame in frames:
                    if frame.height:
                        with self._storing(namespace):
                            self.append(namespace, frame.match_to_schema(schema), notes)
                            if lost := self.claims.lost():
                                raise OSError(f"what was measured is stored; {lost}")
                        new.append(frame.select("key"))
                    advance(frame.height)
            segments.merge(self.folder / namespace)
        return pl.concat(new)

    def _measured(self, namespace: str, missing: pl.DataFrame, measure: Measure, split: Split | None = None) -> Frames:
        """What `measure` yields for those of `missing` that no other process measures first."""
        if split:
            ours = yield from self._portions(namespace, missing, split)
            missing = self.missing(namespace, missing.join(ours, on="key", how="anti", maintain_order="left"))
        while missing.height:
            with self._claiming(namespace, missing) as (ours, todo):
                if todo.height:
                    yield from measure(todo)
            missing = self.missing(namespace, missing.join(ours, on="key", how="anti", maintain_order="left"))
            if missing.height:
                time.sleep(WAIT_SECONDS)

    def _portions(
        self, namespace: str, missing: pl.DataFrame, split: Split
    ) -> Generator[pl.DataFrame, None, pl.DataFrame]:
        claiming, unseen = partial(self._claiming, namespace), partial(self.missing, namespace)
        return portions(missing, split, claiming, unseen)

    @contextmanager
    def _claiming(self, namespace: str, rows: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Those of `rows` that nobody else measures, until the block ends, and those of them not measured yet."""
        with ExitStack() as stack:
            with self._storing(namespace):
                mine = stack.enter_context(self.claims.claimed(namespace, rows))
            if reason := self.refused():
                raise MemoError(reason)
            all_mine = mine.height == rows.height
            ours = rows if all_mine else rows.join(mine, on="key", how="semi", maintain_order="left")
            yield ours, self.missing(namespace, ours)  # some may have been stored since the last look

    @contextmanager
    def _storing(self, namespace: str) -> Iterator[None]:
        """Raise disk errors as `MemoError`."""
        try:
            yield
        except OSError as error:
            raise MemoError(f"{self.folder / namespace}: can't store measurements: {error}") from error


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    """The first row of each key; `rows` itself where no key comes twice, so that the ids of a shard are held once."""
    first = rows["key"].is_first_distinct()  # `unique` takes four times the memory
    return rows if first.all() else rows.filter(first)
