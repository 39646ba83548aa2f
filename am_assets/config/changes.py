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
        before, after = self.said
        said = f" from {before} to {after}" if max(len(before), len(after)) <= SHOWN_CHARS else ""
        return f"{self.field} {where} changed{said}"

    @property
    def said(self) -> tuple[str, str]:
        """Both values as they stand in a file; of two numbers with as many decimals: 0.90 and 0.95."""
        values = (self.before, self.after)
        said = [plain(value) for value in values]
        if all(_is_number(value) and "e" not in text for value, text in zip(values, said, strict=True)):
            places = max(len(text.partition(".")[2]) for text in said)
            said = [f"{value:.{places}f}" for value in values]
        return said[0], said[1]


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


def plain(value: Any) -> str:
    """A value as YAML has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"  # 5 and 5.0 are one value
    if isinstance(value, list):
        return f"[{', '.join(map(plain, value))}]"
    return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
