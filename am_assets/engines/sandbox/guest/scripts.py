"""Programs that read stdin and write stdout: each run is a process of its own.

This runs on the candidate's side and is no safeguard: a program that tampers with it can at most change its own output.
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

from am_assets.engines.sandbox.guest.wire import DETAIL

OUT_OF_MEMORY = b"MemoryError", b"bad_alloc"
COMPILER = "/usr/bin/g++"
OPTIONS = ["-std=gnu++17", "-O2", "-w"]  # those that a header compiled in advance depends on
COMPILE = [COMPILER, *OPTIONS, "-fmax-errors=3", "-x", "c++", "program.cpp", "-o", "program"]
headers: list[str] = []  # folders with headers compiled in advance


class Ended(Exception):
    """A run failed: the message is a status of the sandbox, a colon and the output."""


def python(code: CodeType) -> Callable[[], None]:
    """A function that runs `code` as `__main__` and exits; to be called in a new process."""

    def start() -> None:
        module = sys.modules["__main__"] = ModuleType("__main__")
        try:
            try:
                exec(code, module.__dict__)
            finally:
                if threads := sys.modules.get(
                    "threading"
                ):  # imported by the program only: loading it before slows each fork
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
    """Compile `source` in the working directory; a function that executes it. Raises Ended."""
    import subprocess

    with open("program.cpp", "w", errors="replace") as file:
        file.write(source)
    try:
        command = [*COMPILE, *(f"-I{folder}" for folder in headers)]
        made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits["compile_seconds"])
    except subprocess.TimeoutExpired:
        raise Ended(f"compile_error: not compiled after {limits['compile_seconds']:g} s") from None
    if made.returncode:
        raise Ended(f"compile_error: {made.stderr[:DETAIL].decode(errors='replace')}")
    return lambda: os.execv("program", ["program"])


def runner(start: Callable[[], None], limits: dict[str, Any]) -> Callable[[str], str]:
    """A function from stdin to stdout of one run, which raises Ended; `start` is called in a new process.

    `start` never returns.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})

    def run_program(stdin: str) -> str:
        files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
        try:
            os.pwrite(files[0], stdin.encode(errors="replace"), 0)
            if (child := os.fork()) == 0:
                begin(start, files, limits)
            return result(wait(child, limits["timeout_seconds"]), *(content(file) for file in files[1:]))
        finally:
            for file in files:
                os.close(file)

    return run_program


def begin(start: Callable[[], None], files: list[int], limits: dict[str, Any]) -> None:
    """Run `start` in this process with `files` as standard streams, under `limits`; never returns."""
    try:
        os.setsid()
        for descriptor, file in enumerate(files):
            os.dup2(file, descriptor)
        os.closerange(len(files), 256)
        # Output goes to files, so that the kernel ends (SIGXFSZ) a program that prints too much.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits["printed_kb"] << 10,) * 2)
        resource.setrlimit(resource.RLIMIT_AS, (limits["memory_mb"] << 20,) * 2)
        start()
    finally:
        os._exit(1)


def wait(child: int, seconds: float) -> int | None:
    """The exit code, negative for a signal; None after a timeout. Kills the process group in any case."""
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


def content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def result(code: int | None, stdout: bytes, stderr: bytes) -> str:
    """The output of a run that ended well; else raises Ended."""
    if code == 0:
        return stdout.decode(errors="replace")
    tail = stderr[-DETAIL:]
    status = {None: "timeout", -signal.SIGXFSZ: "output_limit", -signal.SIGKILL: "memory"}.get(code, "exception")
    if status == "exception" and any(word in tail for word in OUT_OF_MEMORY):
        status = "memory"
    if status == "exception" and tail.rpartition(b"\n")[0].rpartition(b"\n")[2].startswith(b"ModuleNotFoundError: "):
        status = "undecided"
    how = "not ended in time" if code is None else f"ended with {code}"
    raise Ended(f"{status}: {tail.decode(errors='replace')}\n{how}")
