"""A pool of warm sandboxes, one on each CPU: the part of a sandbox that both backends share.

A sandbox that dies is replaced, and its job tried once more on a fresh one. What fails twice tells nothing of the
program: `sandbox_error`.
"""

import json
import os
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar, get_args

from am_assets.config.instruments import Code
from am_assets.engines.sandbox.protocol import (
    SCRATCH,
    START_SECONDS,
    Job,
    Outcome,
    SandboxUnavailable,
    Status,
    logger,
    outcome_of,
    rlimits,
)

NOBODY = 65534
GRACE_SECONDS = 30  # for a job to begin and to be cleared away, beside its own time
LONGEST_ANSWER = 1 << 20
ATTEMPTS = 2


class SandboxDied(Exception):
    """A warm sandbox does not answer as it should."""


class Line(ABC):
    """The two ends of the standard streams of one warm sandbox."""

    @abstractmethod
    def send(self, data: bytes) -> None: ...

    @abstractmethod
    def receive(self, seconds: float) -> bytes:
        """What it says next, empty at the end. Raises TimeoutError."""

    @abstractmethod
    def close(self) -> None:
        """Ends the sandbox and all that runs in it."""


class Warm:
    """One sandbox that is up."""

    def __init__(self, line: Line) -> None:
        self.line = line
        try:
            match self.hear(START_SECONDS):
                case {"compiler": bool(found)}:
                    self.has_compiler = found
                case _:
                    raise SandboxDied("did not come up")
        except BaseException:
            line.close()
            raise

    def hear(self, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        line = b""
        try:
            while not line.endswith(b"\n"):
                data = self.line.receive(max(deadline - time.monotonic(), 0.001))
                line += data
                if not data or len(line) > LONGEST_ANSWER:
                    raise SandboxDied(f"ended: {line[-500:].decode(errors='replace')}")
            return json.loads(line)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise SandboxDied(f"{type(error).__name__}: {error}") from error

    def run(self, job: Job, limits: Code) -> Outcome:
        """Raises SandboxDied where it can not tell of every test."""
        if job.language == "cpp" and not self.has_compiler:
            return outcome_of(["no_compiler"] * job.how_many(), "the sandbox has no g++")
        order = {"job": job._asdict(), "limits": limits.model_dump(), "rlimits": rlimits(limits, job.language)}
        try:
            self.line.send(json.dumps(order).encode() + b"\n")
        except OSError as error:
            raise SandboxDied(f"{type(error).__name__}: {error}") from error
        match self.hear(limits.total_seconds + limits.compile_seconds + GRACE_SECONDS):
            case [[*tests], str(detail)] if len(tests) == job.how_many() and set(tests) <= set(get_args(Status)):
                if "sandbox_error" in tests:
                    raise SandboxDied(readable(detail))
                return outcome_of(tests, readable(detail))
        raise SandboxDied("answered something else")


class Sandbox(ABC):
    """Runs each job in isolation from the host and from every other; nothing of it is left when `run` returns."""

    name: ClassVar[str]

    def __init__(self, limits: Code) -> None:
        self.limits = limits
        self.idle: queue.SimpleQueue[Warm] = queue.SimpleQueue()
        # Threads that live as long as this: a bubblewrap dies with the thread that started it.
        self.threads = ThreadPoolExecutor(os.cpu_count())

    @abstractmethod
    def start(self) -> Line:
        """A new sandbox. Raises SandboxUnavailable."""

    def settings(self, first_user: int | None) -> str:
        return json.dumps({"first_user": first_user, "nobody": NOBODY, "scratch": SCRATCH})

    def run(self, program: str, test_code: str, entry_point: str | None = None) -> Outcome:
        return self.threads.submit(self._run, Job(program, test_code, entry_point)).result()

    def run_many(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """The outcomes, in the order of the jobs, one running on each CPU."""
        return self.threads.map(self._run, jobs)

    def _run(self, job: Job) -> Outcome:
        why = ""
        for attempt in range(ATTEMPTS):
            try:
                if not attempt:  # what killed one idle sandbox may have killed all
                    with suppress(queue.Empty):
                        warm = self.idle.get_nowait()
                        return self._run_on(warm, job)
                return self._run_on(Warm(self.start()), job)
            except (SandboxDied, SandboxUnavailable) as error:
                why = str(error)
                logger.warning("a code sandbox died: %s", why)
        return outcome_of(["sandbox_error"] * job.how_many(), readable(why))

    def _run_on(self, warm: Warm, job: Job) -> Outcome:
        try:
            outcome = warm.run(job, self.limits)
        except BaseException:
            warm.line.close()
            raise
        self.idle.put(warm)
        return outcome

    def close(self) -> None:
        self.threads.shutdown(cancel_futures=True)
        with suppress(queue.Empty):
            while True:
                self.idle.get_nowait().line.close()


def readable(text: str) -> str:
    """The end of a program's words, as text that any file can hold."""
    return text[-2000:].encode(errors="replace").decode().strip()
