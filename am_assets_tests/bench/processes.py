"""What the processes that a benchmark starts take, and one of them killed."""

import os
import subprocess
import time


def busy_since(before: os.times_result) -> float:
    """The seconds of processor of all children that ended since `os.times()` was `before`."""
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def killed_after(process: subprocess.Popen, seconds: float) -> bool:
    """Kill a process after so many seconds; whether it still ran then."""
    time.sleep(seconds)
    ran = process.poll() is None
    process.kill()
    process.wait()
    return ran
