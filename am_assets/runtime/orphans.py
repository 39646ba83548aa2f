"""Processes that must not outlive the one they work for: killed outright, it can tell nobody to stop."""

import os
import signal
import threading
from contextlib import suppress

import psutil


def end_with(pid: int) -> None:
    """From now on this process is killed as soon as that of this number is gone, whether it is its parent or not.

    A death signal of the kernel would not do: it follows the parent's starting *thread*, which may end long before."""

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
