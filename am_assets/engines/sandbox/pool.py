"""A pool of warm sandboxes, one per CPU: the part that both backends share.

A sandbox that dies is replaced, and its job is retried once in a fresh one. A second failure is a `sandbox_error`: no
verdict on the program.
"""

import json
import os
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, TypeVar, get_args

from am_assets.config.instruments import Code
from am_assets.engines.sandbox.guest.languages import CHECKERS_SHARE, LANGUAGES
from am_assets.engines.sandbox.guest.wire import DETAIL, NO_FAILURES
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
from am_assets.runtime import workers

T = TypeVar("T")
NOBODY = 65534
GRACE_SECONDS = 30  # for the start and the cleanup of a job, in addition to its own time
MAX_MESSAGE_BYTES = 1 << 20
ATTEMPTS = 2
COMPILERS = 1 + CHECKERS_SHARE  # times the time to compile a program that a job may take for it, and for a checker


class SandboxDied(Exception):
    """A warm sandbox has ended or broken the protocol."""


def _last_words(output: bytes) -> str:
    return f"ended: {output[-500:].decode(errors='replace')}"


class Transport(ABC):
    """The standard streams of one warm sandbox."""

    @abstractmethod
    def send(self, data: bytes) -> None: ...

    @abstractmethod
    def receive(self, seconds: float) -> bytes:
        """The next bytes of its output, empty at the end. Raises TimeoutError."""

    @abstractmethod
    def close(self) -> None:
        """End the sandbox and everything that runs in it."""


class WarmSandbox:
    """One running sandbox, ready for jobs."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        try:
            match self.read_message(START_SECONDS):
                case {"languages": [*found]}:
                    self.languages = {"python", *found}
                case _:
                    raise SandboxDied("did not come up")
        except BaseException:
            transport.close()
            raise

    def read_message(self, seconds: float) -> Any:
        """The next message (one line of JSON) of the supervisor. Raises SandboxDied."""
        deadline = time.monotonic() + seconds
        line = b""
        try:
            while not line.endswith(b"\n"):
                data = self.transport.receive(max(deadline - time.monotonic(), 0.001))
                line += data
                if not data or len(line) > MAX_MESSAGE_BYTES:
                    raise SandboxDied(_last_words(line))
            return json.loads(line)
        except OSError as error:  # TimeoutError is one
            raise SandboxDied(f"{type(error).__name__}: {error}") from error
        except ValueError:  # of what should have started it
            raise SandboxDied(_last_words(line)) from None

    def run(self, job: Job, limits: Code) -> Outcome:
        """The outcome of a job. Raises SandboxDied where that of any test is missing."""
        for language in (job.language, "python" if job.checker is None else "cpp"):
            if language not in self.languages:
                return outcome_of(["no_compiler"] * job.test_count(), f"needs {LANGUAGES[language].needs}")
        order = {"job": job._asdict(), "limits": limits.model_dump(mode="json"), "rlimits": rlimits(limits, job)}
        try:
            self.transport.send(json.dumps(order).encode() + b"\n")
        except OSError as error:
            raise SandboxDied(f"{type(error).__name__}: {error}") from error
        match self.read_message(limits.total_seconds + COMPILERS * limits.compile_seconds + GRACE_SECONDS):
            case [[*tests], str(detail)] if self.complete(tests, job, limits):
                if "sandbox_error" in tests:
                    raise SandboxDied(readable(detail))
                return outcome_of(tests, readable(detail))
        raise SandboxDied("answered something else")

    @staticmethod
    def complete(tests: list[Any], job: Job, limits: Code) -> bool:
        """Whether these are statuses of all tests, or of those up to the first failure where the limits stop there."""
        stopped = limits.stop_at_failure and tests and tests[-1] not in NO_FAILURES
        enough = 0 < len(tests) <= job.test_count() if stopped else len(tests) == job.test_count()
        return enough and set(tests) <= set(get_args(Status))


class Sandbox(ABC):
    """Runs jobs isolated from the host and from one another; nothing of a job is left when `run` returns.

    outcomes = sandbox.run_many([Job(program, test_code, tests=3) for program in programs])
    """

    name: ClassVar[str]
    lacks_packages = False  # whether those of the instruments could not be installed

    def __init__(self, limits: Code) -> None:
        self.limits = limits
        self.idle: queue.SimpleQueue[WarmSandbox] = queue.SimpleQueue()
        # Long-lived threads: a bubblewrap dies with the thread that started it.
        self.threads = ThreadPoolExecutor(workers.count or os.cpu_count())

    @abstractmethod
    def start(self) -> Transport:
        """Start a new sandbox. Raises SandboxUnavailable."""

    def prepare(self, job: Job) -> None:  # noqa: B027 - nothing, unless a backend has something to make
        """Called before a job is run."""

    def settings(self, first_user: int | None, **folders: Any) -> str:
        """The argument of the supervisor, see `guest/cells.py`."""
        return json.dumps({"first_user": first_user, "nobody": NOBODY, "scratch": SCRATCH, **folders})

    def run(self, program: str, test_code: str, entry_point: str | None = None) -> Outcome:
        """The outcome of one Python program, loaded as a module, against its tests."""
        return self.threads.submit(self._run, Job(program, test_code, entry_point)).result()

    def run_many(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """The outcomes in the order of the jobs, which run in parallel, one per CPU."""
        return self.threads.map(self._run, jobs)

    def submit(self, job: Job, then: Callable[[Outcome], T]) -> Future[T]:
        """What `then` makes of the outcome of a job, which waits for a CPU."""
        return self.threads.submit(lambda: then(self._run(job)))

    def _run(self, job: Job) -> Outcome:
        began = time.monotonic()
        return replace(self._outcome(job), seconds=time.monotonic() - began)

    def _outcome(self, job: Job) -> Outcome:
        error_text = ""
        self.prepare(job)
        for attempt in range(ATTEMPTS):
            try:
                if not attempt:  # a retry takes a fresh one: the cause may have killed all idle ones
                    with suppress(queue.Empty):
                        warm = self.idle.get_nowait()
                        return self._run_on(warm, job)
                return self._run_on(WarmSandbox(self.start()), job)
            except (SandboxDied, SandboxUnavailable) as error:
                error_text = str(error)
                logger.warning("a code sandbox died: %s", error_text)
        return outcome_of(["sandbox_error"] * job.test_count(), readable(error_text))

    def _run_on(self, warm: WarmSandbox, job: Job) -> Outcome:
        try:
            outcome = warm.run(job, self.limits)
        except BaseException:
            warm.transport.close()
            raise
        self.idle.put(warm)
        if self.lacks_packages and outcome.status == "undecided" and outcome.detail.startswith("needs "):
            return outcome_of(["sandbox_error"] * job.test_count(), outcome.detail)  # says nothing of the tests
        return outcome

    def close(self) -> None:
        """Cancel waiting jobs and end all sandboxes."""
        self.threads.shutdown(cancel_futures=True)
        with suppress(queue.Empty):
            while True:
                self.idle.get_nowait().transport.close()


def readable(text: str) -> str:
    """The last DETAIL characters of a program's output, as valid UTF-8."""
    return text[-DETAIL:].encode(errors="replace").decode().strip()
