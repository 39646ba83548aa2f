"""The form of a file where its entry names none: found by its columns, and never guessed between two that fit."""

from collections.abc import Mapping, Sequence
from typing import Any

from am_assets.datasets.adapters import ADAPTERS, Adapter
from am_assets.datasets.locate import SourceError
from am_assets.datasets.rows import some_of
from am_assets.datasets.values import ABSENT, BROKEN, SHORT, walk

ROWS = 50  # looked at; a column that is null in the first ones may be left out of their JSON
OR, HOLDS = "|", "~"  # in signatures


def fitting(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the adapters whose signature rows have.

    Of forms of which one asks for all that another does and more, it is the former; so it is of those of which one is
    declared to be over another.
    """
    paths = {name: _met(rows, adapter) for name, adapter in ADAPTERS.items() if adapter.signature}
    met = {name: found for name, found in paths.items() if all(found)}
    return [
        name
        for name, found in met.items()
        if not any({*found} < {*more} or name in ADAPTERS[other].over for other, more in met.items())
    ]


def recognised(rows: Sequence[Mapping[str, Any]], file: str) -> str:
    """The adapter that the first rows of a file fit. `SourceError` where none does, and where several do."""
    best = fitting(rows)
    if len(best) == 1:
        return best[0]
    columns = some_of(list(dict.fromkeys(name for row in rows for name in row)))
    if not columns:
        raise SourceError(f"{file}: the first rows have no columns")
    if not best:
        raise SourceError(
            f"{file}: no form is known that has the columns {columns}: name them by `columns:`, as in"
            " `adapter: jsonl` and `columns: {question: …, reference_answer: …, response: …}`"
        )
    raise SourceError(f"{file}: its columns {columns} fit {' and '.join(best)}: name one of these as `adapter:`")


def _met(rows: Sequence[Mapping[str, Any]], adapter: Adapter) -> list[str | None]:
    """Of each entry of the signature the path that some row has; None where no row has one."""
    return [
        next((path for path in entry.split(OR) if any(_has(row, *path.split(HOLDS)) for row in rows)), None)
        for entry in adapter.signature
    ]


def _has(row: Mapping[str, Any], path: str, held: str = "") -> bool:
    value = row[path] if path in row else walk(row, path.split("."))
    there = not any(value is nothing for nothing in (ABSENT, SHORT, BROKEN, None))
    return there and (not held or held in str(value))
