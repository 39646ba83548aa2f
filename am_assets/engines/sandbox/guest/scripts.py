"""Programs that read stdin and write stdout: each run is a process of its own. Python here, other languages
in `languages.py`.

This runs on the candidate's side and is no safeguard: a program that tampers with it can at most change its own output.
"""

import atexit
import contextlib
import os
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from am_assets.engines.sandbox.guest.languages import LANGUAGES, Ended, memory
from am_assets.engines.sandbox.guest.wire import DETAIL

OUT_OF_MEMORY = b"MemoryError", b"bad_alloc", b"java.lang.OutOfMemoryError", b"JavaScript heap out of memory"
NODES_MODULE = re.compile(
    r"^(?:Error: Cannot find module|Error \[ERR_MODULE_NOT_FOUND\]: Cannot find package) '@?([A-Za-z]\w*)", re.M
)
LACKS = 86  # exit code of a script that lacks a module
STACK = 64 << 20  # bytes, as judges of contests give; a deep recursion is no fault


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
        except BaseException as error:
            traceback.print_exc(limit=-3)
            os._exit(LACKS if lacking(error) else 1)
        os._exit(0)

    return start


def lacking(error: BaseException) -> bool:
    """Is it an import of a module that is not there? Not if the program raised it itself, nor for a part of Python's
    library that has never been there."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return False
    return error.name.partition(".")[0] not in sys.stdlib_module_names


def program(language: str, limits: dict[str, Any], source: str) -> Callable[[], None]:
    """Compile a program in another language than Python; a function that executes it. Raises Ended."""
    command = LANGUAGES[language].prepared(source, limits)
    return lambda: os.execv(command[0], command)


def runner(start: Callable[[], None], language: str, limits: dict[str, Any]) -> Callable[[str], str]:
    """A function from stdin to stdout of one run, which raises Ended; `start` is called in a new process.

    `start` never returns.
    """
    sizes = {**memory(language, limits), "STACK": STACK, "FSIZE": limits["printed_kb"] << 10}
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})

    def run_program(stdin: str) -> str:
        files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
        try:
            os.pwrite(files[0], stdin.encode(errors="replace"), 0)
            if (child := os.fork()) == 0:
                begin(start, files, sizes)
            code = wait(child, limits["timeout_seconds"])
            return result(code, content(files[1]), content(files[2]), sizes["FSIZE"])
        finally:
            for file in files:
                os.close(file)

    return run_program


def begin(start: Callable[[], None], files: list[int], sizes: dict[str, int]) -> None:
    """Run `start` in this process with `files` as standard streams, under limits by the names of `resource`; never
    returns."""
    try:
        os.setsid()
        for descriptor, file in enumerate(files):
            os.dup2(file, descriptor)
        os.closerange(len(files), 256)
        # Output goes to files, so that the kernel ends (SIGXFSZ) a program that prints too much.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        for name, size in sizes.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (size, size))
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


def result(code: int | None, stdout: bytes, stderr: bytes, most: int) -> str:
    """The output of a run that ended well and printed less than `most` bytes; else raises Ended."""
    if code == 0 and len(stdout) < most:
        return stdout.decode(errors="replace")
    tail = stderr[-DETAIL:]
    status = {None: "timeout", -signal.SIGXFSZ: "output_limit", -signal.SIGKILL: "memory"}.get(code, "exception")
    if len(stdout) >= most:  # a runtime may ignore the signal
        status = "output_limit"
    if status == "exception" and any(word in tail for word in OUT_OF_MEMORY):
        status = "memory"
    said = tail.decode(errors="replace")
    if code == LACKS and tail.rpartition(b"\n")[0].rpartition(b"\n")[2].startswith(b"ModuleNotFoundError: "):
        status = "undecided"
    if status == "exception" and (lacked := NODES_MODULE.search(said)):
        status, said = "undecided", f"{said}\nNo module named '{lacked[1]}'"
    how = "not ended in time" if code is None else f"ended with {code}"
    raise Ended(f"{status}: {said}\n{how}")
