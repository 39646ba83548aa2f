"""From a data file to Polars frames of the requested columns; every row is kept, no type is guessed.

The types of columns belong here; their meaning belongs to `adapters/`, the places of files to `locate.py`. A file is
read in batches to bound memory. A value of the wrong type is a `SourceError` naming file, line and field. Polars' own
JSON reader is not used: it turns a column of mixed types into text and reports no line.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import polars as pl

from am_assets.datasets.locate import SourceError
from am_assets.datasets.records import Record, read_records

BATCH_ROWS = 5_000
FORMATS = [".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".parquet"]
ABSENT = object()
LISTS = ["texts", "scalars"]
Kind = Literal["text", "scalar", "texts", "scalars", "json"]


@dataclass(frozen=True)
class Column:
    """A requested column. `path` is its name, or steps into structs and lists: `messages.0.content`.

    Kinds and how they are returned:

    text     text
    scalar   text or a number, as text
    texts    a list of text
    scalars  a list of text and numbers, or a single one, as a list of text
    json     any value, as JSON text; a string is taken to be JSON text already

    Null is allowed in every kind. An absent column reads as null; it is an error where it is `required`, or where its
    substitute, the column `unless`, is absent too.
    """

    path: str
    kind: Kind = "text"
    required: bool = False
    unless: str | None = None


def read_batches(path: Path, columns: dict[str, Column]) -> Iterator[pl.DataFrame]:
    """Frames of `line` (1-based; the row number in Parquet) and the columns by key, in file order.

    `SourceError` for an unknown format and a file without rows. NUL characters and lone surrogates become U+FFFD, since
    readers of Parquet and the tools behind them reject them.

    >>> for frame in read_batches(Path("gsm8k.jsonl"), {"answer": Column("answer", required=True)}): ...
    """
    if not path.name.endswith(tuple(FORMATS)):
        raise SourceError(f"{path}: unknown format; expected one of {' '.join(FORMATS)}")
    frames = _parquet_batches if path.name.endswith(".parquet") else _json_batches
    empty = True
    for frame in frames(path, columns):
        empty = False
        yield frame
    if empty:
        raise SourceError(f"{path}: holds no rows")


def _json_batches(path: Path, columns: dict[str, Column]) -> Iterator[pl.DataFrame]:
    records = read_records(path)
    while batch := list(islice(records, BATCH_ROWS)):
        lines = pl.Series("line", [line for line, _ in batch], dtype=pl.UInt32)
        series = [
            pl.Series(
                name,
                [_value(record, column, f"{path}:{line}") for line, record in batch],
                dtype=pl.List(pl.String) if column.kind in LISTS else pl.String,
            )
            for name, column in columns.items()
        ]
        yield pl.DataFrame([lines, *series])


def _value(record: Record, column: Column, where: str) -> Any:
    value = _walk(record, column.path)
    if value is ABSENT:
        if column.required or (column.unless and _walk(record, column.unless) is ABSENT):
            raise SourceError(f"{where}: no field `{column.path}`; the line has {', '.join(record) or 'no fields'}")
        return None
    return None if value is None else _converted(value, column.kind, f"{where}: field `{column.path}`")


def _converted(value: Any, kind: Kind, where: str) -> Any:
    if kind == "json" and not isinstance(value, str):
        return clean(json.dumps(value, ensure_ascii=False))
    if kind == "scalars":
        items = value if isinstance(value, list) else [value]
        return [_converted(item, "scalar", where) for item in items if item is not None]
    if kind == "texts" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return [clean(item) for item in value]
    if kind == "scalar" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if kind != "texts" and isinstance(value, str):
        return clean(value)
    raise SourceError(f"{where}: expected {kind}, found {type(value).__name__}")


def _walk(record: Record, path: str) -> Any:
    """The value at a path; a field whose name has dots in it goes first."""
    if path in record:
        return record[path]
    value: Any = record
    for step in path.split("."):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return ABSENT
    return value


def clean(text: str) -> str:
    """`text` with NUL and lone surrogates, which JSON can escape, replaced by U+FFFD."""
    text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _parquet_batches(path: Path, columns: dict[str, Column]) -> Iterator[pl.DataFrame]:
    try:
        schema = pl.read_parquet_schema(path)
        found = {name: _expression(column, schema, path) for name, column in columns.items()}
        frame = pl.scan_parquet(path, glob=False).select(**found).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{path}: can't be read as Parquet: {error}") from None
    typed = [_typed(frame[name], column, path) for name, column in columns.items()]
    yield from pl.DataFrame(typed).with_row_index("line", offset=1).iter_slices(BATCH_ROWS)


def _expression(column: Column, schema: dict[str, pl.DataType], path: Path) -> pl.Expr:
    """The column at its path; a null literal where the schema has no such path and the column is optional."""
    steps = [column.path] if column.path in schema else column.path.split(".")
    dtype: Any = schema.get(steps[0])
    expression = pl.col(steps[0])
    for step in steps[1:]:
        if isinstance(dtype, pl.List) and step.isdigit():
            dtype, expression = dtype.inner, expression.list.get(int(step), null_on_oob=True)
        elif isinstance(dtype, pl.Struct):
            dtype = {field.name: field.dtype for field in dtype.fields}.get(step)
            expression = expression.struct.field(step)
        else:
            dtype = None
    if dtype is not None:
        return expression
    if column.required or (column.unless and column.unless not in schema):
        raise SourceError(f"{path}: no column `{column.path}`; the file has {', '.join(schema)}")
    return pl.lit(None, dtype=pl.String)


def _typed(series: pl.Series, column: Column, path: Path) -> pl.Series:
    """The series as its kind is returned; `SourceError` where its dtype is none of the kind."""
    dtype = series.dtype
    if column.kind == "json" and dtype.is_nested():
        values = [value and json.dumps(value, default=str, ensure_ascii=False) for value in series.to_list()]
        series = pl.Series(series.name, values, dtype=pl.String)
    is_text = dtype in (pl.String, pl.Null, pl.Categorical, pl.Enum)
    is_scalar = is_text or dtype.is_numeric()
    fits = {
        "text": is_text,
        "scalar": is_scalar,
        "texts": dtype in (pl.List(pl.String), pl.List(pl.Null), pl.Null),
        "scalars": is_scalar or (isinstance(dtype, pl.List) and (dtype.inner == pl.String or dtype.inner.is_numeric())),
        "json": True,
    }
    if not fits[column.kind]:
        raise SourceError(f"{path}: column `{column.path}`: expected {column.kind}, found {dtype}")
    if column.kind in LISTS:
        listed = series.to_frame().select(pl.when(pl.first().is_not_null()).then(pl.concat_list(pl.first())))
        return listed.to_series().cast(pl.List(pl.String))
    return series.cast(pl.String).str.replace_all("\0", "\ufffd", literal=True)
