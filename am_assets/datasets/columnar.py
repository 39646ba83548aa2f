"""From Parquet and Arrow files to their records, by batches and with the columns that are wanted."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from am_assets.datasets.locate import SourceError
from am_assets.datasets.values import Fault, shown

COLUMNAR = (".parquet", ".arrow")
BATCH_ROWS, BATCH_BYTES = 2_000, 8_000_000  # held at once: so many rows, or as many as have so many bytes
# Readers of a stream take one that is cut off between two batches for a shorter one: the mark tells that it ended.
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"

Record = dict[str, Any]


def columnar(path: Path, columns: Collection[str] | None) -> Iterator[tuple[int, Record | Fault]]:
    """Each record with the 1-based number of its row; with `columns` as far as the file has them (None: all).
    `SourceError` where the file is damaged or cut off."""
    import polars as pl
    import pyarrow

    line = 0
    try:
        for batch in _batches(path, columns):
            for record in _records(batch):
                line += 1
                yield line, record
    # Polars panics at types that it has not, such as decimals of 256 bits.
    except (pyarrow.ArrowException, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SourceError(f"{path}:{line + 1}: can't be read as {path.suffix[1:].capitalize()}: {error}") from None


def _records(batch: Any) -> Iterator[Record | Fault]:
    """The rows of a batch. Polars takes text for UTF-8 unseen, so a batch that holds other bytes is read row by row."""
    import polars as pl
    import pyarrow

    if batch.num_rows > 1 and _not_utf8(batch):
        for position in range(batch.num_rows):
            yield from _records(batch.take(pyarrow.array([position])))  # a slice would share what is in structs
    elif name := _not_utf8(batch):
        yield Fault(f"field `{name}`: not UTF-8")
    else:
        frame = pl.from_arrow(pyarrow.Table.from_batches([batch]))
        assert isinstance(frame, pl.DataFrame)
        yield from frame.iter_rows(named=True)


def _not_utf8(batch: Any) -> str | None:
    """The first column that holds text which is none."""
    import pyarrow

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            column.validate(full=True)
        except pyarrow.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise
            return shown(name)
    return None


def _batches(path: Path, columns: Collection[str] | None) -> Iterator[Any]:
    """Record batches of `BATCH_ROWS` at most. A file without any of `columns` still has rows, which are at fault."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    def wanted(names: list[str]) -> list[str]:
        return names if columns is None else [name for name in names if name in columns] or names[:1]

    if path.suffix.lower() == ".parquet":
        with ParquetFile(path, page_checksum_verification=True) as file:
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            row_bytes = sum(group.total_byte_size for group in groups) // max(file.metadata.num_rows, 1)
            rows = min(BATCH_ROWS, BATCH_BYTES // max(row_bytes, 1) + 1)
            yield from file.iter_batches(rows, columns=wanted(file.schema_arrow.names))
        return
    with pyarrow.memory_map(str(path)) as source:
        try:
            found = pyarrow.ipc.open_stream(source)  # as `datasets` writes them
        except pyarrow.ArrowInvalid:
            reader = pyarrow.ipc.open_file(source)
            found = (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            found = _to_its_end(found, path)
        for batch in found:
            part = batch.select(wanted(batch.schema.names))
            for start in range(0, part.num_rows, BATCH_ROWS):
                yield part.slice(start, BATCH_ROWS)


def _to_its_end(stream: Any, path: Path) -> Iterator[Any]:
    yield from stream
    with path.open("rb") as file:
        file.seek(-len(END_OF_STREAM), 2)
        if file.read() != END_OF_STREAM:
            raise OSError("cut off: the stream has no end")
