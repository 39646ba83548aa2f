"""`make ui`: Dagster's UI and daemon over the project's instance, ended by SIGTERM or ctrl-C within 10 s.

    python -m am_assets.orchestration.ui -w workspace.yaml

`dagster dev` itself goes on after SIGTERM. Nothing here imports Dagster.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from am_assets.config.files import ConfigError
from am_assets.orchestration.instance import prepare_environment

STOP_SECONDS = 5.0  # that webserver, daemon and code server have to end by themselves


def main(arguments: list[str]) -> int:
    """The exit code of `dagster dev` with `arguments`, or 143 after SIGTERM."""
    try:
        prepare_environment(Path(os.environ["DAGSTER_HOME"]))
    except ConfigError as error:
        sys.exit(str(error))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    command = [sys.executable, "-m", "am_assets.orchestration.dev", *arguments]
    with subprocess.Popen(command, start_new_session=True) as served:
        while served.poll() is None and not stop.wait(0.2):
            pass
        if stop.is_set():
            _end(psutil.Process(served.pid))
    return 128 + signal.SIGTERM if stop.is_set() else served.returncode


def _end(served: psutil.Process) -> None:
    """Ask all processes to end as after ctrl-C, and kill those that are left."""
    every = [served, *served.children(recursive=True)]
    served.send_signal(signal.SIGINT)
    _, left = psutil.wait_procs(every, STOP_SECONDS)
    for process in left:
        process.kill()
    psutil.wait_procs(left, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
