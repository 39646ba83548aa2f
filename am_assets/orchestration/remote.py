"""What run launchers of clusters have in common: a guard beside each run (`guard.py`), and how a run's end is known.

A job's command line holds neither settings nor secrets of a project: the address of the database is named by its
environment variable, which each machine has. Whether a run lives is asked of the database first, as what carries it out
may be away while runs go on.
"""

import json
import os
import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import dagster as dg

from am_assets.config.cluster import FILE, Cluster, load_cluster
from am_assets.config.files import ConfigError
from am_assets.config.hardware import BY_NAME
from am_assets.orchestration import postgres
from am_assets.orchestration.dagster_internals import CheckRunHealthResult, ExecuteRunArgs, RunLauncher, WorkerStatus
from am_assets.orchestration.guard import PLANNED_WITH, TASK, THREADS
from am_assets.orchestration.planned import hold
from am_assets.project import data_folder, sources_file
from am_assets.storage.shared.database import Database, DatabaseError, open_database
from am_assets.storage.shared.leases import code, guarded
from am_assets.storage.shared.snapshots import taken
from am_assets.storage.shared.versions import CODE_TAG, CONFIG_TAG

APPLY = "apply_recipe"  # the pool of the job of that name
HEAD_SECONDS = 600.0  # that a launch waits for what is away, as Dagster fails a run that it can't launch
WAITS = {"cpu": 0.1}  # what its run takes, which submits others and waits for them
GUARD, WAITING = "am_assets.orchestration.guard", "am_assets.orchestration.waiting"
BEGUN = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
GONE = "its guard is gone, with its process or its machine"
SUCCEEDED = "SUCCEEDED"


class RemoteLauncher(RunLauncher):
    """Carries out runs as jobs of a cluster: what differs from one kind to the other are the abstract methods."""

    name: str  # of what carries runs out
    remedy: str  # what to do where it can't be reached
    python: str  # that jobs are begun with

    @abstractmethod
    def silence(self) -> str | None:
        """Why it can't be reached; None where it answers."""

    @abstractmethod
    def submit(self, name: str, command: Sequence[str], run: dg.DagsterRun) -> None:
        """Begin a job, with what the run takes. `RuntimeError` or `OSError` where it is refused."""

    @abstractmethod
    def stop(self, name: str) -> None:
        """End a job, if it is there."""

    @abstractmethod
    def ended(self, name: str) -> str | None:
        """How a job ended, `SUCCEEDED` where it went well; None where it did not end."""

    @abstractmethod
    def job_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a run that has not begun may still do so. The message says what one waits for that is not to be
        expected. A failure that is not transient would come again."""

    def fault(self) -> str | None:
        """Why it would carry out no run, and what to do; None where it would."""
        return f"{silent}: {self.remedy}" if (silent := self.silence()) else None

    def last_words(self, run: dg.DagsterRun) -> str:
        """What is known of how the job of a run ended; empty where nothing is."""
        return ""

    @property
    def supports_resume_run(self) -> bool:
        return False  # a run is made anew: the memo has what it measured

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def launch_run(self, context: Any) -> None:
        run = context.dagster_run
        end = time.monotonic() + HEAD_SECONDS
        while self.silence() and time.monotonic() < end:
            time.sleep(1)
        if CODE_TAG not in run.tags or run.parent_run_id:  # a retry has the tags of the run that it repeats
            self._instance.add_run_tags(run.run_id, {CODE_TAG: code(), CONFIG_TAG: self._planned()})
        execute = ExecuteRunArgs(
            job_origin=run.job_code_origin,
            run_id=run.run_id,
            instance_ref=self._instance.get_ref(),
            set_exit_code_on_failure=True,
        ).get_command_args()[-3:]  # without the command of the code server
        run = self._instance.get_run_by_id(run.run_id) or run  # with its tags of now
        self.submit(job_name(run.run_id), self._guarding([run.run_id], WAITING, *execute), run)
        self._instance.report_engine_event(f"Submitted to {self.name}", run, cls=self.__class__)

    def begin_beside(self, name: str, run_id: str, module: str, *told: str) -> None:
        """Submit a process beside a run, with what that takes, which ends with it."""
        run = self._instance.get_run_by_id(run_id)
        assert run is not None
        self.submit(name, self._guarding([TASK, run_id], module, *told), run)

    def _guarding(self, of: list[str], module: str, *arguments: str) -> list[str]:
        """The command of a guard over that of a module."""
        python = [self.python, "-W", "ignore", "-m"]
        return [*python, GUARD, *of, *python, module, *arguments]

    def _planned(self) -> str:
        """The version of the config files as they are, which are held as a snapshot."""
        data = data_folder()
        open_database(cluster_here(), data / "memo")  # mounts the store, if there is one
        hold(self._instance, data, planned := taken(data, sources_file()))
        return planned.version

    def terminate(self, run_id: str) -> bool:
        """The guard ends a run that is canceling; one that has none yet is taken out of the queue."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if not _hosts(run_id):
            if not self.silence():
                with suppress(Exception):  # it does not know the run, which never starts
                    self.stop(job_name(run_id))
            self._instance.report_run_canceled(run)
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        if (told := postgres.health(run)) is not None:  # of `am apply`, in its own process
            return told
        try:
            if _hosts(run.run_id):
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        except DatabaseError:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if run.status in BEGUN:
            why = self.last_words(run)
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"{GONE} ({why})" if why else GONE)
        if self.silence():
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            return self.job_health(run)
        except Exception:  # it went away meanwhile
            return CheckRunHealthResult(WorkerStatus.RUNNING)


def job_name(run_id: str) -> str:
    return f"dagster-run-{run_id}"


def cluster_here() -> Cluster:
    """The file's content, which has a launcher."""
    file = data_folder() / FILE
    cluster = load_cluster(file)
    if cluster is None or cluster.launcher is None:
        raise ConfigError(f"{file}: launcher: it is gone, and instance/dagster.yaml has one: restart UI and daemon")
    return cluster


def takes(run: dg.DagsterRun) -> dict[str, float]:
    """What a run takes of its machine."""
    launcher = cluster_here().launcher
    assert launcher is not None
    pools = (run.run_op_concurrency and run.run_op_concurrency.all_pools) or set()
    return {**WAITS} if APPLY in pools else launcher.takes(pools)


def environment(run: dg.DagsterRun) -> dict[str, str]:
    """What a worker can't know by itself; its own environment has the address of the database, and keys of models."""
    wanted = {tag: run.tags[tag] for tag in (CODE_TAG, CONFIG_TAG) if tag in run.tags}
    return {
        "AM_DATA": str(data_folder()),
        "AM_SOURCES": str(sources_file()),
        "DAGSTER_HOME": os.environ["DAGSTER_HOME"],
        "DAGSTER_RUN_JOB_NAME": run.job_name,
        PLANNED_WITH: json.dumps(wanted),
        THREADS: os.environ.get("OMP_NUM_THREADS", ""),
    } | ({BY_NAME: named} if (named := os.environ.get(BY_NAME)) else {})


def _hosts(run_id: str) -> dict[str, str]:
    return guarded(Database(cluster_here()), [run_id])
