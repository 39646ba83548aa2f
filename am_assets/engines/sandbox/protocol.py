"""What a sandbox is: the types, names and bounds that both backends share.

How the host and the harness talk is in `exchange.py`; how isolation is made belongs to the backends.
"""

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from am_assets.instruments import Code

logger = logging.getLogger("am_assets.sandbox")
HARNESS = Path(__file__).with_name("harness.py").read_text()
# Interpreter switches: no site-packages, no user site, no script folder on the path, no .pyc. The standard library is
# all a program gets, whatever the host has installed, so that verdicts do not depend on the machine.
PYTHON_OPTIONS = ["-S", "-s", "-P", "-B"]
# A fixed hash seed: a program that iterates over a set gets the same verdict each time.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
START_SECONDS = 60  # for the sandbox to come up; a program's own time is counted from there
SCRATCH_MB = 16  # the private /tmp, and the largest file in it
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
    "sandbox_error",  # nothing is known of the program; every other status is its own doing
]


class SandboxUnavailable(RuntimeError):
    """No sandbox can be opened; the message says what to install."""


@dataclass(frozen=True)
class Outcome:
    status: Status
    detail: str = ""  # last lines of the traceback or of what was printed, for a person


class Job(NamedTuple):
    """`entry_point` is an expression handed to the `check` of `test_code`; null where the tests run by themselves."""

    program: str
    test_code: str
    entry_point: str | None = None


class Sandbox(ABC):
    """Runs each job in a fresh, isolated process tree that is killed before `run` returns."""

    name: ClassVar[str]

    def __init__(self, limits: Code) -> None:
        self.limits = limits

    @abstractmethod
    def run(self, program: str, test_code: str, entry_point: str | None = None) -> Outcome: ...

    def run_many(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """The outcomes, in the order of the jobs, one running on each CPU."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(lambda job: self.run(*job), jobs)

    def close(self) -> None:  # noqa: B027 - most backends hold nothing open
        pass
