"""Tasks of a run on a cluster: jobs that measure rows beside it, where these would take it long.

A task makes the body of the same table, up to the measurements (`measuring.py`), and stores what it measured in the
memo itself. Nothing depends on one: a row that it did not store is measured by the run.
"""

import threading
import time
from uuid import uuid4

import dagster as dg

from am_assets.config.cluster import Launcher
from am_assets.orchestration.planned import UNDER_WAY
from am_assets.orchestration.remote import APPLY, SUCCEEDED, RemoteLauncher

LOOK_SECONDS = 10.0  # before it is known how long rows take, and between two looks at the tasks
WORTH_SECONDS = 60.0  # of measuring that a task saves at least: its start takes 10 to 20 s
MOST_SECONDS = 300.0  # after which a task ends, so that a run that waits gets its machine; another may be begun
MEASURING = "am_assets.orchestration.measuring"
LOST = 3  # tasks that end with an error before no more are begun


class Tasks:
    """Begins tasks of the run of this process as long as rows are left for them and machines have room, and sees what
    becomes of them. In a thread of its own: one row may take minutes, and a cluster that is away answers late."""

    def __init__(self, namespace: str, launcher: Launcher):
        self.namespace, self.launcher = namespace, launcher
        self.context = dg.AssetExecutionContext.get()
        self.cluster: RemoteLauncher = self.context.instance.run_launcher
        self.under_way: dict[str, float] = {}  # as the cluster names them, and when they were submitted
        self.lost, self.said, self.none_left = 0, "", False
        self.left, self.measured, self.began = 0, 0, 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def tend(self, left: int, measured: int) -> bool:
        """Note how many rows are left, and how many this process has measured, with those that it begins now."""
        self.began = self.began or time.monotonic()
        self.left, self.measured = left, measured
        return True

    def _watch(self) -> None:
        while not self.over.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """See what became of the tasks, and begin others. Rows take at least what this process took so far, if it had
        measured those that it is at."""
        try:
            self._forget_ended()
            if self.measured and self.lost < LOST and not self.none_left:
                self._begin(self.left * (time.monotonic() - self.began) / self.measured)
        except Exception as error:  # of the cluster or of the records: the run measures all by itself
            if (why := f"no tasks are begun now: {error}") != self.said:
                self.context.log.warning(why)
            self.said = why

    def close(self) -> None:
        """End what is still there: it waits for a machine, or this run was ended."""
        self.over.set()
        self.thread.join()
        for name in self.under_way:
            try:
                self.cluster.stop(name)
            except Exception as error:  # its guard ends it
                self.context.log.warning(f"a task was not ended: {error}")

    def _forget_ended(self) -> None:
        for name, submitted in [*self.under_way.items()]:
            if how := self.cluster.ended(name):
                del self.under_way[name]
                if how != SUCCEEDED:
                    self.lost += 1
                    self.context.log.warning(
                        f"a task of {self.namespace} ended early ({name} in {self.cluster.name}: {how})"
                    )
                elif time.monotonic() - submitted < MOST_SECONDS:  # it found no row that nobody has
                    self.none_left = True

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
            self.under_way[name] = time.monotonic()
            self.context.log.info(
                f"{self.namespace}: a task was submitted to measure with this run, {len(self.under_way)} now, as what"
                f" is left takes it {seconds:.0f} s"
            )
