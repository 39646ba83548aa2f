"""Types, names and limits that both backends share.

The transport of jobs belongs to `pool.py`, what runs inside a sandbox to `guest`, the isolation to the backends.
"""

import base64
import json
import logging
import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from am_assets.config import vocabulary
from am_assets.config.instruments import Code
from am_assets.engines.sandbox.guest.languages import CHECKERS_SHARE, memory

logger = logging.getLogger("am_assets.sandbox")
# Interpreter options: no site-packages, no user site, no script folder on the path, no .pyc. Programs get the standard
# library and the instruments' packages, whatever the host has installed, so that verdicts do not depend on the machine.
PYTHON_OPTIONS = ["-S", "-s", "-P", "-B"]
# A fixed hash seed, so that the order of sets, and with it the verdict, is reproducible.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
ENVIRONMENT |= {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}  # threads take address space, which is limited
START_SECONDS = 60  # for the start of a sandbox, not counted as time of a program
SCRATCH_MB = 16  # size of the private /tmp, and of the largest file
SCRATCH = f"size={SCRATCH_MB}m,nr_inodes=4096"  # as a mount option
OPEN_FILES = 256
RUNTIMES_THREADS = 32  # of Java or JavaScript, beside those of the program

Status = vocabulary.Outcome
Language = Literal["python", "cpp", "java", "javascript"]


class SandboxUnavailable(RuntimeError):
    """No sandbox can be opened; the message says what to install."""


@dataclass(frozen=True)
class Outcome:
    """The result of a job."""

    status: Status  # of the first test that failed, else of the first that did not pass
    detail: str = ""  # last lines of its traceback or output, for a person
    tests: tuple[Status, ...] = ()  # of each test, in order
    seconds: float = field(default=0.0, compare=False)  # of the whole job


def outcome_of(tests: list[Status], detail: str) -> Outcome:
    """The outcome of a job with these statuses of its tests."""
    failed = sorted((status for status in tests if status != "pass"), key=vocabulary.UNKNOWN_OUTCOMES.__contains__)
    return Outcome(failed[0] if failed else "pass", detail, tuple(tests))


class Job(NamedTuple):
    """A program and its tests.

    `entry_point` is an expression passed to the function `check` of `test_code`; None where the tests run on their own.
    A script is run as `__main__` by each call of `run_program(stdin)` in the tests, which returns its stdout; what is
    not Python always is one. Other programs are loaded once, as a module. `tests` is the number of tests marked in
    `test_code` (`guest/judge.py`); 0 where the whole code is one test. `checker`: the source of a checker in C++.
    """

    program: str
    test_code: str
    entry_point: str | None = None
    is_script: bool = False
    tests: int = 0
    language: Language = "python"
    checker: str | None = None

    def test_count(self) -> int:
        return max(1, self.tests)


def guest_source() -> str:
    """The package `guest` as one Python source for `python -c`, which runs its supervisor."""
    package = f"{__package__}.guest"
    names = package.split(".")
    parents = [".".join(names[: end + 1]) for end in range(len(names))]
    sources = {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("guest").glob("[a-z]*.py"))}
    packed = base64.b85encode(zlib.compress(json.dumps(sources).encode())).decode()  # an argument has 128 KiB at most
    return f"""
import base64, importlib.abc, importlib.util, json, sys, zlib
sources = json.loads(zlib.decompress(base64.b85decode({packed!r})))
class Guest(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def find_spec(self, name, path=None, target=None):
        if name in {parents!r} or name.startswith({package + "."!r}):
            return importlib.util.spec_from_loader(name, self, is_package=name in {parents!r})
    def is_package(self, name):
        return name in {parents!r}
    def get_source(self, name):
        return sources.get(name.removeprefix({package + "."!r}), "")
sys.meta_path.insert(0, Guest())
from {package}.supervisor import main
main()
"""


def rlimits(limits: Code, job: Job) -> dict[str, int]:
    """The resource limits of each process of a cell. A compiler gets more memory than the program it compiles."""
    sizes = memory(job.language, limits.model_dump())
    compiles = job.language != "python" or job.checker is not None
    return {
        **sizes,
        "AS": max(sizes["AS"], limits.compile_mb << 20 if compiles else 0),
        "NPROC": limits.processes + (RUNTIMES_THREADS if "DATA" in sizes else 0),
        "FSIZE": SCRATCH_MB << 20,
        "NOFILE": OPEN_FILES,
        "CORE": 0,
        # More CPU time than the wall clock allows: it only ends programs that outlive their host.
        "CPU": int(limits.total_seconds + (1 + CHECKERS_SHARE) * limits.compile_seconds) * (os.cpu_count() or 1) + 5,
    }
