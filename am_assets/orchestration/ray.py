"""Runs as jobs of a Ray cluster: dagster-ray's run launcher, with what all clusters have in common (`remote.py`)."""

import sys
from collections.abc import Sequence

import dagster as dg
from dagster_ray import RayRunLauncher

from am_assets.engines.ray_head import last_words, silence, submit
from am_assets.orchestration.dagster_internals import CheckRunHealthResult, WorkerStatus
from am_assets.orchestration.remote import SUCCEEDED, RemoteLauncher, environment, takes
from am_assets.runtime.quoting import quoted

LOG_CHARS = 500  # of a job that failed
SAYS_CHARS = 60  # of what Ray says of a run that is gone
UNKNOWN_JOB = "does not exist"  # in what Ray says of a job that it does not know


class RayLauncher(RemoteLauncher, RayRunLauncher):
    """Named in dagster.yaml where the launcher of cluster.yaml is Ray."""

    name = "Ray"
    remedy = "start its head there, or correct the address"
    python = sys.executable  # at the same path on all machines

    def silence(self) -> str | None:
        return silence(self.address)

    def submit(self, name: str, command: Sequence[str], run: dg.DagsterRun) -> None:
        about = {"dagster/run-id": run.run_id, "dagster/job": run.job_name}
        submit(self.client, name, command, takes(run), runtime_env={"env_vars": environment(run)}, metadata=about)

    def stop(self, name: str) -> None:
        self.client.stop_job(name)

    def ended(self, name: str) -> str | None:
        status = self.client.get_job_status(name)
        if not status.is_terminal():
            return None
        return SUCCEEDED if str(status) == SUCCEEDED else last_words(self.client, name, LOG_CHARS) or str(status)

    def job_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        told = RayRunLauncher.check_run_worker_health(self, run)
        if told.status == WorkerStatus.FAILED:
            why = quoted((told.msg or "").removeprefix("Ray job failed. Message: "), most=SAYS_CHARS)
            return CheckRunHealthResult(WorkerStatus.FAILED, f"it is gone, with its process or its machine ({why})")
        if told.status != WorkerStatus.UNKNOWN:
            return CheckRunHealthResult(told.status)
        if UNKNOWN_JOB in (told.msg or ""):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "Ray does not know it: its head was begun anew")
        return CheckRunHealthResult(WorkerStatus.RUNNING)
