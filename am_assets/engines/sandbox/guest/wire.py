"""Plain values between judge and candidate, as lines of JSON.

None, bool, str, float and small int go as they are, everything else as [type, content...]. What arrives has exactly one
of the types below, so that no object with an equality of its own ever reaches the judge. What is not a value stays
where it is and goes as a reference, [kind, number].
"""

import collections
import json
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import FunctionType
from typing import Any

LARGEST_LINE = 1 << 23
SMALL = 1 << 53
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
    """The other side has ended, or no longer keeps to the form of the talk."""


class Flooded(BaseException):
    """The other side sent a line beyond LARGEST_LINE."""


def encode(value: Any, refer: Callable[[Any], list]) -> Any:
    """The JSON form; `refer` gives the reference of what is no plain value. A subclass goes as the type it extends."""
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
    # Last, as Fraction is an abstract class: the first such look at a type is slow, in each cell anew.
    if not isinstance(value, FunctionType) and isinstance(value, Decimal | Fraction):
        return [type(value).__name__, str(value)]
    return refer(value)


def decode(form: Any, resolve: Callable[[str, Any], Any]) -> Any:
    """The value; `resolve` gives what a reference stands for. Raises some exception where the form is broken."""
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
    """Messages, lists that start with a word, over one socket."""

    def __init__(self, descriptor: int) -> None:
        self.incoming = os.fdopen(descriptor, "rb")
        self.outgoing = os.fdopen(os.dup(descriptor), "wb")

    def send(self, message: list) -> None:
        try:
            self.outgoing.write(json.dumps(message).encode() + b"\n")
            self.outgoing.flush()
        except OSError as error:
            raise Gone from error

    def receive(self) -> list:
        """The next message. Raises Gone or Flooded."""
        try:
            line = self.incoming.readline(LARGEST_LINE + 1)
            if len(line) > LARGEST_LINE:
                raise Flooded
            message = json.loads(line)
            if isinstance(message, list) and message and isinstance(message[0], str):
                return message
        except (OSError, ValueError, RecursionError) as error:
            raise Gone from error
        raise Gone
