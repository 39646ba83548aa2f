"""The difference between two versions of the same settings, and its wording in messages.

Plain dictionaries; nothing here knows which settings they are.

    >>> [change.in_words("of recipe strict") for change in changes({"threshold": 0.9}, {"threshold": 0.95}, "dedup")]
    ['dedup.threshold of recipe strict changed from 0.90 to 0.95']
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SHOWN_CHARS = 60  # longer values, such as a list of examples, are left out of the message


@dataclass(frozen=True)
class Change:
    """One field that differs."""

    field: str  # a path: decontamination.cosine
    before: Any  # UNSET where the field was absent
    after: Any

    def in_words(self, where: str) -> str:
        """`<field> <where> changed from … to …`; values longer than `SHOWN_CHARS` are omitted."""
        before, after = self.values
        values = f" from {before} to {after}" if max(len(before), len(after)) <= SHOWN_CHARS else ""
        return f"{self.field} {where} changed{values}"

    @property
    def values(self) -> tuple[str, str]:
        """Both values as YAML text; two numbers get the same number of decimals: 0.90 and 0.95."""
        values = (self.before, self.after)
        texts = [plain(value) for value in values]
        if all(_is_number(value) and "e" not in text for value, text in zip(values, texts, strict=True)):
            places = max(len(text.partition(".")[2]) for text in texts)
            texts = [f"{value:.{places}f}" for value in values]
        return texts[0], texts[1]


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
    """A value as YAML writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"  # 5 and 5.0 are one value
    if isinstance(value, list):
        return f"[{', '.join(map(plain, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {plain(one)}' for name, one in value.items())}}}"
    return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
