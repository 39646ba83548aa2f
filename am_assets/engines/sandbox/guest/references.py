"""References to the objects of the other side, the same in judge and candidate: how values are written and read.

References are ["object", number, class, content], ["class", number, ...] with a description the first time,
["own", number] for what the receiver has lent; from the judge also ["function", number, ...] and from the candidate
["awaitable", number].
"""

import importlib
import types
from typing import Any

from am_assets.engines.sandbox.guest.operations import Plain
from am_assets.engines.sandbox.guest.shadows import COMMON, COMMON_BY_NAME, ORIGINALS, SPECIAL, Shadow, new_shadow
from am_assets.engines.sandbox.guest.wire import (
    IMMUTABLE,
    TYPES,
    Form,
    Shared,
    array_form,
    decode,
    encode,
    encode_as,
    plain_base,
)

SAY_NOTHING = {"__module__", "__doc__", "__dict__", "__weakref__", "__qualname__", "__annotations__", "__slots__"}
SAY_NOTHING |= {"__firstlineno__", "__static_attributes__"}


class References:
    """What is lent to the other side, and what stands for its objects."""

    def __init__(self) -> None:
        self.lent: list[Any] = []
        self.numbers: dict[int, int] = {}  # of what is lent, by id(): an object has one reference
        self.described: set[int] = set()  # numbers of lent classes
        self.remotes: dict[int, Any] = {}  # what stands for the objects of the other side, by number
        self.remote_numbers: dict[int, int] = {}

    def lend(self, value: Any) -> int:
        """The number of an object of this side; it is kept as long as the process lives."""
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.lent)
            self.lent.append(value)
        return self.numbers[id(value)]

    def encode(self, value: Any, shared: Shared | None = None) -> Form:
        return encode(value, self.refer, shared)

    def form(self, value: Any, shared: Shared | None = None) -> Form:
        """The form of a value, to compare it: nothing is sent."""
        described = set(self.described)
        form = self.encode(value, shared)
        self.described = described
        return form

    def refer(self, value: Any) -> Form:
        """The form of what is no plain value."""
        if (number := self.remote_numbers.get(id(value))) is not None:
            return ["own", number]
        kind = type(value)
        if kind is Plain:
            return encode_as(value.kind, value.value, self.refer)
        if isinstance(value, type):
            return ["original", ORIGINALS[value].__name__] if value in ORIGINALS else self.class_form(value)
        if kind is types.NotImplementedType:
            return ["constant", "NotImplemented"]
        if kind is types.EllipsisType:
            return ["constant", "Ellipsis"]
        if kind is types.TracebackType:
            return None
        if kind is types.ModuleType:
            return ["module", value.__name__]
        if kind is types.CoroutineType:
            return ["awaitable", self.lend(value)]
        if (array := array_form(value, self.refer)) is not None:
            return array
        return self.object_form(value, kind)

    def object_form(self, value: Any, kind: type) -> Form:
        base = plain_base(kind)
        if base is not None and not adds_to(kind, base):
            return encode_as(base, value, self.refer)
        if isinstance(value, BaseException):
            content: Form = [self.encode_or_text(each) for each in value.args]
        else:
            content = encode_as(base, value, self.refer) if base in IMMUTABLE else None
        kind_form = self.class_form(kind)
        number = (
            -1 if kind_form[0] == "type" and kind not in COMMON else self.lend(value)
        )  # built-in exceptions are values
        return ["object", number, kind_form, content]

    def encode_or_text(self, value: Any) -> Form:
        try:
            return self.encode(value)
        except Exception:
            return str(value)

    def class_form(self, kind: type) -> Form:
        if kind in COMMON or TYPES.get(kind.__name__) is kind or EXCEPTIONS.get(kind.__name__) is kind:
            return ["type", kind.__name__]
        number = self.lend(kind)
        if number in self.described:
            return ["class", number]
        self.described.add(number)
        bases = [self.encode(base) for base in kind.__bases__]
        return ["class", number, kind.__name__, str(kind.__module__), bases, members_of(kind)]

    def decode(self, form: Form, shared: Shared | None = None) -> Any:
        return decode(form, self.resolve, shared)

    def resolve(self, kind: str, content: list[Any]) -> Any:
        """What a form stands for that is no plain value."""
        if kind == "own":
            (number,) = content
            if type(number) is not int or number < 0:
                raise ValueError("no number")
            return self.lent[number]
        if kind == "type":
            return COMMON_BY_NAME.get(content[0]) or EXCEPTIONS[content[0]]
        if kind == "original":
            return next(each for each in COMMON if each.__name__ == content[0])
        if kind == "constant":
            return {"NotImplemented": NotImplemented, "Ellipsis": ...}[content[0]]
        if kind == "module":
            return self.module(str(content[0]))
        number, *description = content
        if type(number) is not int:
            raise ValueError("no reference")
        if kind == "object" and number == -1:
            return rebuilt(self.decode(description[0]), [self.decode(each) for each in description[1]])
        if number not in self.remotes:
            made = self.stand_in(kind, number, *description)
            self.remotes[number] = made
            self.remote_numbers[id(made)] = number
        return self.remotes[number]

    def stand_in(self, kind: str, number: int, *description: Any) -> Any:
        """What stands here for object `number` of the other side."""
        if kind == "class":
            name, module, bases, members = description
            return new_shadow(str(name), str(module), [self.decode(base) for base in bases], list(map(str, members)))
        shadow, content = self.decode(description[0]), description[1]
        if issubclass(shadow, BaseException):
            return rebuilt(shadow, [self.decode(each) for each in content])
        if type(shadow) is not Shadow:
            raise ValueError("no class of the other side")
        base: Any = next((each for each in shadow.__mro__ if each in IMMUTABLE), object)
        made: Any = shadow
        return base.__new__(made) if base is object else base.__new__(made, self.decode(content))

    def module(self, name: str) -> Any:
        return importlib.import_module(name)


def members_of(kind: type) -> list[str]:
    """What a shadow has of its class: operators, and of a class of a program all attributes."""
    space = vars(kind)
    members = [f"!{name}" if space[name] is None else name for name in SPECIAL if name in space]
    if kind.__module__ == "solution":
        members += [name for name in space if not name.startswith("__")]
    return [*members, "__doc__"]


def adds_to(kind: type, base: type) -> bool:
    """Does a class of a program add anything to the plain type that it is derived from? A library's count as plain."""
    if base is tuple:
        return kind is not tuple
    own = [each for each in kind.__mro__ if each not in base.__mro__]
    return any(each.__module__ == "solution" and set(vars(each)) - SAY_NOTHING for each in own)


def rebuilt(kind: Any, arguments: list[Any]) -> BaseException:
    """An exception of this class; of a shadow without a call, which would make another one on the other side."""
    if not isinstance(kind, Shadow):
        if not issubclass(kind, Exception | SystemExit | KeyboardInterrupt):
            return Exception(*arguments)
        try:
            made: BaseException = kind(*arguments)
            return made
        except Exception:  # such as JSONDecodeError, which takes other arguments than it keeps
            pass
    made = kind.__new__(kind, *arguments)
    return made


EXCEPTIONS = {
    name: kind for name, kind in vars(__import__("builtins")).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__name__ == name
}  # fmt: skip
