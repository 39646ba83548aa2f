"""One run of a job's tests, watched by the supervisor: reports of the judge, time and output limits.

Verdicts rest only on what the supervisor observes itself (exit codes, time, amount of output) and on the report of the
judge, which comes over a pipe that no candidate holds.
"""

import json
import os
import select
import signal
import socket
import time
from typing import Any, NamedTuple

from am_assets.engines.sandbox.guest import languages
from am_assets.engines.sandbox.guest.cells import Cells
from am_assets.engines.sandbox.guest.wire import DETAIL

SCRIPT_GRACE = 1  # seconds beyond the limit of a script, which its own cell enforces first


class Verdict(NamedTuple):
    """The status of a test, and the output to show."""

    status: str
    detail: str


class Run:
    """The tests of a job from number `first` on, in two new cells; runs of a script share a process if it `repeats`."""

    def __init__(self, cells: Cells, order: dict[str, Any], first: int, deadline: float, repeats: bool) -> None:
        self.cells = cells
        self.limits = order["limits"]
        job = order["job"]
        self.left = max(1, job["tests"]) - first
        channels = socket.socketpair()
        self.printed, printing = os.pipe()
        order_end, self.order = os.pipe()
        self.report, reporting = os.pipe()
        rlimits = order["rlimits"]
        lent = [printing, order_end, reporting, *(channel.fileno() for channel in channels)]
        self.judge = cells.start("judge", [printing, channels[0].fileno(), order_end, reporting], rlimits)
        self.candidate = cells.start("candidate", [printing, channels[1].fileno()], rlimits)
        for channel in channels:
            channel.detach()
        for descriptor in lent:
            os.close(descriptor)
        os.set_blocking(self.order, False)
        told = {**job, "limits": self.limits, "first": first, "repeats": repeats}
        self.unsent = memoryview(json.dumps(told).encode())
        self.partial_line, self.tail, self.size = bytearray(), b"", 0
        self.begun = self.loaded = False
        self.verdicts: list[Verdict] = []
        self.last: list[str] = []  # the judge's last message: `lost`, `again` or `end`
        self.in_doubt = False  # the next test has to be done without repeats
        share = (job["language"] != "python") + languages.CHECKERS_SHARE * (job["checker"] is not None)
        compiling = self.limits["compile_seconds"] * share
        self.seconds = self.limits["timeout_seconds"] + SCRIPT_GRACE * job["is_script"]
        self.last_deadline = deadline + compiling
        self.deadline = min(self.last_deadline, time.monotonic() + self.seconds + compiling)

    def watch(self) -> list[Verdict]:
        """The verdicts of the tests that ran: all of them, unless the last one ended the program."""
        open_ends = {0, self.printed, self.report}
        while (not self.last and self.report in open_ends) or self.waits_for_candidate():
            left = self.deadline - time.monotonic()
            if left <= 0:
                return self.with_last(Verdict("timeout", f"still running after {self.limits['timeout_seconds']:g} s"))
            pause = min(left, 0.002) if self.last else left
            readable, writable, _ = select.select(open_ends, [self.order] if self.unsent else [], [], pause)
            if 0 in readable:
                os._exit(0)  # the host has ended or broken the protocol
            if writable:
                self.send()
            for descriptor in sorted(readable, key=self.report.__eq__):  # output of a test before the report of its end
                if not self.read(descriptor):
                    open_ends.discard(descriptor)
                if self.size > self.limits["output_kb"] * 1024:
                    return self.with_last(Verdict("output_limit", f"printed more than {self.limits['output_kb']} kB"))
        return self.reported()

    def send(self) -> None:
        """Write more of the order to the judge."""
        try:
            self.unsent = self.unsent[os.write(self.order, self.unsent) :]
        except BrokenPipeError:  # the judge has died, as the end of its report shows
            self.unsent = memoryview(b"")
        if not self.unsent:
            os.close(self.order)
            self.order = -1

    def read(self, descriptor: int) -> bytes:
        """Read output or reports; empty at the end."""
        data = os.read(descriptor, 1 << 16)
        if descriptor == self.report:
            *lines, self.partial_line = (self.partial_line + data).split(b"\n")
            for line in lines:
                self.handle(*json.loads(line))
        else:
            self.size += len(data)
            self.tail = (self.tail + data)[-DETAIL:]
        return data

    def handle(self, word: str, *verdict: str) -> None:
        """Handle one message of the judge, see `judge.Tests`. A finished test resets the clock."""
        self.begun = True
        if word in ("lost", "again", "end"):
            self.last = [word, *verdict]
            return
        if word == "test":
            self.verdicts.append(Verdict(*verdict))
        self.loaded |= word == "loaded"
        if self.loaded:
            self.size = 0
            self.deadline = min(self.last_deadline, time.monotonic() + self.seconds)

    def waits_for_candidate(self) -> bool:
        """Whether the judge has lost the candidate, whose exit code is not known yet."""
        return self.last[1:2] == ["gone"] and self.cells.ended(self.candidate) is None

    def reported(self) -> list[Verdict]:
        """The verdicts by the judge's report and the exit codes."""
        if not self.begun:
            return self.to_all(Verdict("sandbox_error", "the judge did not start"))
        code = self.cells.ended(self.candidate)
        if not self.last:
            self.cells.until(lambda: self.cells.ended(self.judge) is not None)
            return self.to_all(self.end_of(self.cells.dead[self.judge.process], "the tests"))
        word, *verdict = self.last
        left = self.end_of(code, "the program") if verdict[0] == "gone" else Verdict(*verdict)
        if word == "again" and time.monotonic() < self.last_deadline:
            self.in_doubt = True
            return self.verdicts
        if word in ("lost", "again"):
            return self.with_last(left)
        if left.status == "pass" and code is not None:  # answers may have come from another process
            left = self.end_of(code, "the program")
            del self.verdicts[-1:]
        return self.to_all(left)

    def with_last(self, verdict: Verdict) -> list[Verdict]:
        """`verdict` for the current test; for all remaining ones where the program is not loaded or no time is left."""
        if self.loaded and time.monotonic() < self.last_deadline:
            return [*self.verdicts, verdict]
        return self.to_all(verdict)

    def to_all(self, verdict: Verdict) -> list[Verdict]:
        """`verdict` for all remaining tests."""
        return [*self.verdicts, *[verdict] * (self.left - len(self.verdicts))]

    def end_of(self, code: int | None, who: str) -> Verdict:
        """The verdict on a judge or candidate that ended by itself with `code`."""
        printed = self.tail.decode(errors="replace")
        if code == -signal.SIGKILL:  # only the kernel can have sent it, when memory ran out
            return Verdict("memory", f"{printed}\n{who}: killed for want of memory")
        if code is not None and code < 0:
            return Verdict("exception", f"{printed}\n{who}: killed by {signal.Signals(-code).name}")
        return Verdict("exited_early", f"{printed}\n{who}: exited with code {code} before the tests were through")

    def close(self) -> None:
        """End both cells and close all pipes."""
        for descriptor in (self.printed, self.report, self.order):
            if descriptor >= 0:
                os.close(descriptor)
        self.cells.clear(self.judge, self.candidate)
