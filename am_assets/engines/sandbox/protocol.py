"""The types, names and bounds that both backends share.

How jobs reach a warm sandbox is in `pool.py`, what runs inside it in `guest`; how isolation is made belongs to the
backends.
"""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from am_assets.config.instruments import Code

logger = logging.getLogger("am_assets.sandbox")
# Interpreter switches: no site-packages, no user site, no script folder on the path, no .pyc. The standard library is
# all a program gets, whatever the host has installed, so that verdicts do not depend on the machine.
PYTHON_OPTIONS = ["-S", "-s", "-P", "-B"]
# A fixed hash seed: a program that iterates over a set gets the same verdict each time.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
START_SECONDS = 60  # for the sandbox to come up; a program's own time is counted from there
SCRATCH_MB = 16  # the private /tmp, and the largest file in it
SCRATCH = f"size={SCRATCH_MB}m,nr_inodes=4096"  # as a mount option
OPEN_FILES = 256

Status = Literal[
    "pass",
    "wrong_answer",
    "exception",
    "timeout",
    "memory",
    "output_limit",
    "compile_error",
    "exited_early",
    "no_compiler",  # of this and the next nothing is known of the program; every other status is its own doing
    "sandbox_error",
]
Language = Literal["python", "cpp"]


class SandboxUnavailable(RuntimeError):
    """No sandbox can be opened; the message says what to install."""


@dataclass(frozen=True)
class Outcome:
    status: Status  # of the first test that did not pass
    detail: str = ""  # last lines of its traceback or of what was printed, for a person
    tests: tuple[Status, ...] = ()  # of each test, in their order


def outcome_of(tests: list[Status], detail: str) -> Outcome:
    return Outcome(next((status for status in tests if status != "pass"), "pass"), detail, tuple(tests))


class Job(NamedTuple):
    """`entry_point` is an expression handed to the `check` of `test_code`; null where the tests run by themselves.

    A script is run anew, as `__main__`, by each call of `run_program(standard input)` in the tests, which gives what it
    printed; C++ is a script always. Other programs are loaded once, as a module. `tests` are as many as `test_code`
    marks (`guest/judge.py`), counted from 0; where it marks none all of it is one.
    """

    program: str
    test_code: str
    entry_point: str | None = None
    is_script: bool = False
    tests: int = 0
    language: Language = "python"

    def how_many(self) -> int:  # tests
        return max(1, self.tests)


def guest_source() -> str:
    """A program of one file that holds the package `guest` and runs its supervisor, for `python -c`."""
    package = f"{__package__}.guest"
    names = package.split(".")
    parents = [".".join(names[: end + 1]) for end in range(len(names))]
    sources = {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("guest").glob("[a-z]*.py"))}
    return f"""
import importlib.abc, importlib.util, sys
sources = {sources!r}
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


def rlimits(limits: Code, language: Language) -> dict[str, int]:
    """What each process of a cell may use; a compiler needs more than what it compiles, which is held to its own."""
    return {
        "AS": max(limits.memory_mb, limits.compile_mb if language == "cpp" else 0) << 20,
        "NPROC": limits.processes,
        "FSIZE": SCRATCH_MB << 20,
        "NOFILE": OPEN_FILES,
        "CORE": 0,
        # More CPU time than the wall clock allows: it only ends a program that outlives its host.
        "CPU": int(limits.total_seconds + limits.compile_seconds) * (os.cpu_count() or 1) + 5,
    }
