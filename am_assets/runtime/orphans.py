"""Processes that must not outlive the one they work for, even where that one is killed by SIGKILL."""

import os
import signal
import threading
from contextlib import suppress

import psutil


def end_with(pid: int) -> None:
    """Kill this process (SIGKILL) as soon as process `pid` ends, whether that is its parent or not.

    PR_SET_PDEATHSIG does not serve: it fires when the parent's *thread* that forked ends, possibly long before.
    """

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
