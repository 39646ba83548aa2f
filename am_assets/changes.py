"""What differs between two versions of the same settings, and how it is said. Plain dictionaries, no Dagster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SHOWN_CHARS = 60  # a longer value, such as a list of examples, is not repeated


@dataclass(frozen=True)
class Change:
    field: str  # a path: decontamination.cosine
    before: Any  # UNSET where it was not there
    after: Any

    def in_words(self, where: str) -> str:
        """`<field> <where> changed from … to …`, without values that are too long to be read."""
        before, after = _alike(self.before, self.after)
        said = f" from {before} to {after}" if max(len(before), len(after)) <= SHOWN_CHARS else ""
        return f"{self.field} {where} changed{said}"


class _Unset:
    def __repr__(self) -> str:
        return "unset"


UNSET = _Unset()


def changes(before: Mapping[str, Any], after: Mapping[str, Any], within: str = "") -> Iterator[Change]:
    """The fields that differ, in alphabetical order; mappings are compared field by field."""
    for name in sorted({*before, *after}):
        was, now = before.get(name, UNSET), after.get(name, UNSET)
        path = f"{within}.{name}" if within else name
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from changes(was, now, path)
        elif was != now:
            yield Change(path, was, now)


def _alike(before: Any, after: Any) -> tuple[str, str]:
    """Both as they stand in a file; of two numbers with as many decimals: from 0.90 to 0.95."""
    said = [_plain(value) for value in (before, after)]
    numbers = [isinstance(value, float) and "e" not in text for value, text in zip((before, after), said, strict=True)]
    if all(numbers):
        places = max(len(text.partition(".")[2]) for text in said)
        said = [f"{value:.{places}f}" for value in (before, after)]
    return said[0], said[1]


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return str(value)
