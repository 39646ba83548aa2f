"""Answers the host: one job at a time, a line of JSON each way. It outlives every job and runs no foreign code.

What it tells the host it has seen itself (how processes ended, how long they took, how much they printed) or has from
the judge, over a pipe that no candidate holds.
"""

import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, NamedTuple

from am_assets.engines.sandbox.guest.cells import Cells

TAIL = 2000  # bytes of what was printed, for a person
BEGUN = b"!"  # the judge's first word: from here on what happens is the job's doing


class Verdict(NamedTuple):
    status: str
    detail: str


class Job:
    """One job: two cells, what they print, and the time they have."""

    def __init__(self, cells: Cells, order: dict[str, Any]) -> None:
        self.cells = cells
        self.limits = order["limits"]
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
        self.unsent = memoryview(json.dumps(order["job"]).encode())
        self.said, self.tail, self.size = bytearray(), b"", 0
        self.deadline = time.monotonic() + self.limits["timeout_seconds"]

    def watch(self) -> Verdict:
        open_ends = {0, self.printed, self.report}
        while not (reported := self.said.endswith(b"\n") or self.report not in open_ends) or self.waits_for_candidate():
            left = self.deadline - time.monotonic()
            if left <= 0:
                return Verdict("timeout", f"still running after {self.limits['timeout_seconds']:g} s")
            pause = min(left, 0.002) if reported else left
            readable, writable, _ = select.select(open_ends, [self.order] if self.unsent else [], [], pause)
            if 0 in readable:
                os._exit(0)  # the host is gone, or talks out of turn
            if writable:
                self.send()
            for descriptor in readable:
                if not self.hear(descriptor):
                    open_ends.discard(descriptor)
            if self.size > self.limits["output_kb"] * 1024:
                return Verdict("output_limit", f"printed more than {self.limits['output_kb']} kB")
        return self.reported()

    def send(self) -> None:
        try:
            self.unsent = self.unsent[os.write(self.order, self.unsent) :]
        except BrokenPipeError:  # the judge has died; its report says so
            self.unsent = memoryview(b"")
        if not self.unsent:
            os.close(self.order)
            self.order = -1

    def hear(self, descriptor: int) -> bytes:
        data = os.read(descriptor, 1 << 16)
        if descriptor == self.report:
            self.said += data
        else:
            self.size += len(data)
            self.tail = (self.tail + data)[-TAIL:]
        return data

    def waits_for_candidate(self) -> bool:
        """The judge has lost it: how does it end?"""
        return self.said.startswith(BEGUN + b'["gone"') and self.cells.ended(self.candidate) is None

    def reported(self) -> Verdict:
        if not self.said.startswith(BEGUN):
            return Verdict("sandbox_error", "the judge did not start")
        code = self.cells.ended(self.candidate)
        if len(self.said) == len(BEGUN):
            self.cells.until(lambda: self.cells.ended(self.judge) is not None)
            return self.end_of(self.cells.dead[self.judge.process], "the tests")
        status, detail = json.loads(self.said[len(BEGUN) :])
        if status == "gone" or (status == "pass" and code is not None):
            return self.end_of(code, "the program")
        return Verdict(status, detail)

    def end_of(self, code: int | None, who: str) -> Verdict:
        """What it means that one of the two ended without having been told to."""
        printed = self.tail.decode(errors="replace")
        if code == -signal.SIGKILL:  # nobody outside can see it to kill it, except the kernel when memory runs out
            return Verdict("memory", f"{printed}\n{who}: killed for want of memory")
        if code is not None and code < 0:
            return Verdict("exception", f"{printed}\n{who}: killed by {signal.Signals(-code).name}")
        return Verdict("exited_early", f"{printed}\n{who}: exited with code {code} before the tests were through")

    def close(self) -> None:
        for descriptor in (self.printed, self.report, self.order):
            if descriptor >= 0:
                os.close(descriptor)
        self.cells.clear(self.judge, self.candidate)


def run(cells: Cells, order: dict[str, Any]) -> Verdict:
    job = Job(cells, order)
    try:
        return job.watch()
    finally:
        job.close()


def say(message: object) -> None:
    line = json.dumps(message).encode() + b"\n"
    while line:
        line = line[os.write(1, line) :]


def main() -> None:
    cells = Cells(json.loads(sys.argv[1]))
    say("ready")
    heard = b""
    while data := os.read(0, 1 << 20):
        heard += data
        if heard.endswith(b"\n"):
            say(run(cells, json.loads(heard)))
            heard = b""
    os._exit(0)
