"""Dagster's default run launcher with a health check of the run's process.

Without one, a run whose process and code server died together (power failure, `kill -9` of everything) stays
"started" for ever, and its backfill never ends. With this launcher named in `dagster.yaml`, the daemon's run monitoring
marks such a run as failed, and run retries start it again. It sees processes of this machine, and those that hold a
lease.
"""

from collections.abc import Iterator
from itertools import islice

import dagster as dg
import psutil

from am_assets.orchestration import postgres
from am_assets.orchestration.dagster_internals import CheckRunHealthResult, WorkerStatus

CLOCK_SLACK_SECONDS = 5  # tolerated between the kernel's start time of a process and the timestamp of its event


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """Reports a run as lost when its process is gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        if (told := postgres.health(run)) is not None:
            return told
        # the first process logged is that of the run itself
        for pid, at in islice(self._processes(run.run_id), 1):
            if not _is_alive(pid, at):
                return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"process {pid} is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _processes(self, run_id: str) -> Iterator[tuple[int, float]]:
        """Process ids that the run logged, with the time of the log entry in seconds since the epoch."""
        for entry in self._instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            if entry.dagster_event and "pid" in entry.dagster_event.engine_event_data.metadata:
                yield int(str(entry.dagster_event.engine_event_data.metadata["pid"].value)), entry.timestamp


def _is_alive(pid: int, at: float) -> bool:
    """Whether the process with this id at time `at` is still running; a later process that reuses the id is not it."""
    try:
        process = psutil.Process(pid)
        return process.create_time() <= at + CLOCK_SLACK_SECONDS and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
