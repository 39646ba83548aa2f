"""`dagster dev` with the daemon of `daemon.py`."""

import os
import sys
from pathlib import Path

import dagster as dg

from am_assets.orchestration.dagster_internals import dev
from am_assets.storage.atomic import locked

DAEMON = {"dagster._daemon": "am_assets.orchestration.daemon"}


def main() -> None:
    start = dev.open_ipc_subprocess
    dev.open_ipc_subprocess = lambda command, **given: start([DAEMON.get(part, part) for part in command], **given)
    home = Path(os.environ["DAGSTER_HOME"])
    with locked(home), dg.DagsterInstance.get():  # its databases are created before others, as `am`, may open them
        pass
    dev.dev_command(sys.argv[1:], prog_name="dagster dev")


if __name__ == "__main__":
    main()
