"""Answers the host: one job at a time, a line of JSON each way. It outlives every job and runs no foreign code."""

import json
import os
import sys
import time
from typing import Any

from am_assets.engines.sandbox.guest.cells import Cells
from am_assets.engines.sandbox.guest.runs import Run, Verdict
from am_assets.engines.sandbox.guest.scripts import COMPILER


def run(cells: Cells, order: dict[str, Any]) -> tuple[list[str], str]:
    """The status of each test, and what is to be said of the first that failed.

    A test that takes the program with it does not take the tests after it: they get new cells, while there is time.
    """
    deadline = time.monotonic() + order["limits"]["total_seconds"]
    verdicts: list[Verdict] = []
    while len(verdicts) < max(1, order["job"]["tests"]):
        tests = Run(cells, order, len(verdicts), deadline)
        try:
            verdicts += tests.watch()
        finally:
            tests.close()
    return [each.status for each in verdicts], next((each.detail for each in verdicts if each.status != "pass"), "")


def say(message: object) -> None:
    line = json.dumps(message).encode() + b"\n"
    while line:
        line = line[os.write(1, line) :]


def main() -> None:
    cells = Cells(json.loads(sys.argv[1]))
    say({"compiler": os.access(COMPILER, os.X_OK)})
    heard = b""
    while data := os.read(0, 1 << 20):
        heard += data
        if heard.endswith(b"\n"):
            say(run(cells, json.loads(heard)))
            heard = b""
    os._exit(0)
