"""Dagster's daemon, but looking after backfills every second instead of every thirty: tests can't wait that long."""

from dagster._daemon import controller
from dagster._daemon.cli import main

if __name__ == "__main__":
    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 1
    main()
