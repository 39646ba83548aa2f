"""From the bytes of a data file to its records with their line numbers.

Compression, text encoding and syntax belong here; the fields of a record belong to `rows.py`. Polars' own JSON reader
is not used: it turns a column of mixed types into text and reports no line.
"""

import codecs
import csv
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from am_assets.datasets.chats import has_roles
from am_assets.datasets.columnar import COLUMNAR, Record, columnar
from am_assets.datasets.compression import chunks, lines
from am_assets.datasets.locate import FORMATS, PACKED, SourceError, unpacked_name
from am_assets.datasets.values import Fault, kind, shown

# Keys of a JSON object whose array is the rows of a file; any other such object is a row itself.
ROWS_UNDER = (
    *("data", "rows", "examples", "example", "items", "instances", "records", "questions", "problems"),
    *("train", "test", "validation", "valid", "val", "dev"),
)
CHAT = "messages"  # the name of a row that is a list of turns
ELSEWISE = {  # what to do with files that are often met and never read, by their endings
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "a spreadsheet: save its sheet as CSV (.csv)"),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z"), "an archive: unpack it, and name the files in it"),
    **dict.fromkeys((".pkl", ".pickle", ".pt"), "it may run code where it is read: write its rows as Parquet"),
    **dict.fromkeys(COLUMNAR, "unpack it: such files are packed within"),
}
POINTER = b"version https://git-lfs.github.com/spec/"  # in place of a file of which only the name was cloned
BLANK = re.compile(r"\s*")
NOT_UTF8, NOT_JSON = CUT = ("not UTF-8", "not JSON")  # what a line can be that is cut off
csv.field_size_limit(2**31 - 1)


def read_records(path: Path, columns: Collection[str] | None = None) -> Iterator[tuple[int, Record | Fault]]:
    """Each record of a file with its 1-based line (.json: position in the array; Parquet: number of the row), or why
    that line holds none.

    Of Parquet only `columns` are read (None: all), as far as the file has them. Blank lines are skipped. `SourceError`
    for an unknown format, a file without rows, and one that is damaged or cut off.

    >>> for line, record in read_records(Path("gsm8k.jsonl"), ["question", "answer"]): ...
    """
    name = unpacked_name(path)
    suffix = Path(name).suffix.lower()
    read = {
        **dict.fromkeys((".jsonl", ".jsonlines", ".ndjson"), _json_lines),
        ".json": _json_file,
        ".csv": _csv,
        ".tsv": _csv,
        **dict.fromkeys(COLUMNAR, lambda path: columnar(path, columns)),
    }.get(suffix)
    if read is None or (name != path.name and suffix in COLUMNAR):
        known = f"{' '.join(FORMATS)}, text also packed ({' '.join(PACKED)})"
        advice = ELSEWISE.get(suffix, "write its rows as JSON lines (.jsonl)")
        raise SourceError(f"{path}: unknown format: {advice}; known are {known}")
    if _is_pointer(path):
        raise SourceError(f"{path}: a pointer of Git LFS in place of the file: `git lfs pull` fetches it")
    empty = True
    for line, record in read(path):
        empty = False
        yield line, record
    if empty:
        raise SourceError(f"{path}: holds no rows")


def _is_pointer(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(POINTER)) == POINTER
    except OSError:  # which is told by what reads it
        return False


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file of text. `SourceError` where it begins as one in another encoding."""
    for number, line in enumerate(lines(path)):
        if number == 0 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise SourceError(f"{path}:1: not UTF-8 but UTF-16 or UTF-32: write it as UTF-8")
        yield line


def _json_lines(path: Path) -> Iterator[tuple[int, Record | Fault]]:
    first = next((raw for raw in _lines(path) if raw.strip()), b"")
    if first.strip() == b"{" or _begins_array(first):
        yield from _json_file(path)
        return
    for line, raw in enumerate(_lines(path), start=1):
        if not raw.strip() or raw.strip() == codecs.BOM_UTF8:
            continue
        record = record_of(raw)
        if isinstance(record, Fault) and str(record) in CUT and not raw.endswith(b"\n"):
            raise SourceError(f"{path}:{line}: {record}; the file ends in the middle of this line")
        yield line, record


def _begins_array(line: bytes) -> bool:
    """Whether a line is an array of rows, or the beginning of one, and no chat."""
    if not line.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        return False
    found = _json(line)
    return str(found) == NOT_JSON if isinstance(found, Fault) else _objects(found) and not has_roles(found)


def _json_file(path: Path) -> Iterator[tuple[int, Record | Fault]]:
    """An array of objects, one under a key, a single object or several on some lines each, or JSON lines whose file is
    named otherwise."""
    first = list(islice((raw for raw in _lines(path) if raw.strip()), 2))
    if len(first) == 2 and isinstance(record_of(first[0]), dict):
        yield from _json_lines(path)
        return
    if not first:
        return
    raw = b"".join(chunks(path))
    content = _json(raw)
    if str(content) == NOT_JSON:
        content = _one_after_another(raw) or content
    if isinstance(content, Fault):
        raise SourceError(f"{path}{_line_at_fault(raw)}: {content}")
    if isinstance(content, dict):
        content = _by_columns(content)
    if isinstance(content, dict):
        arrays = [key for key, value in content.items() if (key in ROWS_UNDER or len(content) == 1) and _objects(value)]
        if len(arrays) > 1:
            raise SourceError(
                f"{path}: has rows under {' and '.join(arrays)}: write those that are meant to a file of their own,"
                f" as by `jq -c '.{arrays[0]}[]' {path.name} > {arrays[0]}.jsonl`"
            )
        content = content[arrays[0]] if arrays else _by_name(content)
    if not isinstance(content, list):
        raise SourceError(f"{path}: expected objects, found {kind(content)}")
    for position, item in enumerate(content, start=1):
        yield position, _row(item)


def _by_columns(content: Record) -> Any:
    """The rows of an object of columns, each a list of as many values, or of the names of columns and rows of values;
    any other object as it is."""
    names, rows = content.get("columns"), content.get("data")
    if isinstance(names, list) and isinstance(rows, list):
        split = all(isinstance(row, list) and len(row) == len(names) for row in rows)
        return [dict(zip(names, row, strict=True)) for row in rows] if split else content
    lists = [*content.values()]
    if len(lists) < 2 or not all(isinstance(one, list) and not has_roles(one) for one in lists):
        return content
    if len({*map(len, lists)}) > 1 or any(key in ROWS_UNDER and _objects(value) for key, value in content.items()):
        return content
    return [dict(zip(content, row, strict=True)) for row in zip(*lists, strict=True)]


def _by_name(content: Record) -> list[Record]:
    """The rows of an object that names each of them or, as pandas writes tables, has their numbers in each column; an
    object of anything else is a row."""
    rows = [*content.values()]
    if len(rows) < 2 or not all(isinstance(one, dict) for one in rows):
        return [content]
    names = set.intersection(*map(set, rows))
    if names and all(key.isdigit() for key in names) and all(one.keys() == names for one in rows):
        return [{name: column[key] for name, column in content.items()} for key in rows[0]]
    return rows if len(names) > 1 else [content]


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _one_after_another(raw: bytes) -> list[Record] | None:
    """Objects behind one another, as `jq` prints them; None where anything else stands there."""
    text, at, found = raw.decode("utf-8-sig"), 0, []
    try:
        while (at := BLANK.match(text, at).end()) < len(text):  # type: ignore[union-attr] # it matches anywhere
            item, at = DECODER.raw_decode(text, at)
            found.append(item)
    except (ValueError, RecursionError):
        return None
    return found if _objects(found) else None


def record_of(raw: bytes) -> Record | Fault:
    """The object that a line of JSON holds, or why it holds none."""
    return _row(_json(raw))


def _row(item: Any) -> Record | Fault:
    if isinstance(item, dict | Fault):
        return item
    return {CHAT: item} if has_roles(item) else Fault(f"not an object: {kind(item)}")


def _json(raw: bytes) -> Any:
    """What the bytes hold as JSON, or why they are none."""
    try:
        return DECODER.decode(raw.decode("utf-8-sig"))
    except Fault as fault:
        return fault
    except UnicodeDecodeError:
        return Fault(NOT_UTF8)
    except json.JSONDecodeError:
        return Fault(NOT_JSON)
    except (ValueError, RecursionError):  # a number of thousands of digits; nesting too deep
        return Fault("JSON beyond what can be read")


def _object(pairs: list[tuple[str, Any]]) -> Record:
    """An object of JSON, of which each name stands once: of two values one would be lost unseen."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Fault(f"field `{_repeated([name for name, _ in pairs])}`: twice in one object")
    return found


DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _repeated(names: Iterable[str]) -> str | None:
    return next((shown(name) for name, count in Counter(names).items() if name and count > 1), None)


def _line_at_fault(raw: bytes) -> str:
    """`:line` of what is no UTF-8 or no JSON, for a message; empty where no line can be told."""
    try:
        json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        newlines = raw.count(b"\n", 0, error.start)
        return f":{newlines + 1}"
    except json.JSONDecodeError as error:
        return f":{error.lineno}"
    except (ValueError, RecursionError):
        pass
    return ""


def _csv(path: Path) -> Iterator[tuple[int, Record | Fault]]:
    """Rows by the names in the first line; an empty cell is null. What stands between the names stands between cells:
    spreadsheets of half the world write semicolons."""
    raw = _lines(path)
    names = next(raw, b"")
    tabs = ".tsv" in [one.lower() for one in path.suffixes]
    by = next((sign for sign in ("\t,;" if tabs else ",\t;") if sign.encode() in names), ",")
    text = (line.decode("utf-8-sig" if at == 0 else "utf-8") for at, line in enumerate(chain([names], raw)))
    # strict: else a quote that nothing closes would take all rows after it
    reader = csv.DictReader(text, delimiter=by, strict=True)
    try:
        if twice := _repeated(reader.fieldnames or []):
            raise SourceError(f"{path}:1: two columns `{twice}`: rename one of them")
        for row in reader:
            if None in row or None in row.values():
                yield reader.line_num, Fault("more or fewer cells than names in the first line")
            else:
                yield reader.line_num, {name: value or None for name, value in row.items()}
    except UnicodeDecodeError:
        raise SourceError(f"{path}:{reader.line_num + 1}: not UTF-8: write it as UTF-8") from None
    except csv.Error as error:
        raise SourceError(f"{path}:{reader.line_num + 1}: not CSV: {error}") from None
