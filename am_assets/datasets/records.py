"""From the bytes of a JSON file to its records with their line numbers.

Compression, text encoding and JSON syntax belong here; columns and their types belong to `reader.py`.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from am_assets.datasets.locate import SourceError

CHUNK_BYTES = 1 << 18
ZSTD_WINDOW = 2**31  # the released AM files were compressed with the long window

Record = dict[str, Any]


def read_records(path: Path) -> Iterator[tuple[int, Record]]:
    """Each JSON object of a .jsonl(.gz|.zst) or .json file with its 1-based line (.json: position in the array).

    Blank lines are skipped. `SourceError` for content that is not UTF-8, not JSON, not an object, or truncated.
    """
    if path.name.endswith(".json"):
        yield from _array(path)
        return
    for line, raw in enumerate(_lines(path), start=1):
        if raw.strip():
            yield line, _record(_json(raw, f"{path}:{line}"), f"{path}:{line}")


def _array(path: Path) -> Iterator[tuple[int, Record]]:
    content = _json(b"".join(_chunks(path)), str(path))
    if not isinstance(content, list):
        raise SourceError(f"{path}: expected a JSON array of objects; for one object a line name the file .jsonl")
    for position, item in enumerate(content, start=1):
        yield position, _record(item, f"{path}:{position}")


def _json(raw: bytes, where: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SourceError(f"{where}: not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise SourceError(f"{where}: not JSON: {error}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; nesting too deep
        raise SourceError(f"{where}: JSON beyond what can be read: {error}") from None


def _record(item: Any, where: str) -> Record:
    if not isinstance(item, dict):
        raise SourceError(f"{where}: expected a JSON object, found {type(item).__name__}")
    return item


def _lines(path: Path) -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(path):
        first, *others = chunk.split(b"\n")
        rest += first
        for line in others:
            yield rest
            rest = line
    yield rest


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            if path.name.endswith(".zst"):
                yield from _unpack_zst(file)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile) as error:
        raise SourceError(f"{path}: damaged or cut off: {error}") from None
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {error.strerror or error}") from None


def _unpack_zst(file: Any) -> Iterator[bytes]:
    """All frames of a zst file; `EOFError` for a truncated one, at which the library's stream reader silently ends."""
    context = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    frame = None
    while data := file.read(CHUNK_BYTES):
        while data:
            frame = frame or context.decompressobj()
            yield frame.decompress(data)
            data = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError("the last zstd frame has no end")
