"""Serves the host: one job at a time, one line of JSON each way. It outlives all jobs and runs no untrusted code."""

import json
import os
import sys
import time
from typing import Any

from am_assets.engines.sandbox.guest import languages
from am_assets.engines.sandbox.guest.cells import Cells
from am_assets.engines.sandbox.guest.runs import Run, Verdict
from am_assets.engines.sandbox.guest.wire import NO_FAILURES


def run(cells: Cells, order: dict[str, Any]) -> tuple[list[str], str]:
    """The status of each test, and the detail of the first that failed.

    After a test that ended the program, the remaining tests run in new cells while there is time. None runs after the
    first failure where the limits say so: the statuses are fewer then.
    """
    deadline = time.monotonic() + order["limits"]["total_seconds"]
    verdicts: list[Verdict] = []
    repeats = True
    while len(verdicts) < max(1, order["job"]["tests"]):
        tests = Run(cells, order, len(verdicts), deadline, repeats)
        try:
            verdicts += tests.watch()
        finally:
            tests.close()
        repeats = repeats and not tests.in_doubt
        if order["limits"].get("stop_at_failure") and verdicts and verdicts[-1].status not in NO_FAILURES:
            break
    failed = sorted((each for each in verdicts if each.status != "pass"), key=lambda each: each.status == "undecided")
    return [each.status for each in verdicts], failed[0].detail if failed else ""


def send(message: object) -> None:
    """Send a message to the host."""
    line = json.dumps(message).encode() + b"\n"
    while line:
        line = line[os.write(1, line) :]


def main() -> None:
    """Serve until the host closes the connection."""
    settings = json.loads(sys.argv[1])
    sys.argv[:] = ["program.py"]  # as programs and tests see it
    languages.folders.extend(settings["commands"])
    cells = Cells(settings)
    send({"languages": languages.found()})
    received = b""
    while data := os.read(0, 1 << 20):
        received += data
        if received.endswith(b"\n"):
            send(run(cells, json.loads(received)))
            received = b""
    os._exit(0)
