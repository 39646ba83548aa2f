"""One end of the channel, the same in judge and candidate: objects lent to the other side, and operations on them.

A request is [operation, operands, named operands]; while it waits for the answer a side serves requests of the other.
An answer is ["returned", form, in-place changes of operands] or ["raised", form, trace, cause]. References are
["object", number, class, content], ["class", number, ...] with a description the first time, ["own", number] for what
the receiver has lent; from the judge also ["function", number, ...] and from the candidate ["awaitable", number].
"""

import importlib
import types
from typing import Any

from am_assets.engines.sandbox.guest.operations import OPERATIONS, Plain, replace_content
from am_assets.engines.sandbox.guest.shadows import COMMON, COMMON_BY_NAME, ORIGINALS, SPECIAL, Here, Shadow, new_shadow
from am_assets.engines.sandbox.guest.wire import (
    IMMUTABLE,
    MUTABLE,
    TYPES,
    Channel,
    Flooded,
    Form,
    Gone,
    array_form,
    decode,
    encode,
    encode_as,
    plain_base,
)

SAY_NOTHING = {"__module__", "__doc__", "__dict__", "__weakref__", "__qualname__", "__annotations__", "__slots__"}
SAY_NOTHING |= {"__firstlineno__", "__static_attributes__"}


class Broken(Exception):
    """A message violates the protocol."""


class Peer:
    """This process's end of the channel."""

    operations = OPERATIONS

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.lent: list[Any] = []
        self.numbers: dict[int, int] = {}  # of what is lent, by id(): an object has one reference
        self.described: set[int] = set()  # numbers of lent classes
        self.remotes: dict[int, Any] = {}  # what stands for the objects of the other side, by number
        self.remote_numbers: dict[int, int] = {}
        Here.peer = self

    # --- references

    def lend(self, value: Any) -> int:
        """The number of an object of this side; it is kept as long as the process lives."""
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.lent)
            self.lent.append(value)
        return self.numbers[id(value)]

    def encode(self, value: Any) -> Form:
        return encode(value, self.refer)

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

    def decode(self, form: Form) -> Any:
        return decode(form, self.resolve)

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

    # --- asking

    def get(self, value: Any, name: str) -> Any:
        return self.ask("get", value, name)

    def construct(self, kind: type, *arguments: Any, **named: Any) -> Any:
        return self.ask("call", kind, *arguments, **named)

    def derived(self, name: str, bases: tuple[type, ...], space: dict[str, Any], **named: Any) -> type:
        raise TypeError(f"{name} can not be derived here")

    def operate(self, name: str, owner: type | None, value: Any, *operands: Any, **named: Any) -> Any:
        """The result of an operator of `value`, as the class `owner` defines it."""
        if name == "__call__":
            return self.ask("call", value, *operands, **named)
        return self.ask("special", owner, name, value, *operands, **named)

    def content(self, value: Any) -> Any:
        """The plain content of an object whose class is derived from a plain type."""
        return self.ask("content", value)

    def refusal(self, what: str) -> BaseException:
        """What is raised where an operation can't be carried to the other side."""
        return TypeError(what)

    def copied(self, function: str, value: Any) -> Any:
        return self.ask("apply", function, value)

    def ask(self, operation: str, *operands: Any, **named: Any) -> Any:
        """The result of an operation on the other side; raises what it raised there."""
        forms = [self.encode(operand) for operand in operands]
        named_forms = {name: self.encode(value) for name, value in named.items()}
        return self.exchange([operation, forms, named_forms], operands)

    def exchange(self, message: list[Any], operands: tuple[Any, ...] = ()) -> Any:
        self.send(message)
        while (answer := self.channel.receive())[0] not in ("returned", "raised"):
            self.send(self.answer(*answer))
        return self.understood(operands, *answer)

    def send(self, message: list[Any]) -> None:
        self.channel.send(message)

    def understood(self, operands: tuple[Any, ...], word: str, *content: Any) -> Any:
        """The result in an answer, after in-place changes of `operands` are applied; raises what was raised."""
        try:
            if word == "returned":
                form, changed = content
                updates = [(operands[place], self.decode(after)) for place, after in changed]
                result = self.decode(form)
                for value, after in updates:
                    replace_content(value, after)
                return result
            form, trace, cause = content
            error = self.decode(form)
            if not isinstance(error, BaseException):
                raise ValueError("no exception")
            error.__cause__ = self.decode(cause)
            self.traced(str(trace))
        except Exception as broken:
            raise Broken from broken
        raise error

    def traced(self, trace: str) -> None:
        """Called with the trace of an exception on the other side."""

    # --- serving

    def answer(self, operation: str, *content: Any) -> list[Any]:
        """The answer to a request."""
        try:
            operands, named = content
            return ["returned", *self.perform(operation, operands, named)]
        except (Gone, Flooded, Broken):
            raise
        except BaseException as error:
            return self.raised(error)

    def raised(self, error: BaseException) -> list[Any]:
        """The answer to a request that failed; the trace is for a person."""
        return ["raised", self.encode(error), "", self.encode(error.__cause__)]

    def perform(self, operation: str, operands: list[Form], named: dict[str, Form]) -> tuple[Form, list[Any]]:
        """The form of the result, and position and new content of each operand that was changed in place."""
        values = [self.decode(operand) for operand in operands]
        result = self.operations[operation](*values, **{name: self.decode(form) for name, form in named.items()})
        changed = []
        for place, (value, before) in enumerate(zip(values, operands, strict=True)):
            if (type(value) in MUTABLE or is_array(before)) and (after := self.encode(value)) != before:
                changed.append([place, after])
        return self.encode(result), changed


def is_array(form: Form) -> bool:
    return isinstance(form, list) and form[0] == "array" and form[1]


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
