"""The protocol of judge and candidate: plain values as lines of JSON.

None, bool, str, float and small int are encoded as themselves, everything else as [type, content...]. Decoded values
have exactly one of the types below, so that no object with a custom `__eq__` ever reaches the judge. Other objects stay
in their process and are sent as references, [kind, number].

    >>> encode((1, {"a"}), refer)
    ['tuple', 1, ['set', 'a']]
"""

import collections
import json
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import FunctionType
from typing import Any

MAX_LINE = 1 << 23  # bytes
DETAIL = 2000  # characters or bytes of output that are kept for a person to read
SMALL = 1 << 53  # integers below it are exact in JSON
SEQUENCES = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": collections.deque,
}
MAPPINGS = {"Counter": collections.Counter, "OrderedDict": collections.OrderedDict, "dict": dict}
PLAIN_TYPES: list[type] = [bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset]
TYPES = {kind.__name__: kind for kind in PLAIN_TYPES}


class Gone(BaseException):
    """The other side has ended or broken the protocol."""


class Flooded(BaseException):
    """The other side sent a line longer than MAX_LINE."""


def encode(value: Any, refer: Callable[[Any], list[Any]]) -> Any:
    """The JSON form; `refer` returns the reference of an object. Subclasses are encoded as their base type."""
    if value is None or type(value) in (bool, str):
        return value
    if isinstance(value, type):
        return ["type", value.__name__] if TYPES.get(value.__name__) is value else refer(value)
    if isinstance(value, int):
        value = int(value)
        return value if -SMALL < value < SMALL else ["int", format(value, "x")]  # no limit on digits in base 16
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray):
        return [type(value).__name__ if type(value) in (bytes, bytearray) else "bytes", bytes(value).hex()]
    if isinstance(value, complex):
        return ["complex", value.real, value.imag]
    if isinstance(value, range):
        return ["range", *(encode(part, refer) for part in (value.start, value.stop, value.step))]
    for name, kind in MAPPINGS.items():
        if isinstance(value, kind):
            return [name, *([encode(key, refer), encode(item, refer)] for key, item in dict.items(value))]
    for name, sequence in SEQUENCES.items():
        if isinstance(value, sequence):
            return [name, *(encode(item, refer) for item in value)]
    # Last, as the first isinstance check of a type against Fraction, an abstract class, is slow, in each cell anew.
    if not isinstance(value, FunctionType) and isinstance(value, Decimal | Fraction):
        return [type(value).__name__, str(value)]
    return refer(value)


def decode(form: Any, resolve: Callable[[str, Any], Any]) -> Any:
    """The value; `resolve` returns the object of a reference. Raises some exception where the form is invalid."""
    if not isinstance(form, list):
        if form is None or type(form) in (bool, int, float, str):
            return form
        raise ValueError("not a value")
    kind, *content = form
    if kind in SEQUENCES:
        return SEQUENCES[kind](decode(item, resolve) for item in content)
    if kind in MAPPINGS:
        return MAPPINGS[kind]({decode(key, resolve): decode(item, resolve) for key, item in content})
    if kind == "range":
        return range(*(decode(part, resolve) for part in content))
    if kind == "complex":
        real, imaginary = content
        return complex(float(real), float(imaginary))
    (only,) = content
    if kind == "int":
        return int(only, 16)
    if kind in ("bytes", "bytearray"):
        return bytes.fromhex(only) if kind == "bytes" else bytearray.fromhex(only)
    if kind == "type":
        return TYPES[only]
    if kind in ("Decimal", "Fraction"):
        return {"Decimal": Decimal, "Fraction": Fraction}[kind](str(only))
    return resolve(kind, only)


class Channel:
    """Messages over one socket; a message is a list that starts with a word."""

    def __init__(self, descriptor: int) -> None:
        self.incoming = os.fdopen(descriptor, "rb")
        self.outgoing = os.fdopen(os.dup(descriptor), "wb")

    def send(self, message: list[Any]) -> None:
        """Send a message. Raises Gone."""
        try:
            self.outgoing.write(json.dumps(message).encode() + b"\n")
            self.outgoing.flush()
        except OSError as error:
            raise Gone from error

    def receive(self) -> list[Any]:
        """The next message. Raises Gone or Flooded."""
        try:
            line = self.incoming.readline(MAX_LINE + 1)
            if len(line) > MAX_LINE:
                raise Flooded
            message = json.loads(line)
            if isinstance(message, list) and message and isinstance(message[0], str):
                return message
        except (OSError, ValueError, RecursionError) as error:
            raise Gone from error
        raise Gone
