"""Tasks of a run on a cluster: jobs of Ray that measure rows beside it, where these would take it long.

A task makes the body of the same table, up to the measurements (`measuring.py`), and stores what it measured in the
memo itself. Nothing depends on one: a row that it did not store is measured by the run.
"""

import time
from typing import Any
from uuid import uuid4

import dagster as dg

from am_assets.config.cluster import Launcher
from am_assets.orchestration.planned import UNDER_WAY
from am_assets.orchestration.ray import APPLY

TRIED_SECONDS = 10.0  # after which it is known how long a row takes
LOOK_SECONDS = 10.0  # between two looks at the tasks
WORTH_SECONDS = 60.0  # of measuring that a task saves at least: its start takes 10 to 20 s
LOST = 3  # tasks that end with an error before no more are begun


class Tasks:
    """Begins tasks of the run of this process as long as rows are left for them and machines have room, and sees what
    becomes of them."""

    def __init__(self, namespace: str, launcher: Launcher):
        self.namespace, self.launcher = namespace, launcher
        self.context = dg.AssetExecutionContext.get()
        self.ray: Any = self.context.instance.run_launcher
        self.under_way: list[str] = []  # as Ray names them
        self.lost = 0
        self.next = time.monotonic() + TRIED_SECONDS

    def tend(self, left: int, rate: float) -> bool:
        """Look at the tasks now and then, with so many rows left and this process measuring so many a second."""
        if time.monotonic() >= self.next:
            try:
                self._look()
                if rate and self.lost < LOST:
                    self._begin(left / rate)
            except Exception as error:  # of Ray or of the records: the run measures all by itself
                self.context.log.warning(f"no tasks are begun now: {error}")
            self.next = time.monotonic() + LOOK_SECONDS
        return True

    def close(self) -> None:
        """End what is still there: it waits for a machine, or this run was ended."""
        for name in self.under_way:
            try:
                self.ray.client.stop_job(name)
            except Exception as error:  # its guard ends it
                self.context.log.warning(f"a task was not ended: {error}")

    def _look(self) -> None:
        for name in [*self.under_way]:
            status = self.ray.client.get_job_status(name)
            if status.is_terminal():
                self.under_way.remove(name)
                if status != "SUCCEEDED":
                    self.lost += 1
                    self.context.log.warning(f"a task of {self.namespace} ended early ({name} in Ray: {status})")

    def _begin(self, seconds: float) -> None:
        """Begin as many tasks as shorten work that would take this process alone so long."""
        wanted = int(seconds / WORTH_SECONDS) - 1
        if wanted <= len(self.under_way) or len(self.under_way) >= self.launcher.runs - 1:
            return
        instance, run = self.context.instance, self.context.run
        runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        room = self.launcher.runs - sum(one.job_name != APPLY for one in runs)  # this one among them
        for _ in range(min(wanted, room) - len(self.under_way)):
            name = f"{self.namespace}-{run.run_id[:8]}-{uuid4().hex[:8]}"
            self.ray.begin_task(name, run.run_id, self.context.asset_key.to_user_string(), self.context.partition_key)
            self.under_way.append(name)
            self.context.log.info(
                f"{self.namespace}: a task was submitted to measure with this run, {len(self.under_way)} now, as what"
                f" is left takes it {seconds:.0f} s"
            )
