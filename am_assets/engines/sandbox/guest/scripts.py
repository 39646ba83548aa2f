"""Programs that read stdin and write stdout: each run is a process of its own, or one that goes on with the next run
(`repeats.py`). Python here, other languages in `languages.py`.

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
from am_assets.engines.sandbox.guest.repeats import STREAMS, Repeats
from am_assets.engines.sandbox.guest.wire import DETAIL

OUT_OF_MEMORY = b"MemoryError", b"bad_alloc", b"java.lang.OutOfMemoryError", b"JavaScript heap out of memory"
NODES_MODULE = re.compile(
    r"^(?:Error: Cannot find module|Error \[ERR_MODULE_NOT_FOUND\]: Cannot find package) '@?([A-Za-z]\w*)", re.M
)
LACKS = 86  # exit code of a script that lacks a module
NEXT = signal.SIGUSR1  # to a process that waits for its next run, and from one that is through with a run
WAITS = "waits"
STACK = 64 << 20  # bytes, as judges of contests give; a deep recursion is no fault


def python(code: CodeType, repeats: bool) -> Callable[[], None]:
    """A function that runs `code` as `__main__`, and again whenever it is told to, if it `repeats` well; to be called
    in a new process."""

    def start() -> None:
        if not repeats:
            run(code, leaves=True)
            os._exit(0)
        process, caller = Repeats(), os.getppid()
        while True:
            run(code, leaves=False)
            if not process.again():
                os._exit(0)
            os.kill(caller, NEXT)
            signal.sigwait({NEXT})

    return start


def run(code: CodeType, leaves: bool) -> None:
    """Run `code` as `__main__`; returns if it ends well, else exits. `leaves`: what is to be done at exit is done."""
    module = sys.modules["__main__"] = ModuleType("__main__")
    module.__file__ = code.co_filename
    try:
        try:
            exec(code, module.__dict__)
        finally:
            if leaves:
                if threads := sys.modules.get("threading"):  # of the program: loading it before slows each fork
                    threads._shutdown()
                atexit._run_exitfuncs()
            flush()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)
        if end.code:
            os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException as error:
        traceback.print_exc(limit=-3)
        os._exit(LACKS if lacking(error) else 1)
    module.__dict__.clear()


def flush() -> None:
    """As Python does at exit, where a program may have replaced or closed the stream."""
    for stream in (sys.stdout, sys.__stdout__):
        if stream is not None and not getattr(stream, "closed", False):
            stream.flush()


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


class Script:
    """A program and its runs; `start` is called in a new process, and never returns."""

    def __init__(self, start: Callable[[], None], language: str, limits: dict[str, Any]):
        self.start = start
        self.seconds = limits["timeout_seconds"]
        self.sizes = {**memory(language, limits), "STACK": STACK, "FSIZE": limits["printed_kb"] << 10}
        self.files: list[int] = []  # standard streams of the process
        self.process: int | None = None  # that waits for the next run
        self.repeated = False  # the last run was not the first of its process
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, NEXT})

    def run(self, stdin: str, alone: bool = False) -> str:
        """The stdout of one run, in a process that did none before if `alone`; raises Ended."""
        if alone and self.process is not None:
            end(self.process)
            self.process = None
        self.repeated = self.process is not None
        self.empty_files()
        os.pwrite(self.files[0], stdin.encode(errors="replace"), 0)
        child = self.process or os.fork()
        if child == 0:
            begin(self.start, self.files, self.sizes)
        if self.repeated:
            os.kill(child, NEXT)
        code = wait(child, self.seconds)
        self.process = child if code is WAITS else None
        return result(code, content(self.files[1]), content(self.files[2]), self.sizes["FSIZE"])

    def empty_files(self) -> None:
        """Those of the process that waits, which it goes on with; new ones for a new process, as what was left of the
        one before may still write."""
        if self.repeated:
            for file in self.files:
                os.ftruncate(file, 0)
                os.lseek(file, 0, os.SEEK_SET)  # theirs, too
            return
        for file in self.files:
            os.close(file)
        self.files = [os.memfd_create(name) for name in STREAMS]
        signal.sigtimedwait({NEXT}, 0)  # of a process that was ended meanwhile


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
            limit = getattr(resource, f"RLIMIT_{name}")
            most = resource.getrlimit(limit)[1] if name == "STACK" else size  # which programs raise
            resource.setrlimit(limit, (size, most))
        start()
    finally:
        os._exit(1)


def wait(child: int, seconds: float) -> int | str | None:
    """The exit code, negative for a signal; `WAITS` where it waits for its next run; None after a timeout. Unless it
    waits, its process group is killed."""
    deadline = time.monotonic() + seconds
    code = None
    while code is None and (left := deadline - time.monotonic()) > 0:
        told = signal.sigtimedwait({signal.SIGCHLD, NEXT}, left)
        process, status = os.waitpid(child, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if process else None
        if code is None and told and told.si_signo == NEXT:
            return WAITS
    end(child, is_left=code is None)
    return code


def end(child: int, is_left: bool = True) -> None:
    """Kill the process group of a child, which `is_left` if nobody has waited for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if is_left:
        os.waitpid(child, 0)


def content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def result(code: int | str | None, stdout: bytes, stderr: bytes, most: int) -> str:
    """The output of a run that ended well and printed less than `most` bytes; else raises Ended."""
    if code in (0, WAITS) and len(stdout) < most:
        return stdout.decode(errors="replace")
    tail = stderr[-DETAIL:]
    ended: dict[int | str | None, str] = {None: "timeout", -signal.SIGXFSZ: "output_limit", -signal.SIGKILL: "memory"}
    status = ended.get(code, "exception")
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
