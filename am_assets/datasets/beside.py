"""What is kept of a row beside its question and its answers: its licence, columns that its source carries along, and
the id that its data set gives it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from am_assets.config.licenses import UNKNOWN, normalized, strictest
from am_assets.datasets.values import ABSENT, BROKEN, SHORT, Fault, clean, kind, scalar, walk

LICENSE = "license"  # the column of it where the entry names none
IDS = ("id", "uuid", "_id", "unique_id", "question_id", "problem_id", "task_id", "sample_id", "idx", "index")


@dataclass(frozen=True)
class Kept:
    """Of one row."""

    license: str | None = None
    extra: str | None = None  # JSON {path: value}
    own_id: str | None = None


@dataclass(frozen=True)
class Beside:
    """What the entry of a source says of it: the licence of rows that name none, the path of theirs, the paths that are
    carried along."""

    license: str | None = None
    license_path: str | None = None
    keep: tuple[str, ...] = ()

    @property
    def columns(self) -> set[str]:
        """The columns that are read for it."""
        paths = [*self.keep, self.license_path or LICENSE]
        return {*IDS, *paths, *(path.split(".")[0] for path in paths)}

    def of(self, record: Mapping[str, Any], met: set[str]) -> Kept:
        """`met` collects those of the named paths that the record has."""
        extra = {}
        for path in self.keep:
            value = _at(record, path)
            if value is not ABSENT and value is not BROKEN:
                met.add(path)
                extra[path] = value
        said = _at(record, self.license_path or LICENSE)
        if self.license_path and said is not ABSENT:
            met.add(self.license_path)
        own = next((found for name in IDS if name in record and (found := _own_id(record[name]))), None)
        # An object of several fields has one text, whatever their order, and no value is refused.
        carried = json.dumps(extra, sort_keys=True, ensure_ascii=False, default=str) if extra else None
        return Kept(self._license(None if said is ABSENT else said), carried and clean(carried), own)

    def _license(self, said: Any) -> str | None:
        if said is None or said == "" or said == []:
            return self.license
        names = said if isinstance(said, list) else [said]
        return strictest(normalized(name) if isinstance(name, str) else UNKNOWN for name in names)


def _at(record: Mapping[str, Any], path: str) -> Any:
    value = record[path] if path in record else walk(record, path.split("."))
    return ABSENT if value is SHORT else value


def _own_id(value: Any) -> str | None:
    """Text or a number; an id that is anything else is none."""
    try:
        return scalar(value) if kind(value) in ("text", "a number") else None
    except Fault:  # a number beyond what can be read
        return None
