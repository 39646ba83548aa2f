"""The bytes of a data file, unpacked, in chunks and in lines: all of them, or an error that says why not."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import zstandard

from am_assets.datasets.locate import PACKED, SourceError

CHUNK_BYTES = 1 << 18
ZSTD_CHUNK_BYTES = 1 << 12  # packed; a frame may say in a few bytes that millions follow
ZSTD_WINDOW = 2**31  # the released AM files were compressed with the long window
MOST_LINE_BYTES = 500_000_000
# Text is packed to a thirtieth at best. A file that unpacks to so many times its size, and to so much, is a bomb.
MOST_RATIO, ANY_BYTES = 1_000, 1_000_000_000


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, each with its line end if it has one. `SourceError` for one of over `MOST_LINE_BYTES`."""
    parts: list[bytes] = []
    size, number = 0, 1
    for chunk in chunks(path):
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield b"".join([*parts, line, b"\n"])
            parts, size, number = [], 0, number + 1
        parts.append(rest)
        size += len(rest)
        if size > MOST_LINE_BYTES:
            raise SourceError(f"{path}:{number}: a line of more than {MOST_LINE_BYTES // 1_000_000} MB")
    yield b"".join(parts)


def chunks(path: Path) -> Iterator[bytes]:
    """The unpacked bytes of a file. `SourceError` where it is damaged, cut off, a bomb, or can't be read."""
    try:
        packed = path.stat().st_size
        size = 0
        with _opened(path) as file:
            for chunk in _unpack_zst(file) if path.suffix == ".zst" else _read(file):
                size += len(chunk)
                if size > max(MOST_RATIO * packed, ANY_BYTES) and path.suffix in PACKED:
                    raise SourceError(f"{path}: unpacks to more than {MOST_RATIO} times its size")
                yield chunk
    except (EOFError, zlib.error, zstandard.ZstdError, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise SourceError(f"{path}: damaged or cut off: {error}") from None
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {error.strerror or error}") from None


def _opened(path: Path) -> Any:
    openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
    return openers[path.suffix](path) if path.suffix in openers else path.open("rb")


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _unpack_zst(file: IO[bytes]) -> Iterator[bytes]:
    """All frames of a zst file; `EOFError` for a truncated one, at which the library's stream reader silently ends."""
    context = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    frame = None
    while data := file.read(ZSTD_CHUNK_BYTES):
        while data:
            frame = frame or context.decompressobj()
            yield frame.decompress(data)
            data = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError("the last zstd frame has no end")
