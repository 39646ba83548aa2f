"""From the bytes of a data file to its records with their line numbers.

Compression, text encoding and syntax belong here; the fields of a record belong to `rows.py`. Polars' own JSON reader
is not used: it turns a column of mixed types into text and reports no line.
"""

import csv
import json
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from am_assets.datasets.compression import PACKED, chunks, lines, unpacked_name
from am_assets.datasets.locate import SourceError
from am_assets.datasets.values import Fault, kind

FORMATS = [".jsonl", ".ndjson", ".json", ".csv", ".parquet", ".arrow"]  # the first four also packed
BATCH_ROWS = 2_000  # of columnar files, held at once
# Keys of a JSON object whose array is the rows of a file; any other such object is a row itself.
ROWS_UNDER = ("data", "rows", "examples", "items", "instances", "records", "questions", "problems", "train", "test")
csv.field_size_limit(2**31 - 1)

Record = dict[str, Any]


def read_records(path: Path, columns: Collection[str] | None = None) -> Iterator[tuple[int, Record | Fault]]:
    """Each record of a file with its 1-based line (.json: position in the array; Parquet: number of the row), or why
    that line holds none.

    Of Parquet only `columns` are read (None: all), as far as the file has them. Blank lines are skipped. `SourceError`
    for an unknown format, a file without rows, and one that is damaged or cut off.

    >>> for line, record in read_records(Path("gsm8k.jsonl"), ["question", "answer"]): ...
    """
    name = unpacked_name(path)
    read = {
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".json": _json_file,
        ".csv": _csv,
        ".parquet": lambda path: _columnar(path, columns),
        ".arrow": lambda path: _columnar(path, columns),
    }.get(Path(name).suffix)
    if read is None:
        known = f"{' '.join(FORMATS)}, text also packed ({' '.join(PACKED)})"
        raise SourceError(f"{path}: unknown format; expected one of {known}")
    empty = True
    for line, record in read(path):
        empty = False
        yield line, record
    if empty:
        raise SourceError(f"{path}: holds no rows")


def _json_lines(path: Path) -> Iterator[tuple[int, Record | Fault]]:
    for line, raw in enumerate(lines(path), start=1):
        if not raw.strip():
            continue
        record = _record(raw)
        if isinstance(record, Fault) and not raw.endswith(b"\n"):
            raise SourceError(f"{path}:{line}: {record}; the file ends in the middle of this line")
        yield line, record


def _json_file(path: Path) -> Iterator[tuple[int, Record | Fault]]:
    """An array of objects, one under a key, a single object, or JSON lines whose file is named otherwise."""
    first = list(islice((raw for raw in lines(path) if raw.strip()), 2))
    if len(first) == 2 and isinstance(_record(first[0]), dict):
        yield from _json_lines(path)
        return
    content = _json(b"".join(chunks(path)))
    if isinstance(content, Fault):
        raise SourceError(f"{path}: {content}")
    if isinstance(content, dict):
        arrays = [key for key, value in content.items() if (key in ROWS_UNDER or len(content) == 1) and _objects(value)]
        if len(arrays) > 1:
            raise SourceError(f"{path}: has rows under {' and '.join(arrays)}; a file holds one array of them")
        content = content[arrays[0]] if arrays else [content]
    if not isinstance(content, list):
        raise SourceError(f"{path}: expected objects, found {kind(content)}")
    for position, item in enumerate(content, start=1):
        yield position, item if isinstance(item, dict) else Fault(f"not an object: {kind(item)}")


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _record(raw: bytes) -> Record | Fault:
    item = _json(raw)
    return item if isinstance(item, dict | Fault) else Fault(f"not an object: {kind(item)}")


def _json(raw: bytes) -> Any:
    """What the bytes hold as JSON, or why they are none."""
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Fault("not UTF-8")
    except json.JSONDecodeError:
        return Fault("not JSON")
    except (ValueError, RecursionError):  # a number of thousands of digits; nesting too deep
        return Fault("JSON beyond what can be read")


def _csv(path: Path) -> Iterator[tuple[int, Record | Fault]]:
    """Rows by the names in the first line; an empty cell is null."""
    reader = csv.DictReader((raw.decode("utf-8-sig" if at == 0 else "utf-8") for at, raw in enumerate(lines(path))))
    try:
        for row in reader:
            if None in row or None in row.values():
                yield reader.line_num, Fault("more or fewer cells than names in the first line")
            else:
                yield reader.line_num, {name: value or None for name, value in row.items()}
    except UnicodeDecodeError:
        raise SourceError(f"{path}:{reader.line_num + 1}: not UTF-8") from None
    except csv.Error as error:
        raise SourceError(f"{path}:{reader.line_num}: not CSV: {error}") from None


def _columnar(path: Path, columns: Collection[str] | None) -> Iterator[tuple[int, Record]]:
    import polars as pl
    import pyarrow

    line = 0
    try:
        for batch in _batches(path, columns):
            frame = pl.from_arrow(pyarrow.Table.from_batches([batch]))
            assert isinstance(frame, pl.DataFrame)
            for record in frame.iter_rows(named=True):
                line += 1
                yield line, record
    except (pyarrow.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"{path}: can't be read as {path.suffix[1:].capitalize()}: {error}") from None


def _batches(path: Path, columns: Collection[str] | None) -> Iterator[Any]:
    """Record batches of `BATCH_ROWS` at most, with `columns` as far as the file has them. A file without any of them
    still has rows, which are at fault."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    def wanted(names: list[str]) -> list[str]:
        return names if columns is None else [name for name in names if name in columns] or names[:1]

    if path.suffix == ".parquet":
        with ParquetFile(path) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=wanted(file.schema_arrow.names))
        return
    with pyarrow.memory_map(str(path)) as source:
        try:
            found = pyarrow.ipc.open_stream(source)  # as `datasets` writes them
        except pyarrow.ArrowInvalid:
            reader = pyarrow.ipc.open_file(source)
            found = (reader.get_batch(number) for number in range(reader.num_record_batches))
        for batch in found:
            part = batch.select(wanted(batch.schema.names))
            for start in range(0, part.num_rows, BATCH_ROWS):
                yield part.slice(start, BATCH_ROWS)
