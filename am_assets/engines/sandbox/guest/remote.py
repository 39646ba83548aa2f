"""Proxies of the candidate's objects in the judge.

The operations of a `Remote` are chosen so that no operator sends an expected value to the candidate: call, attributes,
items, length, text and iteration only transmit what the test passes. It has no `in`, order or arithmetic, and is equal
only to itself.
"""

import builtins
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from am_assets.engines.sandbox.guest.wire import Channel, Gone, decode, encode

# Modules that tests may use by way of the program: always the real ones, never objects of the program.
SHARED_MODULES = {"bisect", "cmath", "collections", "copy", "decimal", "fractions", "functools", "heapq", "itertools"}
SHARED_MODULES |= {"json", "math", "operator", "random", "re", "statistics", "string", "sys", "time", "typing"}


class Link:
    """The judge's end of the channel. A lost candidate stays lost, even if a test catches the exception."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.lost: BaseException | None = None
        self.remotes: dict[int, Remote] = {}
        self.functions: list[Callable[..., Any]] = []  # of the tests, passed to the program as arguments
        self.trace = ""  # of the last exception in the program, for a person

    def refer(self, value: Any) -> list[Any]:
        """The reference of a proxy or of a function of the tests."""
        if type(value) is Remote:
            return ["object", object.__getattribute__(value, "_number")]
        if not callable(value):
            raise TypeError(f"the tests hand over a {type(value).__name__}, which is no plain value")
        self.functions.append(value)
        return ["function", len(self.functions) - 1]

    def resolve(self, kind: str, content: Any) -> Any:
        """The proxy or module of a reference from the candidate."""
        if kind == "module":
            return import_module(content) if content in SHARED_MODULES else None
        if kind != "object" or type(content) is not int:
            raise ValueError("no reference")
        if content not in self.remotes:
            self.remotes[content] = Remote(self, content)
        return self.remotes[content]

    def ask(self, operation: str, *operands: Any, **named: Any) -> Any:
        """The result of an operation of the candidate."""
        forms = [encode(operand, self.refer) for operand in operands]
        return self.exchange(
            [operation, forms, {name: encode(value, self.refer) for name, value in named.items()}], operands
        )

    def exchange(self, message: list[Any], operands: tuple[Any, ...] = ()) -> Any:
        """Send a request, serve callbacks, and return the result or raise the program's exception."""
        if self.lost:
            raise self.lost
        try:
            self.channel.send(message)
            while (answer := self.channel.receive())[0] == "back":
                self.channel.send(self.called_back(*answer[1:]))
            return self.understood(operands, *answer)
        except Broken as error:
            self.lost = Gone()
            raise self.lost from error
        except BaseException as error:
            if not isinstance(error, Exception) and not isinstance(error, SystemExit | KeyboardInterrupt):
                self.lost = error  # Gone or Flooded
            raise

    def called_back(self, number: Any, *forms: Any) -> list[Any]:
        """The answer to a call of a function of the tests by the program."""
        try:
            arguments = [decode(form, self.resolve) for form in forms]
            function = self.functions[number]
        except Exception as error:
            raise Broken from error
        try:
            return ["returned", encode(function(*arguments), self.refer)]
        except Exception as error:
            return ["raised", type(error).__name__, str(error)]

    def understood(self, operands: tuple[Any, ...], word: str, *content: Any) -> Any:
        """The result in an answer, after in-place changes of `operands` are applied; raises what the program raised."""
        try:
            if word == "returned":
                form, changed = content
                updates = [(operands[place], decode(after, self.resolve)) for place, after in changed]
                result = decode(form, self.resolve)
                for value, after in updates:
                    update(value, after)
                return result
            if word != "raised":
                raise ValueError(word)
            names, text, trace = content
            error = rebuilt([str(name) for name in names], str(text))
            self.trace = str(trace)
        except Exception as broken:
            raise Broken from broken
        raise error


class Broken(Exception):
    """An answer violates the protocol."""


def rebuilt(names: list[str], text: str) -> BaseException:
    """An instance of the most specific built-in exception among the class names `names` (most specific first)."""
    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception | SystemExit | KeyboardInterrupt):
            try:
                return kind(text if names[0] == name else f"{names[0]}: {text}")
            except TypeError:  # such as UnicodeDecodeError, which takes more arguments
                continue
    return Exception(text)


def update(value: Any, after: Any) -> None:
    """Apply in-place changes by the program to a list, dict, set or bytearray of the tests."""
    kind = next((kind for kind in (list, bytearray, dict, set) if isinstance(value, kind)), None)
    if kind is None or not isinstance(after, kind):
        raise ValueError("another type")
    value.clear()
    (value.extend if kind in (list, bytearray) else value.update)(after)


class Remote:
    """A proxy of one object of the candidate."""

    __slots__ = ("_link", "_number")

    def __init__(self, link: Link, number: int) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols of copying, pickling and the like
            raise AttributeError(name)
        return self._link.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._link.ask("set", self, name, value)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        try:
            return self._link.ask("call", self, *arguments, **named)
        except StopIteration as error:  # would silently end a loop in the tests
            raise RuntimeError("the program raised StopIteration") from error

    def __getitem__(self, key: Any) -> Any:
        return self._link.ask("item", self, key)

    def __len__(self) -> int:
        length: int = self._link.ask("len", self)
        return length

    def __iter__(self) -> Iterator[Any]:
        iterator = self._link.ask("iter", self)
        while True:
            try:
                item = self._link.ask("next", iterator)
            except StopIteration:
                return
            yield item

    def __next__(self) -> Any:
        return self._link.ask("next", self)

    def __str__(self) -> str:
        text: str = self._link.ask("str", self)
        return text

    def __bool__(self) -> bool:
        truth: bool = self._link.ask("bool", self)
        return truth
