"""What adapters share: the declaration of one, and helpers for frames. No form of data belongs here.

When a helper gives something else for the same row, raise the version of every adapter that uses it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from am_assets.datasets.locate import SourceError
from am_assets.datasets.reader import Column

# The columns an adapter or a generator may return, all of them text; a missing one is null.
PARTS = ["question", "reference_answer", "test_code", "test_entry_point", "constraints", "response", "teacher"]


@dataclass(frozen=True)
class Adapter:
    """One form of data.

    columns  what is read of a file, by the name that `parts` uses; `columns:` of a source replaces their paths
    parts    maps a frame of these columns and `line`, and the file's name for messages, to a frame of PARTS
    version  raise it when the same row gives other parts: only sources and benchmarks of this form become stale
    doc      what the form is for, in one line of Markdown
    """

    columns: dict[str, Column]
    parts: Callable[[pl.DataFrame, str], pl.DataFrame]
    version: str
    doc: str


def columns(question: str, *optional: str, **others: Column) -> dict[str, Column]:
    """The columns of an adapter: the required path of the question, optional columns of text by name, and others.

    >>> columns("prompt", "response", answer=Column("answer", "scalar"))
    """
    return {"question": Column(question, required=True)} | {name: Column(name) for name in optional} | others


def require(frame: pl.DataFrame, file: str, condition: pl.Expr, message: str) -> None:
    """`SourceError` naming the file and the first line where the condition is false or null."""
    wrong = frame.filter(~condition.fill_null(False))
    if not wrong.is_empty():
        raise SourceError(f"{file}:{wrong['line'][0]}: {message}")


def or_null(name: str) -> pl.Expr:
    """The column with blank text as null."""
    return pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)).alias(name)


def last_boxed(text: str) -> str | None:
    r"""The content of the last `\boxed{...}`, braces balanced; None where there is none or it is not closed.

    For references in a worked solution. `verification/extraction.py` reads answers of models by other rules (the
    outermost box that closes, `\fboxed`, escaped braces).

    >>> last_boxed(r"first \boxed{1}, then \boxed{\frac{1}{2}}.")
    '\\frac{1}{2}'
    """
    _, found, rest = text.rpartition("\\boxed{")
    depth = 1
    for position, char in enumerate(rest if found else ""):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return rest[:position].strip()
    return None


def with_constraints(frame: pl.DataFrame, file: str, parse: Callable[..., list], *names: str) -> pl.DataFrame:
    """`frame` with a column `constraints`: canonical JSON of what `parse` returns for the named columns of a row.

    Null where a row has none. Settings that are null are left out: in Parquet a struct of settings has the fields of
    all constraints of the file.
    """
    constraints = []
    for line, *values in frame.select("line", *names).iter_rows():
        try:
            asked = [
                {"id": str(one["id"]), "kwargs": {k: v for k, v in (one.get("kwargs") or {}).items() if v is not None}}
                for one in parse(*values)
            ]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SourceError(
                f"{file}:{line}: {' and '.join(names)}: expected constraints, each with its id and its settings"
            ) from None
        constraints.append(json.dumps(asked, sort_keys=True, ensure_ascii=False) if asked else None)
    return frame.with_columns(pl.Series("constraints", constraints, dtype=pl.String))
