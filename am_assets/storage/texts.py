"""Which files and rows hold one of some texts, in capital or small letters, whatever the form of the file."""

import mmap
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from am_assets.storage.stored import EXTENSION


def holding(folders: Iterable[Path], texts: list[str]) -> list[Path]:
    """The files within `folders` that hold one of `texts`, as a string of a Parquet table or as bytes, sorted."""
    if not texts:
        return []
    pattern = re.compile(b"|".join(re.escape(text.encode()) for text in texts), re.IGNORECASE)
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    return [path for path in files if (_in_table if path.suffix == EXTENSION else _in_bytes)(path, texts, pattern)]


def held(rows: pl.DataFrame, texts: list[str]) -> pl.Series:
    """Of each row, whether one of its strings, nested ones too, contains one of `texts`."""
    found = pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    if not texts:
        return found
    for column in rows.iter_columns():
        for at, strings in _strings(column, pl.int_range(rows.height, eager=True)):
            hits = strings.str.contains_any(texts, ascii_case_insensitive=True).fill_null(False)
            found = found.scatter(at.filter(hits).unique(), True)
    return found


def _strings(column: pl.Series, at: pl.Series) -> Iterator[tuple[pl.Series, pl.Series]]:
    """The strings within a column and the numbers of their rows, in series of equal length."""
    if column.dtype == pl.String:
        yield at, column
    elif isinstance(column.dtype, pl.Struct):
        for name in column.struct.fields:
            yield from _strings(column.struct.field(name), at)
    elif isinstance(column.dtype, pl.List | pl.Array):
        long = pl.DataFrame({"at": at, "one": column}).explode("one")
        yield from _strings(long["one"], long["at"])


def _in_table(path: Path, texts: list[str], _: re.Pattern[bytes]) -> bool:
    return bool(held(pl.read_parquet(path), texts).any())


def _in_bytes(path: Path, _: list[str], pattern: re.Pattern[bytes]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return pattern.search(content) is not None
