"""`dagster dev` with the daemon of `daemon.py`."""

import sys

from am_assets.orchestration.dagster_internals import dev

DAEMON = {"dagster._daemon": "am_assets.orchestration.daemon"}


def main() -> None:
    start = dev.open_ipc_subprocess
    dev.open_ipc_subprocess = lambda command, **options: start([DAEMON.get(part, part) for part in command], **options)
    dev.dev_command(sys.argv[1:], prog_name="dagster dev")


if __name__ == "__main__":
    main()
