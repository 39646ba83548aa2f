"""Programs, limits and questions about processes that the tests of the sandbox share."""

import time
from collections.abc import Callable
from pathlib import Path

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Sandbox

LIMITS = Code(timeout_seconds=2, memory_mb=256, processes=32, output_kb=64)
ADD = "def add(a, b):\n    return a + b\n"
TEST = "assert add(1, 2) == 3"
ROOT = Path(__file__).parents[3]


def status(sandbox: Sandbox, program: str, test_code: str = TEST, entry_point: str | None = None) -> str:
    return sandbox.run(program, test_code, entry_point).status


def holds(sandbox: Sandbox, checks: str) -> bool:
    """Do these statements run through where the program is, and where its tests are?"""
    return status(sandbox, f"{checks}\n{ADD}") == status(sandbox, "", checks) == "pass"


def processes() -> str:
    """The command lines of everything that runs on this machine."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # ended meanwhile
    return "\n".join(lines)


def soon(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Does it come true in time? The kernel takes a moment to end what it was told to kill."""
    patience = time.monotonic() + seconds
    while not condition() and time.monotonic() < patience:
        time.sleep(0.02)
    return condition()
