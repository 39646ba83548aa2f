"""A row of a data file, and the fields that an adapter reads of it by their paths.

A path is the name of a column, or steps into structs, lists and JSON text: `messages.0.content`. What the values mean
belongs to `adapters/`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeVar

from am_assets.datasets import values
from am_assets.datasets.beside import Kept
from am_assets.datasets.cases import canonical
from am_assets.datasets.chats import Chat, Several, System, is_chat, read_chat
from am_assets.datasets.values import ABSENT, BROKEN, SHORT, Fault, shown, walk, written

T = TypeVar("T")
NAMES, NAME_CHARS = 30, 60  # in a message
NO_CHAT = "no chat, which is a list of turns, each with its role and its content"


@dataclass(frozen=True)
class Field:
    """What an adapter reads under one name: the path it looks at, and other names that data sets have for it, which are
    tried in order. A row without a required one is at fault."""

    path: str
    aliases: tuple[str, ...] = ()
    required: bool = False

    @cached_property
    def paths(self) -> list[tuple[str, list[str]]]:
        return [(path, path.split(".")) for path in (self.path, *self.aliases)]


@dataclass(frozen=True)
class Parts:
    """A question and what stands below it, for benchmarks, which ask it in words of their own."""

    stem: str
    options: tuple[str, ...] = ()  # of multiple choice, the right one first
    starter: str | None = None  # code to complete


@dataclass
class Item:
    """What one row is: a question with what its answers are checked by, and the responses published with it."""

    question: str | None
    reference_answer: str | None = None  # text, or JSON {"any_of": […]}
    test_cases: str | None = None  # JSON, see `cases.py`
    constraints: str | None = None  # JSON [{"id", "kwargs"}]
    responses: list[tuple[str | None, str]] = field(default_factory=list)  # of a teacher, None where the row names none
    notes: tuple[str, ...] = ()  # what a person should hear of, counted over rows
    parts: Parts | None = None  # of the question, where it shows more than itself
    kept: Kept = field(default_factory=Kept)

    def said(self, unnamed: str | None) -> list[dict[str, str | None]]:
        """{teacher, response} of the responses; those that name no teacher are of `unnamed`. One of a list is a
        response whatever it says; a column without text has none."""
        named = [(teacher or unnamed, text) for teacher, text in self.responses]
        return [
            {"teacher": teacher, "response": text if text.strip() else ""}
            for teacher, text in named
            if text.strip() or (len(named) > 1 and teacher)
        ]


class Row:
    """One record and the fields of its adapter. `met` collects the fields that any row had, with their paths."""

    def __init__(
        self,
        record: Mapping[str, Any],
        fields: Mapping[str, Field],
        met: dict[str, str],
        several: Several | None = None,
        system: System = "drop",
    ):
        self.record, self.fields, self.met, self.several, self.system = record, fields, met, several, system

    def get(self, name: str) -> Any:
        """The raw value of a field; None where there is none. `Fault` where it is required, or in broken JSON."""
        value = self._found(name)
        if value is BROKEN:
            raise Fault(f"field `{self._path(name)}`: text on its path begins as JSON and is none")
        if (value is ABSENT or value is SHORT) and self.fields[name].required:
            raise Fault(f"no field `{self.fields[name].path}`" + (": the list is shorter" if value is SHORT else ""))
        return None if value is ABSENT or value is SHORT else value

    def has(self, name: str) -> bool:
        return self._found(name) is not ABSENT

    def text(self, name: str) -> str | None:
        return self.of(name, values.text)

    def scalar(self, name: str) -> str | None:
        return self.of(name, values.scalar)

    def scalars(self, name: str) -> list[str]:
        return self.of(name, values.scalars)

    def tests(self, name: str, entry_point: str | None = None, checker: str | None = None) -> str | None:
        return self.of(name, lambda tests: canonical(tests, entry_point, checker))

    def of(self, name: str, convert: Callable[[Any], T]) -> T:
        """What `convert` makes of the value of a field; its `Fault` names the field."""
        value = self.get(name)
        try:
            return convert(value)
        except Fault as fault:
            raise Fault(f"field `{self._path(name)}`: {fault}") from None

    def chat_on(self, name: str) -> Chat | None:
        """The chat that the path of a field leads to or through; None where it leads to none."""
        for path, steps in self.fields[name].paths:
            found = _chat_on(self.record, [path] if path in self.record else steps)
            if found is not None:
                self.met[name] = path
                try:
                    return read_chat(found, self.several, self.system)
                except Fault as fault:
                    raise Fault(f"field `{path}`: {fault}") from None
        return None

    def chat(self, name: str) -> Chat:
        """The chat in a field. `Fault` where there is none."""
        chat = self.chat_on(name)
        if chat is None:
            value = self.get(name)
            raise Fault(f"field `{self._path(name)}`: {NO_CHAT if value else 'an empty chat'}")
        return chat

    def _found(self, name: str) -> Any:
        for path, steps in self.fields[name].paths:
            value = self.record[path] if path in self.record else walk(self.record, steps)
            if value is not ABSENT:
                self.met[name] = path
                return value
        return ABSENT

    def _path(self, name: str) -> str:
        """For messages: the path that a field was found at last, in this row where it has it."""
        return self.met.get(name, self.fields[name].path)


def nearest(path: str, records: Collection[Mapping[str, Any]]) -> str:
    """For a message on a path that is nowhere: the names of the rows that are most like it, else all of their names."""
    names = list(dict.fromkeys(name for record in records for name in _names(record)))
    close = get_close_matches(path, names, n=3, cutoff=0.5) or get_close_matches(path.split(".")[-1], names, n=3)
    return f"nearest is {', '.join(map(shown, close))}" if close else f"the rows have {some_of(names) or 'no fields'}"


def some_of(names: list[str]) -> str:
    """The first of the names of columns, for a message; a file may have thousands."""
    more = f", and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return ", ".join(shown(name, NAME_CHARS) for name in names[:NAMES]) + more


def _names(record: Mapping[str, Any]) -> list[str]:
    """The columns of a record and the fields of those that are structs."""
    inner = [f"{name}.{key}" for name, value in record.items() if isinstance(value, dict) for key in value]
    return [*record, *inner]


def _chat_on(value: Any, steps: list[str]) -> Any:
    """The first chat on a path."""
    for at, step in enumerate([*steps, ""]):
        value = written(value) if isinstance(value, str) and at else value
        if is_chat(value):
            return value
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return None
