"""The candidate's half of a job: loads the program and performs the judge's operations on its objects.

Nothing here is a safeguard, as the program can change all of it. It sees the arguments of each call and nothing else.
"""

import builtins
import linecache
import operator
import os
import sys
import traceback
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from am_assets.engines.sandbox.guest import scripts
from am_assets.engines.sandbox.guest.wire import DETAIL, Channel, Gone, decode, encode

MUTABLE = (list, dict, set, bytearray)
OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda function, *arguments, **named: function(*arguments, **named),
    "get": getattr,
    "set": setattr,
    "item": operator.getitem,
    "len": len,
    "iter": iter,
    "next": next,
    "str": str,
    "bool": bool,
}


class Candidate:
    """The program's objects, and the server of operations on them."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.owner = os.getpid()
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}  # by id(), so that an object has one reference

    def refer(self, value: Any) -> list[Any]:
        """The reference of an object of the program."""
        if isinstance(value, ModuleType):
            return ["module", value.__name__]
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return ["object", self.numbers[id(value)]]

    def resolve(self, kind: str, number: Any) -> Any:
        return self.objects[number] if kind == "object" else self.judges_function(number)

    def judges_function(self, number: int) -> Callable[..., Any]:
        """A proxy of a function of the tests."""

        def function(*arguments: Any) -> Any:
            self.send("back", number, *(encode(argument, self.refer) for argument in arguments))
            answer = self.serve()
            if answer[0] == "returned":
                return decode(answer[1], self.resolve)
            raise getattr(builtins, answer[1], Exception)(answer[2])

        return function

    def serve(self) -> list[Any]:
        """Serve requests until the answer to a callback arrives, which is returned."""
        while True:
            message = self.channel.receive()
            if message[0] in ("returned", "raised"):
                return message
            try:
                if message[0] == "script":
                    self.send("returned", encode({"run_program": script(*message[1:])}, self.refer), [])
                elif message[0] == "load":
                    self.send("returned", self.load(message[1]), [])
                else:
                    self.send("returned", *self.perform(*message))
            except Gone:
                raise
            except BaseException as error:
                self.send("raised", [kind.__name__ for kind in type(error).__mro__], str_of(error), described(error))

    def send(self, *message: Any) -> None:
        if os.getpid() != self.owner:
            os._exit(1)  # a fork made by the program must not answer
        self.channel.send(list(message))

    def load(self, source: str) -> Any:
        """Run the program; returns the encoded values of its global names."""
        # Not `__main__`: the `if __name__ == "__main__"` part of a program, which reads input or prints, is not tested.
        module = sys.modules["solution"] = ModuleType("solution")
        code = compiled(source)
        exec(code, module.__dict__)
        names = {name: value for name, value in module.__dict__.items() if not name.startswith("__")}
        return encode(names, self.refer)

    def perform(self, operation: str, operands: list[Any], named: dict[str, Any]) -> tuple[Any, list[Any]]:
        """The encoded result, and position and new content of each argument that was changed in place."""
        values = [decode(operand, self.resolve) for operand in operands]
        result = OPERATIONS[operation](*values, **{name: decode(form, self.resolve) for name, form in named.items()})
        changed = []
        for place, (value, before) in enumerate(zip(values, operands, strict=True)):
            if isinstance(value, MUTABLE) and (after := encode(value, self.refer)) != before:
                changed.append([place, after])
        return encode(result, self.refer), changed


def compiled(source: str) -> CodeType:
    # For source lines in tracebacks.
    linecache.cache["program.py"] = (len(source), None, source.splitlines(True), "program.py")
    try:
        return compile(source, "program.py", "exec", dont_inherit=True)
    except Exception as error:  # MemoryError and RecursionError too
        raise scripts.Ended(f"compile_error: {type(error).__name__}: {error}") from None


def script(language: str, limits: dict[str, Any], source: str) -> Callable[[str], str]:
    start = scripts.cpp(source, limits) if language == "cpp" else scripts.python(compiled(source))
    return scripts.runner(start, limits)


def str_of(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return ""


def described(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-3))[-DETAIL:]
    except BaseException:  # no memory left, or an exception that can not be formatted
        return ""


def main(channel: int) -> None:
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # as defined by `site`, which is not loaded
    try:
        talk = Channel(channel)
        talk.send(["ready"])
        Candidate(talk).serve()
    finally:
        os._exit(0)  # skips threads and exit handlers of the program
