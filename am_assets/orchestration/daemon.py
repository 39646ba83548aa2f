"""Dagster's daemon, which looks after backfills every other second instead of every thirty.

    python -m am_assets.orchestration.daemon run -w workspace.yaml

A backfill takes two looks: one requests its runs, one sees that they ended. Without a backfill a look is one query.
"""

from am_assets.orchestration.dagster_internals import controller
from am_assets.orchestration.dagster_internals import main as daemon_main

SECONDS = 2


def main() -> None:
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = SECONDS
    daemon_main()


if __name__ == "__main__":
    main()
