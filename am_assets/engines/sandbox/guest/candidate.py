"""The candidate's half of a job: loads the program and performs the judge's operations on its objects.

Nothing here is a safeguard, as the program can change all of it. It sees the arguments of each call and nothing else.
"""

import _thread
import builtins
import io
import linecache
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from types import CodeType, FunctionType, ModuleType, new_class
from typing import Any

from am_assets.engines.sandbox.guest import scripts
from am_assets.engines.sandbox.guest.functions import stand_in
from am_assets.engines.sandbox.guest.kept import held
from am_assets.engines.sandbox.guest.languages import Ended
from am_assets.engines.sandbox.guest.operations import OPERATIONS
from am_assets.engines.sandbox.guest.peers import Peer
from am_assets.engines.sandbox.guest.repeats import repeatable
from am_assets.engines.sandbox.guest.wire import DETAIL, LONGEST, Channel, Form, Shared

MISSING = object()
STACK_SIZE = _thread.stack_size
MOMENT = 0.01  # seconds that coroutines go on before the tests do


class Candidate(Peer):
    """The program's objects, and the server of operations on them."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.owner = os.getpid()
        self.originals: dict[tuple[str, str], Any] = {}  # of what the tests have patched
        self.script: scripts.Script | None = None
        self.loop: Any = None  # of asyncio
        self.tasks: dict[int, Any] = {}  # by id() of the coroutine
        self.operations = {
            **OPERATIONS,
            "load": self.load,
            "values": self.values,
            "script": self.load_script,
            "repeated": lambda: self.script is not None and self.script.repeated,
            "patch": self.patch,
            "environ": set_environment,
            "derive": derive,
            "begin": self.begin,
            "advance": self.advance,
            "cancel": lambda coroutine: self.tasks[id(coroutine)].cancel(),
            "finish": self.finish,
        }

    def serve(self) -> None:
        """Serve requests until the judge is gone."""
        while True:
            self.send(self.answer(*self.channel.receive()))

    def send(self, message: list[Any]) -> None:
        if os.getpid() != self.owner:
            os._exit(1)  # a fork made by the program must not answer
        super().send(message)

    def ask(self, operation: str, *operands: Any, **named: Any) -> Any:
        with self.turn:
            self.flush()
            return super().ask(operation, *operands, **named)

    def perform(self, operation: str, operands: list[Form], named: dict[str, Form]) -> Form:
        try:
            return super().perform(operation, operands, named)
        finally:
            self.flush()

    def held(self, shared: Shared, numbers: set[int]) -> list[int]:
        return held(shared, numbers, self.ours)

    def raised(self, error: BaseException) -> list[Any]:
        carried = ItsOwn(*error.args) if type(error) is ModuleNotFoundError and not scripts.lacking(error) else error
        word, form, _, cause = super().raised(carried)
        return [word, form, described(error), cause]

    def stand_in(self, kind: str, number: int, *description: Any) -> Any:
        if kind == "function":
            made: FunctionType = stand_in(
                lambda given, named: self.ask("call", made, *given, **named), self.decode, *description
            )
            return made
        return super().stand_in(kind, number, *description)

    def load(self, source: str) -> tuple[dict[str, Any], list[str]]:
        """Run the program; returns its functions, and what other global names it has."""
        # Not `__main__`: the `if __name__ == "__main__"` part of a program, which reads input or prints, is not tested.
        module = sys.modules["solution"] = ModuleType("solution")
        code = compiled(source)
        module.__file__ = code.co_filename
        exec(code, module.__dict__)
        names = {name: value for name, value in module.__dict__.items() if not name.startswith("__")}
        functions = {name: value for name, value in names.items() if type(value) is FunctionType}
        return functions, [name for name in names if name not in functions]

    def load_script(self, language: str, limits: dict[str, Any], source: str, repeats: bool) -> dict[str, Any]:
        """Its runs, which share a process where that can't be seen and is wanted."""
        own = language == "python"
        start = scripts.python(compiled(source), repeats and repeatable(source)) if own else None
        script = self.script = scripts.Script(start or scripts.program(language, limits, source), language, limits)
        return {"run_program": lambda stdin, alone=False: script.run(stdin, alone)}

    def values(self, names: list[str]) -> dict[str, Any]:
        return {name: getattr(sys.modules["solution"], name) for name in names}

    def patch(self, module: str, name: str, *replacement: Any) -> None:
        """Replace what a module calls `name`, as the tests have done on their side; without one, put it back."""
        target = import_module(module)
        original = self.originals.setdefault((module, name), getattr(target, name, MISSING))
        (value,) = replacement or (original,)
        if replacement and (module, name) in (("sys", "stdout"), ("sys", "stderr")):
            value = Relay(value)
        if value is MISSING:
            delattr(target, name)
        else:
            setattr(target, name, value)

    def flush(self) -> None:
        """Hand what was printed to the tests, where they collect it."""
        for stream in (sys.stdout, sys.stderr):
            if type(stream) is Relay and (text := stream.taken()):
                super().ask("call", stream.take, text)

    def begin(self, coroutine: Any) -> None:
        """Schedule a coroutine beside the others."""
        import asyncio

        self.loop = self.loop or asyncio.new_event_loop()
        self.tasks[id(coroutine)] = self.loop.create_task(coroutine)

    def advance(self, coroutine: Any) -> str:
        """Let all of them go on for a moment; how this one has ended, if it has."""
        import asyncio

        task = self.tasks[id(coroutine)]
        self.loop.run_until_complete(asyncio.wait([task], timeout=MOMENT))
        return "cancelled" if task.cancelled() else "done" if task.done() else ""

    def finish(self, coroutine: Any) -> Any:
        """The result of a coroutine that is through."""
        return self.loop.run_until_complete(self.tasks.pop(id(coroutine)))


# One that the program raised itself: says nothing of what the sandbox has.
ItsOwn = type("ModuleNotFoundError", (ModuleNotFoundError,), {"__module__": "solution"})


class Relay(io.StringIO):
    """Collects what is printed, for a stream of the tests."""

    def __init__(self, take: Callable[[str], Any]) -> None:
        super().__init__()
        self.take = take

    def taken(self) -> str:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def set_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def derive(name: str, bases: tuple[type, ...], space: dict[str, Any], wrapped: dict[str, Any], named: Any) -> type:
    """A class of the tests that is derived from classes of the program."""
    for key, (wrapper, *parts) in wrapped.items():
        space[key] = getattr(builtins, wrapper)(*parts)
    made: type = new_class(name, bases, named, lambda own: own.update(space))
    return made


def compiled(source: str) -> CodeType:
    # For source lines in tracebacks.
    linecache.cache["program.py"] = (len(source), None, source.splitlines(True), "program.py")
    try:
        return compile(source, "program.py", "exec", dont_inherit=True)
    except Exception as error:  # MemoryError and RecursionError too
        raise Ended(f"compile_error: {type(error).__name__}: {error}") from None


def described(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-3))[-DETAIL:]
    except BaseException:  # no memory left, or an exception that can not be formatted
        return ""


def stack_size(size: int = 0) -> int:
    """That of threads: programs ask for more than there is address space, for recursions that take none of it."""
    return STACK_SIZE(min(size, scripts.STACK))


def main(channel: int) -> None:
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # as defined by `site`, which is not loaded
    _thread.stack_size = stack_size
    try:
        talk = Channel(channel, LONGEST)
        talk.send(["ready"])
        Candidate(talk).serve()
    finally:
        os._exit(0)  # skips threads and exit handlers of the program
