"""Dagster's own run launcher, able to tell whether the process of a run is still there.

Where nobody can tell, a run whose process and code server died together (a power cut, a `kill -9` of everything) stays
"started" for ever, and the backfill it belongs to never ends. Named in `dagster.yaml`, it has the daemon's run
monitoring fail such a run, and run retries start it again. Processes are looked for on this machine alone.
"""

from collections.abc import Iterator
from itertools import islice

import dagster as dg
import psutil

from am_assets.orchestration.dagster_internals import CheckRunHealthResult, WorkerStatus

CLOCK_SLACK_SECONDS = 5  # between the start of a process by the kernel's reckoning and by the clock of its events


class WatchedRunLauncher(dg.DefaultRunLauncher):
    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        # the first is that of the run itself
        for pid, at in islice(self._processes(run.run_id), 1):
            if not _lives(pid, at):
                return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"process {pid} is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _processes(self, run_id: str) -> Iterator[tuple[int, float]]:
        """The processes that a run names in its log, and when."""
        for entry in self._instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
            if entry.dagster_event and "pid" in entry.dagster_event.engine_event_data.metadata:
                yield int(str(entry.dagster_event.engine_event_data.metadata["pid"].value)), entry.timestamp


def _lives(pid: int, at: float) -> bool:
    """Whether the process that had this number at that time is still there, and not another that got it since."""
    try:
        process = psutil.Process(pid)
        return process.create_time() <= at + CLOCK_SLACK_SECONDS and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
