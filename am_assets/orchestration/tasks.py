"""Tasks of a run on a cluster: jobs that measure rows beside it, where these would take it long.

A task makes the body of the same table, up to the measurements (`measuring.py`), and stores what it measured in the
memo itself. Nothing depends on one: a row that it did not store is measured by the run.
"""

import time
from uuid import uuid4

import dagster as dg

from am_assets.config.cluster import Launcher
from am_assets.orchestration.planned import UNDER_WAY
from am_assets.orchestration.remote import APPLY, SUCCEEDED, RemoteLauncher

TRIED_SECONDS = 10.0  # after which it is known how long a row takes
LOOK_SECONDS = 10.0  # between two looks at the tasks
WORTH_SECONDS = 60.0  # of measuring that a task saves at least: its start takes 10 to 20 s
MEASURING = "am_assets.orchestration.measuring"
LOST = 3  # tasks that end with an error before no more are begun


class Tasks:
    """Begins tasks of the run of this process as long as rows are left for them and machines have room, and sees what
    becomes of them."""

    def __init__(self, namespace: str, launcher: Launcher):
        self.namespace, self.launcher = namespace, launcher
        self.context = dg.AssetExecutionContext.get()
        self.cluster: RemoteLauncher = self.context.instance.run_launcher
        self.under_way: list[str] = []  # as the cluster names them
        self.lost, self.said = 0, ""
        self.next = time.monotonic() + TRIED_SECONDS

    def tend(self, left: int, rate: float) -> bool:
        """Look at the tasks now and then, with so many rows left and this process measuring so many a second."""
        if time.monotonic() >= self.next:
            try:
                self._look()
                if rate and self.lost < LOST:
                    self._begin(left / rate)
            except Exception as error:  # of the cluster or of the records: the run measures all by itself
                if (why := f"no tasks are begun now: {error}") != self.said:
                    self.context.log.warning(why)
                self.said = why
            self.next = time.monotonic() + LOOK_SECONDS
        return True

    def close(self) -> None:
        """End what is still there: it waits for a machine, or this run was ended."""
        for name in self.under_way:
            try:
                self.cluster.stop(name)
            except Exception as error:  # its guard ends it
                self.context.log.warning(f"a task was not ended: {error}")

    def _look(self) -> None:
        for name in [*self.under_way]:
            if how := self.cluster.ended(name):
                self.under_way.remove(name)
                if how != SUCCEEDED:
                    self.lost += 1
                    self.context.log.warning(
                        f"a task of {self.namespace} ended early ({name} in {self.cluster.name}: {how})"
                    )

    def _begin(self, seconds: float) -> None:
        """Begin as many tasks as shorten work that would take this process alone so long."""
        wanted = int(seconds / WORTH_SECONDS) - 1
        if wanted <= len(self.under_way) or len(self.under_way) >= self.launcher.runs - 1:
            return
        instance, run = self.context.instance, self.context.run
        runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        room = self.launcher.runs - sum(one.job_name != APPLY for one in runs)  # this one among them
        for _ in range(min(wanted, room) - len(self.under_way)):
            name = f"{self.namespace.replace('_', '-')}-{run.run_id[:8]}-{uuid4().hex[:8]}"
            asset, partition = self.context.asset_key.to_user_string(), self.context.partition_key
            self.cluster.begin_beside(name, run.run_id, MEASURING, run.run_id, asset, partition, self.namespace)
            self.under_way.append(name)
            self.context.log.info(
                f"{self.namespace}: a task was submitted to measure with this run, {len(self.under_way)} now, as what"
                f" is left takes it {seconds:.0f} s"
            )
