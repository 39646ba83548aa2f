"""One job's talk between the host and the harness inside the sandbox, and what it amounts to.

Standard input carries the job to `harness.py`; standard output carries its report; whatever the program prints comes
over standard error. A report counts only behind the job's random token, which the harness reads before the program is
loaded: an exit code, a printed line or a vanished process is never a pass.
"""

import json
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from signal import SIGKILL, Signals
from typing import NamedTuple, get_args

from am_assets.engines.sandbox.protocol import START_SECONDS, Job, Outcome, Status
from am_assets.instruments import Code

GRACE_SECONDS = 5  # for a sandbox whose program has ended to come down
DETAIL_CHARS = 2000


class Ending(NamedTuple):
    """How a sandbox ended that left no report; `code` is a shell's: 128 plus the signal that killed the program."""

    code: int
    out_of_memory: bool


@dataclass
class Exchange:
    """One job's talk with its harness, as the host hears it."""

    limits: Code
    job: Job
    rlimits: dict[str, int]
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    reported: bytearray = field(default_factory=bytearray)
    printed: bytearray = field(default_factory=bytearray)
    deadline: float = field(default_factory=lambda: time.monotonic() + START_SECONDS)
    stopped: Status | None = None

    def request(self) -> bytes:
        # More CPU time than the wall clock allows: it only ends a program that outlives its host.
        cpu = int(self.limits.timeout_seconds) * (os.cpu_count() or 1) + 5
        rlimits = {**self.rlimits, "CPU": cpu}
        body = json.dumps({"token": self.token, "rlimits": rlimits, **self.job._asdict()}).encode()
        return b"%d\n%s" % (len(body), body)

    def remaining(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def listen(self, read: Callable[[float], tuple[bool, bytes] | None]) -> None:
        """Hears the sandbox out; sets `stopped` where it has to be killed.

        `read` waits the given seconds for (is it standard output, bytes); null at the end of both streams, TimeoutError
        when nothing came.
        """
        started = False
        limit = self.limits.output_kb * 1024
        try:
            while chunk := read(self.remaining()):
                is_report, data = chunk
                stream = self.reported if is_report else self.printed
                if len(stream) <= limit:
                    stream.extend(data)
                if not started and self._reports():
                    started, self.deadline = True, time.monotonic() + self.limits.timeout_seconds
                # What is printed may overtake the report that the harness has started.
                if started and len(self.reported) + len(self.printed) > limit:
                    self.stopped = "output_limit"
                    return
                if not self.remaining():
                    raise TimeoutError
        except TimeoutError:
            self.stopped = "timeout"

    def _reports(self) -> list[Outcome]:
        """What stands behind the token so far; the first says only that the harness has started."""
        reports = []
        for line in bytes(self.reported).split(b"\n")[:-1]:
            if line.startswith(self.token.encode()):
                with suppress(ValueError, TypeError):  # a program that found the token could write anything behind it
                    reports.append(Outcome(*json.loads(line[len(self.token) :])))
        return reports

    def outcome(self, ending: Callable[[float], Ending]) -> Outcome:
        """What the talk amounts to; no exception of its own.

        `ending` is asked only where there is no report: it waits the given seconds, then raises TimeoutError.
        """
        said = self._reports()
        if not said:
            return self._ended("sandbox_error", "the harness did not start")
        reports = said[1:]
        if self.stopped == "output_limit":
            return Outcome("output_limit", f"printed more than {self.limits.output_kb} kB")
        if reports and reports[0].status in get_args(Status):
            return Outcome(reports[0].status, readable(reports[0].detail))
        still_running = Outcome("timeout", f"still running after {self.limits.timeout_seconds:g} s")
        if self.stopped == "timeout":
            return still_running
        try:
            code, out_of_memory = ending(self.remaining() + GRACE_SECONDS)
        except TimeoutError:  # it closed its streams and went on
            return still_running
        if out_of_memory:
            return self._ended("memory", f"killed for want of memory: the limit is {self.limits.memory_mb} MB")
        if code < 0 or code == 128 + SIGKILL:
            return self._ended("sandbox_error", "killed from outside the sandbox")
        if 128 < code <= 128 + 31:
            return self._ended("exception", f"killed by {Signals(code - 128).name}")
        return self._ended("exited_early", f"exited with code {code} before its tests were through")

    def _ended(self, status: Status, why: str) -> Outcome:
        return Outcome(status, readable(f"{self.printed.decode(errors='replace')}\n{why}"))


def readable(text: object) -> str:
    """The end of a program's words, as text that any file can hold."""
    return str(text)[-DETAIL_CHARS:].encode(errors="replace").decode().strip()
