"""`dagster dev` with the daemon of `daemon.py`, or with Dagster's own if it starts that otherwise."""

import sys

from am_assets.orchestration.dagster_internals import dev

DAEMON = {"dagster._daemon": "am_assets.orchestration.daemon"}


def main() -> None:
    if start := getattr(dev, "open_ipc_subprocess", None):
        dev.open_ipc_subprocess = lambda command, **given: start([DAEMON.get(part, part) for part in command], **given)
    dev.dev_command(sys.argv[1:], prog_name="dagster dev")


if __name__ == "__main__":
    main()
