"""The judge's end of the channel: what it lets the candidate see, do and decide.

The program decides nothing about a plain value of the tests. What its own classes say counts where both operands are
the program's; where one is a plain value, it counts only for an object that the tests made themselves, of a class that
they name as classes are named (`P(1) + 2`, `3 in P(1)`), and never as a number or a truth value, which would decide the
test. Equality and order with a plain value are never the program's to tell. The program sees the arguments of its
calls; of the tests' own objects it gets what their classes offer without an underscore.

What can not be told on these terms is a `Refusal`: the tests are then neither passed nor failed.
"""

import io
import types
from importlib import import_module
from typing import Any

from am_assets.engines.sandbox.guest import functions
from am_assets.engines.sandbox.guest.peers import Broken, Peer
from am_assets.engines.sandbox.guest.shadows import (
    CALCULATIONS,
    COMPARISONS,
    CONVERSIONS,
    SPECIAL,
    Here,
    Shadow,
    is_remote,
)
from am_assets.engines.sandbox.guest.wire import MUTABLE, PLAIN, Channel, Flooded, Form, Gone, Shared

# Modules that tests may use by way of the program: always the real ones, never objects of the program.
SHARED_MODULES = {"bisect", "cmath", "collections", "copy", "decimal", "fractions", "functools", "heapq", "itertools"}
SHARED_MODULES |= {"json", "math", "operator", "random", "re", "statistics", "string", "sys", "time", "typing"}
FUNCTIONS = types.FunctionType | types.MethodType | types.BuiltinFunctionType | types.MethodDescriptorType
STREAMS = io.StringIO | io.BytesIO
CONTROLS = {"configure_mock", "attach_mock", "mock_add_spec"}
KEPT = 16  # copies of attributes that are watched for changes


class Refusal(BaseException):
    """The boundary of the two processes can not carry what the tests do; the message completes "sandbox can't"."""


class Link(Peer):
    """The judge's end. A lost candidate stays lost, even if a test catches the exception; so does a refusal."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.lost: BaseException | None = None
        self.refused: Refusal | None = None
        self.patched: set[str] = set()  # modules that the tests patch by way of the program
        self.trace = ""  # of the last exception in the program, for a person
        self.named: set[int] = set()  # classes that the tests name, by id()
        self.handed: set[int] = set()  # classes that the tests hand over themselves, by id()
        self.built: set[int] = set()  # objects that the tests made of these
        self.mixed: set[int] = set()  # results of a calculation with a plain value
        self.copies: dict[tuple[int, str], tuple[Any, str, Any, Form]] = {}
        self.before_asking: list[Any] = []  # functions that carry changes over, see `patches.py`
        self.after_asking: list[Any] = []  # and functions that take changes over, see `globals.py`

    def refusal(self, what: str) -> Refusal:
        """A Refusal, noted."""
        self.refused = self.refused or Refusal(what)
        return Refusal(what)

    # --- asking

    def ask(self, operation: str, *operands: Any, **named: Any) -> Any:
        if self.lost:
            raise self.lost
        self.write_back()
        for carry in self.before_asking:
            carry()
        try:
            return super().ask(operation, *operands, **named)
        finally:
            for look in self.after_asking if not self.lost else ():
                look()

    def exchange(self, message: list[Any], shared: Shared) -> Any:
        if self.lost:
            raise self.lost
        try:
            return super().exchange(message, shared)
        except Broken as error:
            self.lost = Gone()
            raise self.lost from error
        except (Gone, Flooded) as error:
            self.lost = error
            raise

    def construct(self, kind: type, *arguments: Any, **named: Any) -> Any:
        made = self.called(kind, *arguments, **named)
        if id(kind) in self.named and is_remote(made):
            self.built.add(id(made))
        return made

    def derived(self, name: str, bases: tuple[type, ...], space: dict[str, Any], **named: Any) -> type:
        """A class of the tests with one of the program for a base."""
        cell = space.pop("__classcell__", None)
        wrapped = {key: (type(value).__name__, *parts(value)) for key, value in space.items() if wraps(value)}
        own = {key: value for key, value in space.items() if key not in wrapped and key != "__annotations__"}
        made: type = self.ask("derive", name, bases, own, wrapped, named)
        if cell is not None:
            cell.cell_contents = made  # for `super()`
        self.named.add(id(made))
        return made

    def called(self, function: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return self.ask("call", function, *arguments, **named)
        except StopIteration as error:  # would silently end a loop in the tests
            if type(function).__name__ == "builtin_function_or_method":  # as of a generator's `send`
                raise self.refusal("let a call end by StopIteration") from error
            raise RuntimeError("the program raised StopIteration") from error

    def operate(self, name: str, owner: type | None, value: Any, *operands: Any, **named: Any) -> Any:
        if name == "__call__":
            return self.called(value, *operands, **named)
        plain = [each for each in operands if not is_remote(each)]
        if name in COMPARISONS:
            if plain:
                return self.compared(value, plain[0])
            if type(value) is not type(operands[0]) and id(owner) not in self.named:
                raise self.refusal(f"let a {type(value).__name__} of the program tell what it equals")
        if name == "__contains__" and plain and not self.is_built(value):
            raise self.refusal(f"let a {type(value).__name__} of the program tell what it contains")
        if name in CALCULATIONS:
            return self.calculated(name, owner, value, operands, bool(plain))
        if name in CONVERSIONS and id(value) in self.mixed:
            raise self.refusal(f"let a {type(value).__name__} of the program tell how it compares")
        try:
            result = super().operate(name, owner, value, *operands, **named)
        except StopIteration as error:
            if name == "__next__":
                raise
            raise RuntimeError("the program raised StopIteration") from error
        if name == "__exit__" and result and operands[0] is not None and issubclass(operands[0], AssertionError):
            raise self.refusal("let the program suppress a failed assertion")
        return result

    def compared(self, value: Any, other: Any) -> Any:
        """Equality or order of an object of the program and one of the tests."""
        if other is None or (type(other) not in PLAIN and type(other).__module__ != "numpy"):
            return NotImplemented  # up to the other, a mock or a class of the tests; else identity
        raise self.refusal(f"compare a {type(value).__name__} of the program with a {type(other).__name__}")

    def calculated(self, name: str, owner: Any, value: Any, operands: tuple[Any, ...], plain: bool) -> Any:
        if plain and not self.is_built(value):
            raise self.refusal(f"calculate with a {type(value).__name__} of the program and a plain value")
        result = super().operate(name, owner, value, *operands)
        if result is NotImplemented:
            return result
        if not is_remote(result):
            if plain or any(id(each) in self.mixed for each in (value, *operands)):
                raise self.refusal(f"calculate with a {type(value).__name__} of the program and a plain value")
            return result
        parts = {id(value), *map(id, operands)}
        if plain or parts & self.mixed:
            self.mixed.add(id(result))
        if plain or parts <= self.built:
            self.built.add(id(result))
        return result

    def is_built(self, value: Any) -> bool:
        return id(value) in (self.named if type(value) is Shadow else self.built)

    def get(self, value: Any, name: str) -> Any:
        result = self.ask("get", value, name)
        if type(result) in MUTABLE:
            while len(self.copies) >= KEPT:
                del self.copies[next(iter(self.copies))]
            self.copies[id(value), name] = value, name, result, self.encode(result)
        return result

    def write_back(self) -> None:
        """Tell the program of changes that the tests made to lists, dicts and sets that they took from its objects."""
        for key, (value, name, copy, before) in list(self.copies.items()):
            if (after := self.encode(copy)) != before:
                self.copies[key] = value, name, copy, after
                super().ask("update", value, name, copy)

    def copied(self, function: str, value: Any) -> Any:
        copy = super().copied(function, value)
        if id(value) in self.built and is_remote(copy):
            self.built.add(id(copy))
        return copy

    def traced(self, trace: str) -> None:
        self.trace = trace

    def stand_in(self, kind: str, number: int, *description: Any) -> Any:
        return self.awaited(number) if kind == "awaitable" else super().stand_in(kind, number, *description)

    async def awaited(self, number: int) -> Any:
        """The result of a coroutine of the program, which runs there beside the others that the tests began."""
        import asyncio

        self.ask("begin", Lent(number))
        await asyncio.sleep(0)
        return self.ask("finish", Lent(number))

    def module(self, name: str) -> Any:
        return import_module(name) if name in SHARED_MODULES | self.patched else Hidden(name)

    # --- serving

    def encode(self, value: Any, shared: Shared | None = None) -> Form:
        try:
            return super().encode(value, shared)
        except RecursionError:
            raise self.refusal("hand a value that holds itself to the program") from None

    def refer(self, value: Any) -> Form:
        kind = type(value)
        if kind is Lent:
            return ["own", value.number]
        if kind is types.FunctionType:
            return ["function", self.lend(value), *functions.described(value, self.encode)]
        if isinstance(value, type):
            self.handed.add(id(value))
        return super().refer(value)

    def lend(self, value: Any) -> int:
        kind = type(value)
        if not (
            isinstance(value, type | BaseException | FUNCTIONS | STREAMS)
            or kind.__module__ in ("solution", "unittest.mock", "functools", "_io")
            or hasattr(kind, "__next__")
        ):
            raise self.refusal(f"hand a {kind.__name__} to the program")
        return super().lend(value)

    def answer(self, operation: str, *content: Any) -> list[Any]:
        target = content[0][2 if operation == "special" else 0]
        if not isinstance(target, list) or target[0] != "own":
            raise Broken
        return super().answer(operation, *content)

    def raised(self, error: BaseException) -> list[Any]:
        if isinstance(error, Refusal):
            error = RuntimeError(str(error))
        return super().raised(error)

    def perform(self, operation: str, operands: list[Form], named: dict[str, Form]) -> Form:
        """Only what the tests offer by what they hand over."""
        value = self.decode(operands[2 if operation == "special" else 0])
        if isinstance(value, type) and (operation == "special" or id(value) not in self.handed):
            raise self.refusal("let the program use a class of the tests")
        if operation in ("get", "set", "del"):
            self.permit(value, str(operands[1]), operation)
        elif operation == "special":
            owner = self.decode(operands[0])
            if operands[1] not in SPECIAL or not isinstance(owner, type) or operands[1] not in vars(owner):
                raise Broken
        elif operation != "call":
            raise Broken
        return super().perform(operation, operands, named)

    def permit(self, value: Any, name: str, operation: str) -> None:
        """Raises where what the program does with an attribute of the tests' objects is not for it."""
        of_tests = type(value).__module__ == "solution"
        if name.startswith("__"):
            if operation != "get" or name not in ("__dict__", "__name__", "__qualname__"):
                raise AttributeError(name)
            if name == "__dict__" and not of_tests:
                raise self.refusal("show the program a namespace of the tests")
            return
        if not of_tests and not isinstance(value, type) and (operation != "get" or name[0] == "_" or name in CONTROLS):
            raise self.refusal(f"let the program {operation} {name} of a {type(value).__name__} of the tests")
        if operation != "get" and callable(getattr(type(value), name, None)):
            raise self.refusal(f"let the program replace the method {name} of the tests")


def wraps(value: object) -> bool:
    return isinstance(value, property | staticmethod | classmethod)


def parts(value: Any) -> tuple[Any, ...]:
    """What a property, static or class method is made of."""
    return (value.fget, value.fset, value.fdel) if isinstance(value, property) else (value.__func__,)


class Hidden(types.ModuleType):
    """Stands for a module that the program has imported and the tests may not use by way of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # looked for by tools
            raise AttributeError(name)
        raise Here.peer.refusal(f"show the tests the program's module {self.__name__}")


class Lent:
    """An object of the candidate by its number."""

    def __init__(self, number: int) -> None:
        self.number = number
