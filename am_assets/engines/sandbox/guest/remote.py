"""The judge's end of the channel: what it lets the candidate see and do.

The program sees the arguments of its calls; of the tests' own objects it gets what their classes offer without an
underscore. What its own objects decide stands in `operators.py`.
"""

import io
import types
from importlib import import_module
from typing import Any

from am_assets.engines.sandbox.guest import functions
from am_assets.engines.sandbox.guest.operators import Operators, Refusal
from am_assets.engines.sandbox.guest.peers import Broken
from am_assets.engines.sandbox.guest.shadows import SPECIAL, Here
from am_assets.engines.sandbox.guest.wire import MUTABLE, Channel, Flooded, Form, Gone, Shared, TooLong

# Modules that tests may use by way of the program: always the real ones, never objects of the program.
SHARED_MODULES = {"bisect", "cmath", "collections", "copy", "decimal", "fractions", "functools", "heapq", "itertools"}
SHARED_MODULES |= {"json", "math", "operator", "random", "re", "statistics", "string", "sys", "time", "typing"}
FUNCTIONS = types.FunctionType | types.MethodType | types.BuiltinFunctionType | types.MethodDescriptorType
STREAMS = io.StringIO | io.BytesIO
CONTROLS = {"configure_mock", "attach_mock", "mock_add_spec"}
KEPT = 16  # copies of attributes that are watched for changes


class Link(Operators):
    """The judge's end. A lost candidate stays lost, even if a test catches the exception; so does a refusal."""

    keeps_specials = True

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.lost: BaseException | None = None
        self.patience = -1.0  # seconds that a thread waits for its turn
        self.give_up: Any = None  # called with a Refusal that ends the tests
        self.patched: set[str] = set()  # modules that the tests patch by way of the program
        self.trace = ""  # of the last exception in the program, for a person
        self.handed: set[int] = set()  # classes that the tests hand over themselves, by id()
        self.copies: dict[tuple[int, str], tuple[Any, str, Any, Form]] = {}
        self.before_asking: list[Any] = []  # functions that carry changes over, see `patches.py`
        self.after_asking: list[Any] = []  # and functions that take changes over, see `globals.py`

    # --- asking

    def ask(self, operation: str, *operands: Any, **named: Any) -> Any:
        if not self.turn.acquire(timeout=self.patience):
            self.give_up(self.refusal("let one thread of the tests wait for another in the program"))
        try:
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
        finally:
            self.turn.release()

    def exchange(self, message: list[Any], shared: Shared) -> Any:
        if self.lost:
            raise self.lost
        try:
            return super().exchange(message, shared)
        except TooLong:
            raise self.refusal("hand more than 16 MB to the program") from None
        except Broken as error:
            self.lost = Gone()
            raise self.lost from error
        except (Gone, Flooded) as error:
            self.lost = error
            raise

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

    def traced(self, trace: str) -> None:
        self.trace = trace

    def stand_in(self, kind: str, number: int, *description: Any) -> Any:
        return self.awaited(number) if kind == "awaitable" else super().stand_in(kind, number, *description)

    async def awaited(self, number: int) -> Any:
        """The result of a coroutine of the program, which runs there beside the others that the tests began."""
        import asyncio

        self.ask("begin", Lent(number))
        while not (state := self.ask("advance", Lent(number))):
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                self.ask("cancel", Lent(number))
        if state == "cancelled":
            raise asyncio.CancelledError
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
            if operation != "get" and isinstance(value, type):
                raise self.refusal(f"let the program {operation} {name} of a class of the tests")
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
