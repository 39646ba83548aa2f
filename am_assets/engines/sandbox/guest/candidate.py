"""The candidate's half of a job: loads the program and does with its objects what the judge asks for.

Nothing here is a safeguard, since the program can change all of it. It learns the arguments of each call and no more.
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
from am_assets.engines.sandbox.guest.wire import Channel, Gone, decode, encode

MUTABLE = (list, dict, set, bytearray)
OPERATIONS: dict[str, Callable] = {
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
    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.owner = os.getpid()
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}  # by identity, so that one object stays one reference

    def refer(self, value: Any) -> list:
        if isinstance(value, ModuleType):
            return ["module", value.__name__]
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return ["object", self.numbers[id(value)]]

    def resolve(self, kind: str, number: Any) -> Any:
        return self.objects[number] if kind == "object" else self.judges_function(number)

    def judges_function(self, number: int) -> Callable:
        def function(*arguments: Any) -> Any:
            self.say("back", number, *(encode(argument, self.refer) for argument in arguments))
            answer = self.serve()
            if answer[0] == "returned":
                return decode(answer[1], self.resolve)
            raise getattr(builtins, answer[1], Exception)(answer[2])

        return function

    def serve(self) -> list:
        """Answers requests until there comes an answer to one of our own."""
        while True:
            message = self.channel.receive()
            if message[0] in ("returned", "raised"):
                return message
            try:
                if message[0] == "script":
                    self.say("returned", encode({"run_program": script(*message[1:])}, self.refer), [])
                elif message[0] == "load":
                    self.say("returned", self.load(message[1]), [])
                else:
                    self.say("returned", *self.perform(*message))
            except Gone:
                raise
            except BaseException as error:
                self.say("raised", [kind.__name__ for kind in type(error).__mro__], str_of(error), described(error))

    def say(self, *message: Any) -> None:
        if os.getpid() != self.owner:
            os._exit(1)  # a copy that the program forked has no say
        self.channel.send(list(message))

    def load(self, source: str) -> Any:
        """Runs the program; its global names and their values."""
        # Not `__main__`: a program's `if __name__ == "__main__"` part waits for input or prints, and is not tested.
        module = sys.modules["solution"] = ModuleType("solution")
        code = compiled(source)
        exec(code, module.__dict__)
        names = {name: value for name, value in module.__dict__.items() if not name.startswith("__")}
        return encode(names, self.refer)

    def perform(self, operation: str, operands: list, named: dict) -> tuple[Any, list]:
        """The result, and the new content of each argument that the operation changed in place."""
        values = [decode(operand, self.resolve) for operand in operands]
        result = OPERATIONS[operation](*values, **{name: decode(form, self.resolve) for name, form in named.items()})
        changed = []
        for place, (value, before) in enumerate(zip(values, operands, strict=True)):
            if isinstance(value, MUTABLE) and (after := encode(value, self.refer)) != before:
                changed.append([place, after])
        return encode(result, self.refer), changed


def compiled(source: str) -> CodeType:
    # So that tracebacks show the lines.
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
        return "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-3))[-2000:]
    except BaseException:  # no memory left, or an exception class that does not want to be shown
        return ""


def main(channel: int) -> None:
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # as `site` has them, which is not loaded
    try:
        talk = Channel(channel)
        talk.send(["ready"])
        Candidate(talk).serve()
    finally:
        os._exit(0)  # without waiting for threads or exit handlers of the program
