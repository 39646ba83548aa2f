"""Files for tests of reading: rows in order and out of it, columnar files and what becomes of them."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from am_assets.datasets.adapters import ADAPTERS

Write = Callable[[Path], Any]


def jsonl(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def among(bad: Any, form: str = "jsonl") -> bytes:
    """A row between two that are in order; an object changes fields of such a row."""
    good = ADAPTERS[form].example
    return jsonl(good, good | bad if isinstance(bad, dict) else bad, good)


def chat(*turns: Any, **more: Any) -> bytes:
    return among({"conversations": [*turns], **more}, "chat")


def turn(role: Any, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def in_texts(count: int, value: Any) -> str:
    """JSON text within JSON text, so many times."""
    for _ in range(count):
        value = json.dumps(value)
    return str(value)


def parquet(table: pyarrow.Table, cut: int | None = None, flip: int = 0) -> Write:
    """A Parquet file, cut at a place, or with a bit flipped at one."""

    def write(path: Path) -> None:
        pyarrow.parquet.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
        raw = bytearray(path.read_bytes()[:cut])
        raw[flip] ^= 1 if flip else 0
        path.write_bytes(raw)

    return write


def stream(batches: int, cut: int) -> bytes:
    """An Arrow stream of one row a batch, cut at a place."""
    batch = pyarrow.record_batch([pyarrow.array(["One?"])], names=["question"])
    sink = BytesIO()
    with pyarrow.ipc.new_stream(sink, batch.schema) as writer:
        for _ in range(batches):
            writer.write_batch(batch)
    return sink.getvalue()[:cut]


def not_utf8(*texts: bytes) -> pyarrow.Array:
    """A column that says it is text."""
    return pyarrow.array(texts, pyarrow.binary()).view(pyarrow.string())


def one_line(content: bytes, times: int) -> Write:
    return lambda path: path.write_bytes(b'{"question": "' + content * times + b'"}')


def link(target: str, content: bytes) -> Write:
    """A symlink to a file with this content."""

    def write(path: Path) -> None:
        aim = (path.parent / target).resolve()
        aim.parent.mkdir(parents=True, exist_ok=True)
        aim.write_bytes(content)
        path.symlink_to(target)

    return write
