"""The memo: every measurement ever made, so that none is made twice.

A namespace is a folder of immutable Parquet segments, each written aside, flushed to disk and renamed. A segment is
therefore whole or absent, several processes may append at once, and one Polars line reads it all:
`pl.scan_parquet("data/memo/<namespace>/*.parquet")`. Nothing here knows what is measured.
"""

import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.engines import progress
from am_assets.engines.folders import flush

Measure = Callable[[pl.DataFrame], Iterable[pl.DataFrame]]


def key_of(*identity: Any) -> str:
    """The memo key of one measurement: a hash of everything that identifies it, as canonical JSON."""
    text = dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def with_keys(frame: pl.DataFrame, *columns: str, identity: Any = None) -> pl.DataFrame:
    """`frame` with a `key` column hashed from `columns` and what is the same for all rows."""
    rows = frame.select(columns).iter_rows()
    return frame.with_columns(pl.Series("key", [key_of(identity, *row) for row in rows], dtype=pl.String))


@dataclass(frozen=True)
class Filled:
    """`table`: every wanted row joined with its measurement. `new`: the measurements made by this call."""

    table: pl.DataFrame
    new: pl.DataFrame


class Memo:
    def __init__(self, folder: Path):
        self.folder = folder

    def known(self, namespace: str) -> pl.LazyFrame | None:
        """All measurements of a namespace, one row a key, the earliest stored; None when there are none."""
        segments = sorted((self.folder / namespace).glob("*.parquet"))
        if not segments:
            return None
        return pl.scan_parquet(segments, missing_columns="insert", glob=False)

    def append(self, namespace: str, measured: pl.DataFrame) -> None:
        """Store measurements (a `key` column and any others). Returns when they would survive a power cut."""
        folder = self.folder / namespace
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{len(os.listdir(folder)):08d}-{uuid.uuid4().hex}"
        aside = folder / f"{name}.aside"
        write_durably(measured, aside, folder / f"{name}.parquet")

    def fill(self, namespace: str, wanted: pl.DataFrame, measure: Measure, schema: pl.Schema) -> Filled:
        """Join `wanted` (a `key` column and any others) with the memo, after measuring what the memo lacks.

        `schema` is what one measurement is: `key` and the measured columns.

        `measure` gets the missing rows, one a key, and yields frames of `key` and measured columns as they come; each
        is stored before the next is asked for, so a crash loses at most one. A key that `measure` leaves out is
        left out of the table too: it is not known.
        """
        missing = wanted.unique("key", keep="first", maintain_order=True)
        known = self.known(namespace)
        if known is not None:
            keys = known.select("key").unique().collect()
            missing = missing.join(keys, on="key", how="anti", maintain_order="left")
        new = []
        if missing.height:
            with progress.task(namespace, missing.height) as advance:
                for measured in measure(missing):
                    new.append(measured.match_to_schema(schema))
                    if measured.height:
                        self.append(namespace, new[-1])
                    advance(measured.height)
            known = self.known(namespace)
        if known is None:
            known = pl.LazyFrame(schema=schema)
        found = known.join(wanted.lazy().select("key").unique(), on="key", how="semi", maintain_order="left").collect()
        found = found.unique("key", keep="first", maintain_order=True)
        table = wanted.join(found, on="key", how="inner", maintain_order="left")
        return Filled(table, pl.concat([pl.DataFrame(schema=schema), *new]))


def write_durably(frame: pl.DataFrame, aside: Path, target: Path) -> None:
    """Write `frame` as Parquet under a name of its own, flush it, then rename it into place."""
    with aside.open("wb") as file:
        frame.rechunk().write_parquet(file, compression="zstd", row_group_size=131_072)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, target)
    flush(target.parent)
