"""The protocol of judge and candidate: plain values as lines of JSON.

None, bool, str, float and small int are encoded as themselves, everything else as [kind, content...]. A decoded plain
value has exactly one of the types below, so that no object with a custom `__eq__` ever passes for one. What is no plain
value stays in its process and is sent as a reference (`peers.py`).

    >>> encode((1, {"a"}), refer)
    ['tuple', 1, ['set', 'a']]
"""

import collections
import datetime
import json
import os
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import PosixPath
from typing import Any

MAX_LINE = 1 << 23  # bytes, of a candidate
LONGEST = 1 << 24  # of a judge; a script reads its input from a file of no more
# Statuses of tests that say nothing against the program.
NO_FAILURES = {"pass", "undecided", "no_compiler", "sandbox_error"}
DETAIL = 2000  # characters or bytes of output that are kept for a person to read
SMALL = 1 << 53  # integers below it are exact in JSON
Form = Any  # of a value, in JSON
Coder = Callable[[Any], Any]

SEQUENCES: dict[str, type] = {kind.__name__: kind for kind in (list, tuple, set, frozenset, collections.deque)}
MAPPINGS: dict[str, type] = {
    kind.__name__: kind for kind in (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)
}
# Types of one text each, and how it is read.
TEXTS: dict[type, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    bytes: (bytes.hex, bytes.fromhex),
    bytearray: (bytearray.hex, bytearray.fromhex),
    Decimal: (str, Decimal),
    Fraction: (str, Fraction),
    PosixPath: (str, PosixPath),
    datetime.date: (datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.time: (datetime.time.isoformat, datetime.time.fromisoformat),
    datetime.datetime: (datetime.datetime.isoformat, datetime.datetime.fromisoformat),
}
OF_TEXT = {kind.__name__: read for kind, (_, read) in TEXTS.items()}
VIEWS: dict[str, Callable[[list[Any]], Any]] = {
    "dict_keys": lambda items: dict.fromkeys(items).keys(),
    "dict_values": lambda items: dict(enumerate(items)).values(),
    "dict_items": lambda items: dict(items).items(),
}
IMMUTABLE = (int, float, complex, str, bytes, tuple, frozenset)
MUTABLE = (list, set, bytearray, collections.deque, *MAPPINGS.values())
CHANGEABLE = frozenset(kind.__name__ for kind in MUTABLE)
CONTAINERS: list[type] = [*SEQUENCES.values(), *MAPPINGS.values()]
SPANS: dict[str, type] = {"range": range, "slice": slice}
PLAIN_TYPES: list[type] = [bool, int, float, complex, str, datetime.timedelta, *CONTAINERS, *TEXTS]
PLAIN_TYPES += [*SPANS.values(), type(None)]
TYPES: dict[str, type] = {kind.__name__: kind for kind in [*PLAIN_TYPES, object, type]}
PLAIN = frozenset(PLAIN_TYPES)


class Gone(BaseException):
    """The other side has ended or broken the protocol."""


class Flooded(BaseException):
    """The other side sent a line longer than it may."""


class TooLong(Exception):
    """A line longer than a side may send was not sent."""


class Shared:
    """The values of one exchange that either side can change, in the order in which they are sent: one that is sent
    again is ["same", its number], so that both sides see which are one."""

    def __init__(self, kept: Iterable[Any] = ()) -> None:
        self.values: list[Any] = []
        self.numbers: dict[int, int] = {}  # by id()
        for value in kept:
            self.add(value)

    def add(self, value: Any) -> Any:
        self.numbers[id(value)] = len(self.values)
        self.values.append(value)
        return value

    def one(self, number: Any) -> Any:
        if type(number) is not int or number < 0:
            raise ValueError("no number")
        return self.values[number]


def encode(value: Any, refer: Callable[[Any], Form], shared: Shared | None = None) -> Form:
    """The JSON form; `refer` returns that of what is no plain value."""
    kind = type(value)
    if value is None or kind is bool or kind is str or (kind is int and -SMALL < value < SMALL):
        return value
    if shared is not None and (kind.__name__ in CHANGEABLE or kind.__name__ == "ndarray"):
        if (number := shared.numbers.get(id(value))) is not None:
            return ["same", number]
        form = content_form(value, refer, shared)
        if kind in MUTABLE or form[0] == "array":
            shared.add(value)
        return form
    return content_form(value, refer, shared)


def content_form(value: Any, refer: Callable[[Any], Form], shared: Shared | None) -> Form:
    """The form of a value's content, also if it was sent before."""
    kind = type(value)
    return encode_as(kind, value, refer, shared) if kind in PLAIN or kind.__name__ in VIEWS else refer(value)


def encode_as(kind: type, value: Any, refer: Callable[[Any], Form], shared: Shared | None = None) -> Form:
    """The JSON form of `value` as a plain value of the type `kind`, of which it is an instance."""
    name = kind.__name__
    if kind is int:
        value = int.__int__(value)
        return value if -SMALL < value < SMALL else ["int", format(value, "x")]  # no limit on digits in base 16
    if kind is float:
        return float.__float__(value)
    if kind in (str, bool):
        return kind.__str__(value) if kind is str else value
    if name in MAPPINGS:
        own = [encode(value.default_factory, refer)] if kind is collections.defaultdict else []
        items = dict.items(value)
        return [name, *own, *([encode(key, refer, shared), encode(item, refer, shared)] for key, item in items)]
    if name in SEQUENCES or name in VIEWS:
        own = [value.maxlen] if kind is collections.deque else []
        return [name, *own, *(encode(item, refer, shared) for item in kind.__iter__(value))]  # type: ignore[attr-defined]
    if kind in TEXTS:
        return [name, TEXTS[kind][0](value)]
    if kind is complex:
        return ["complex", value.real, value.imag]
    if name in SPANS:
        return [name, *(encode(part, refer) for part in (value.start, value.stop, value.step))]
    return ["timedelta", value.days, value.seconds, value.microseconds]


def plain_base(kind: type) -> type | None:
    """The plain type that `kind` is derived from, if any."""
    return next((base for base in kind.__mro__ if base in PLAIN), None)


def decode(form: Form, resolve: Callable[[str, list[Any]], Any], shared: Shared | None = None) -> Any:
    """The value; `resolve` returns what a form of another kind stands for. Raises some exception for an invalid one."""
    if not isinstance(form, list):
        if form is None or type(form) in (bool, int, float, str):
            return form
        raise ValueError("not a value")
    kind, *content = form
    if shared is None:
        return decoded(kind, content, resolve, None)
    if kind == "same":
        return shared.one(*content)
    value = decoded(kind, content, resolve, shared)
    return shared.add(value) if kind in CHANGEABLE or (kind == "array" and content[0]) else value


def decoded(kind: str, content: list[Any], resolve: Callable[[str, list[Any]], Any], shared: Shared | None) -> Any:
    if kind == "deque":
        most, *content = content
        return collections.deque((decode(item, resolve, shared) for item in content), most)
    if kind in SEQUENCES:
        return SEQUENCES[kind](decode(item, resolve, shared) for item in content)
    if kind in MAPPINGS:
        own = [decode(content.pop(0), resolve)] if kind == "defaultdict" else []
        items = {decode(key, resolve, shared): decode(item, resolve, shared) for key, item in content}
        return MAPPINGS[kind](*own, items)
    if kind in VIEWS:
        return VIEWS[kind]([decode(item, resolve, shared) for item in content])
    if kind in OF_TEXT:
        return OF_TEXT[kind](str(*content))
    if kind in SPANS:
        return SPANS[kind](*(decode(part, resolve) for part in content))
    if kind == "complex":
        real, imaginary = content
        return complex(float(real), float(imaginary))
    if kind == "timedelta":
        days, seconds, microseconds = map(int, content)
        return datetime.timedelta(days, seconds, microseconds)
    if kind == "int":
        return int(content[0], 16)
    if kind == "type" and content[0] in TYPES:
        return TYPES[content[0]]
    if kind == "array":
        return array(*content)
    return resolve(kind, content)


def holds_content(form: Form) -> bool:
    """Is it of a value that can be changed in place, or that may hold such?"""
    return isinstance(form, list) and form[0] in {*SEQUENCES, *MAPPINGS, *CHANGEABLE, "array"}


def array_form(value: Any, refer: Callable[[Any], Form]) -> Form | None:
    """The form of an array or a number of numpy; None for what is none, or holds objects."""
    numpy = sys.modules.get("numpy")
    if numpy is None or (type(value) is not numpy.ndarray and not isinstance(value, numpy.generic)):
        return None
    if value.dtype.hasobject or value.dtype.names:
        return None
    is_array = type(value) is numpy.ndarray
    return ["array", is_array, value.dtype.str, list(value.shape), numpy.ascontiguousarray(value).tobytes().hex()]


def array(is_array: bool, kind: str, shape: list[int], content: str) -> Any:
    import numpy

    if "O" in kind or "V" in kind:
        raise ValueError("no plain array")
    value = numpy.frombuffer(bytes.fromhex(content), numpy.dtype(kind)).reshape(shape).copy()
    return value if is_array else value[()]


class Channel:
    """Messages over one socket; a message is a list that starts with a word."""

    def __init__(self, descriptor: int, receives: int = MAX_LINE, sends: int = sys.maxsize) -> None:
        self.receives, self.sends = receives, sends  # bytes of a line
        self.incoming = os.fdopen(descriptor, "rb")
        self.outgoing = os.fdopen(os.dup(descriptor), "wb")

    def send(self, message: list[Any]) -> None:
        """Send a message. Raises Gone or TooLong."""
        line = json.dumps(message).encode() + b"\n"
        if len(line) > self.sends:
            raise TooLong
        try:
            self.outgoing.write(line)
            self.outgoing.flush()
        except OSError as error:
            raise Gone from error

    def receive(self) -> list[Any]:
        """The next message. Raises Gone or Flooded."""
        try:
            line = self.incoming.readline(self.receives + 1)
            if len(line) > self.receives:
                raise Flooded
            message = json.loads(line)
            if isinstance(message, list) and message and isinstance(message[0], str):
                return message
        except (OSError, ValueError, RecursionError) as error:
            raise Gone from error
        raise Gone
