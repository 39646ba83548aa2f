"""Programs that read standard input and print: each run of one is a process of its own, as if started by hand.

This is the candidate's side and no safeguard: a program that tampers with it can at most print something else.
"""

import atexit
import contextlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

TAIL = 2000  # bytes of what was said in the end, for a person
OUT_OF_MEMORY = b"MemoryError", b"bad_alloc"
COMPILER = "/usr/bin/g++"
COMPILE = [COMPILER, "-std=gnu++17", "-O2", "-w", "-fmax-errors=3", "-x", "c++", "program.cpp", "-o", "program"]


class Ended(Exception):
    """How a run ended that did not end well: a status of the sandbox, a colon, and what it said."""


def python(code: CodeType) -> Callable[[], None]:
    def start() -> None:
        module = sys.modules["__main__"] = ModuleType("__main__")
        try:
            try:
                exec(code, module.__dict__)
            finally:
                if threads := sys.modules.get("threading"):  # of the program: it slows each fork
                    threads._shutdown()
                atexit._run_exitfuncs()
                sys.stdout.flush()
        except SystemExit as end:
            if not isinstance(end.code, int | None):
                print(end.code, file=sys.stderr)
            os._exit(end.code or 0 if isinstance(end.code, int | None) else 1)
        except BaseException:
            traceback.print_exc(limit=-3)
            os._exit(1)
        os._exit(0)

    return start


def cpp(source: str, limits: dict[str, Any]) -> Callable[[], None]:
    """Compiles it in the working directory."""
    import subprocess

    with open("program.cpp", "w", errors="replace") as file:
        file.write(source)
    try:
        made = subprocess.run(COMPILE, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits["compile_seconds"])
    except subprocess.TimeoutExpired:
        raise Ended(f"compile_error: not compiled after {limits['compile_seconds']:g} s") from None
    if made.returncode:
        raise Ended(f"compile_error: {made.stderr[:TAIL].decode(errors='replace')}")
    return lambda: os.execv("program", ["program"])


def runner(start: Callable[[], None], limits: dict[str, Any]) -> Callable[[str], str]:
    """A function from standard input to what is printed; `start`, in a new process, never returns.

    It raises Ended.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})

    def run_program(given: str) -> str:
        ends = [os.memfd_create(name) for name in ("given", "printed", "said")]
        try:
            os.pwrite(ends[0], given.encode(errors="replace"), 0)
            if (child := os.fork()) == 0:
                begin(start, ends, limits)
            return judged(wait(child, limits["timeout_seconds"]), *(content(end) for end in ends[1:]))
        finally:
            for end in ends:
                os.close(end)

    return run_program


def begin(start: Callable[[], None], ends: list[int], limits: dict[str, Any]) -> None:
    try:
        os.setsid()
        for place, end in enumerate(ends):
            os.dup2(end, place)
        os.closerange(len(ends), 256)
        # What is printed goes to files, so that the kernel ends whoever prints too much.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits["printed_kb"] << 10,) * 2)
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory_mb"] << 20,) * 2)
        start()
    finally:
        os._exit(1)


def wait(child: int, seconds: float) -> int | None:
    """Its exit code, negative for a signal; null where it had to be killed. Nothing it started is left running."""
    deadline = time.monotonic() + seconds
    code = None
    while code is None and (left := deadline - time.monotonic()) > 0:
        signal.sigtimedwait({signal.SIGCHLD}, left)
        process, status = os.waitpid(child, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if process else None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if code is None:
        os.waitpid(child, 0)
    return code


def content(end: int) -> bytes:
    return os.pread(end, os.fstat(end).st_size, 0)


def judged(code: int | None, printed: bytes, said: bytes) -> str:
    if code == 0:
        return printed.decode(errors="replace")
    tail = said[-TAIL:]
    status = {None: "timeout", -signal.SIGXFSZ: "output_limit", -signal.SIGKILL: "memory"}.get(code, "exception")
    if status == "exception" and any(word in tail for word in OUT_OF_MEMORY):
        status = "memory"
    how = "not ended in time" if code is None else f"ended with {code}"
    raise Ended(f"{status}: {tail.decode(errors='replace')}\n{how}")
