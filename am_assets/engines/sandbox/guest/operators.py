"""What the objects of a program decide in its tests: the operators of the judge's end of the channel.

The program decides nothing about a plain value of the tests. What its own classes say counts where both operands are
the program's; where one is a plain value, it counts only for an object that the tests made themselves, of a class that
they name as classes are named (`P(1) + 2`, `3 in P(1)`), and never as a number or a truth value, which would decide the
test. Equality and order with a plain value are never the program's to tell.

What can not be told on these terms is a `Refusal`: the tests are then neither passed nor failed.
"""

from typing import Any

from am_assets.engines.sandbox.guest.peers import Peer
from am_assets.engines.sandbox.guest.shadows import CALCULATIONS, COMPARISONS, CONVERSIONS, OUTSIDE, Shadow, is_remote
from am_assets.engines.sandbox.guest.wire import Channel


class Refusal(BaseException):
    """The boundary of the two processes can not carry what the tests do; the message completes "sandbox can't"."""


class Operators(Peer):
    """An end of the channel that asks for calls and operators. A refusal stays, even if a test catches it."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.refused: Refusal | None = None
        self.named: set[int] = set()  # classes that the tests name, by id()
        self.built: set[int] = set()  # objects that the tests made of these
        self.mixed: set[int] = set()  # results of a calculation with a plain value

    def refusal(self, what: str) -> Refusal:
        """A Refusal, noted."""
        self.refused = self.refused or Refusal(what)
        return Refusal(what)

    def construct(self, kind: type, *arguments: Any, **named: Any) -> Any:
        made = self.called(kind, *arguments, **named)
        if id(kind) in self.named and is_remote(made):
            self.built.add(id(made))
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
        kind: Any = type(other)
        if other is None or kind.__eq__ is object.__eq__ or kind.__module__.partition(".")[0] in OUTSIDE:
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

    def copied(self, function: str, value: Any) -> Any:
        copy = super().copied(function, value)
        if id(value) in self.built and is_remote(copy):
            self.built.add(id(copy))
        return copy
