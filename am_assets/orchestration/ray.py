"""Runs as jobs of a Ray cluster: dagster-ray's run launcher, with a guard beside each run (`guard.py`).

A job's command line holds neither settings nor secrets of a project: the address of the database is named by its
environment variable, which each machine has. Whether a run lives is asked of the database first, as Ray's head may be
away while runs go on.
"""

import json
import os
import shlex
import sys
import time
from contextlib import suppress
from typing import Any

import dagster as dg
from dagster_ray import RayRunLauncher
from dagster_ray.core.run_launcher import get_job_submission_id_from_run_id

from am_assets.config.cluster import FILE, Cluster, load_cluster
from am_assets.config.files import ConfigError
from am_assets.config.hardware import BY_NAME
from am_assets.engines.ray_head import silence
from am_assets.orchestration import postgres
from am_assets.orchestration.dagster_internals import CheckRunHealthResult, ExecuteRunArgs, WorkerStatus
from am_assets.orchestration.guard import PLANNED_WITH, TASK, THREADS
from am_assets.orchestration.planned import hold
from am_assets.project import data_folder, sources_file
from am_assets.runtime.quoting import quoted
from am_assets.storage.shared.database import Database, DatabaseError, open_database
from am_assets.storage.shared.leases import code, guarded
from am_assets.storage.shared.snapshots import taken
from am_assets.storage.shared.versions import CODE_TAG, CONFIG_TAG

OF_RAY = {"cpu": "entrypoint_num_cpus", "gpu": "entrypoint_num_gpus"}  # what Ray itself counts, by its argument
APPLY = "apply_recipe"  # the pool of the job of that name
HEAD_SECONDS = 600.0  # that a launch waits for Ray's head where it is away, as Dagster fails a run that it can't launch
SAYS_CHARS = 60  # of what Ray says of a run that is gone
UNKNOWN_JOB = "does not exist"  # in what Ray says of a job that it does not know
WAITS = {"cpu": 0.1}  # what its run takes, which submits others and waits for them


class RayLauncher(RayRunLauncher):
    """Named in dagster.yaml where cluster.yaml has a launcher."""

    @property
    def supports_resume_run(self) -> bool:
        return False  # a run is made anew: the memo has what it measured

    def launch_run(self, context: Any) -> None:
        run = context.dagster_run
        end = time.monotonic() + HEAD_SECONDS
        while silence(self.address) and time.monotonic() < end:
            time.sleep(1)
        if CODE_TAG not in run.tags or run.parent_run_id:  # a retry has the tags of the run that it repeats
            self._instance.add_run_tags(run.run_id, {CODE_TAG: code(), CONFIG_TAG: self._planned()})
        command = ExecuteRunArgs(
            job_origin=run.job_code_origin,
            run_id=run.run_id,
            instance_ref=self._instance.get_ref(),
            set_exit_code_on_failure=True,
        ).get_command_args()
        ours = ["am_assets.orchestration.waiting" if word == "dagster" else word for word in command]
        self._launch_ray_job(get_job_submission_id_from_run_id(run.run_id), _guarding(run.run_id, *ours), run)

    def begin_task(self, name: str, run_id: str, asset: str, partition: str) -> None:
        """Submit a process that measures rows of a partition beside the run that makes it."""
        self.begin_beside(name, run_id, "am_assets.orchestration.measuring", run_id, asset, partition)

    def begin_beside(self, name: str, run_id: str, module: str, *told: str) -> None:
        """Submit a process beside a run, with what that takes, which ends with it."""
        run = self._instance.get_run_by_id(run_id)
        assert run is not None
        self._submit(name, _guarding(TASK, run_id, sys.executable, "-W", "ignore", "-m", module, *told), run)

    def _planned(self) -> str:
        """The version of the config files as they are, which are held as a snapshot."""
        data = data_folder()
        open_database(_cluster(), data / "memo")  # mounts the store, if there is one
        hold(self._instance, data, planned := taken(data, sources_file()))
        return planned.version

    def _launch_ray_job(self, submission_id: str, entrypoint: str, run: dg.DagsterRun) -> None:
        run = self._instance.get_run_by_id(run.run_id) or run  # with its tags of now
        self._submit(submission_id, entrypoint, run)
        self._instance.report_engine_event("Submitted to Ray", run, cls=self.__class__)

    def _submit(self, submission_id: str, entrypoint: str, run: dg.DagsterRun) -> None:
        takes = _takes(run)
        given: dict[str, Any] = {argument: takes.pop(name, None) for name, argument in OF_RAY.items()}
        self.client.submit_job(
            submission_id=submission_id,
            entrypoint=entrypoint,
            runtime_env={"env_vars": _environment(run)},
            entrypoint_resources=takes or None,
            metadata={"dagster/run-id": run.run_id, "dagster/job": run.job_name},
            **given,
        )

    def terminate(self, run_id: str) -> bool:
        """The guard ends a run that is canceling; one that has none yet is taken out of Ray's queue."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if not _hosts([run_id]):
            if not silence(self.address):
                with suppress(Exception):  # it does not know the run, which never starts
                    self.client.stop_job(get_job_submission_id_from_run_id(run_id))
            self._instance.report_run_canceled(run)
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        if (told := postgres.health(run)) is not None:  # of `am apply`, in its own process
            return told
        try:
            if _hosts([run.run_id]):
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        except DatabaseError as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, str(error))
        if run.status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its guard is gone, with its process or its machine")
        if fault := silence(self.address):
            return CheckRunHealthResult(WorkerStatus.RUNNING, fault)
        try:
            told = super().check_run_worker_health(run)
        except Exception as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"Ray does not answer: {error}")
        if told.status == WorkerStatus.FAILED:
            why = quoted((told.msg or "").removeprefix("Ray job failed. Message: "), most=SAYS_CHARS)
            return CheckRunHealthResult(WorkerStatus.FAILED, f"it is gone, with its process or its machine ({why})")
        if told.status != WorkerStatus.UNKNOWN:
            return told
        if UNKNOWN_JOB in (told.msg or ""):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "Ray does not know it: its head was begun anew")
        return CheckRunHealthResult(WorkerStatus.RUNNING, told.msg)


def _cluster() -> Cluster:
    file = data_folder() / FILE
    cluster = load_cluster(file)
    if cluster is None or cluster.launcher is None:
        raise ConfigError(f"{file}: launcher: it is gone, and instance/dagster.yaml has one: restart UI and daemon")
    return cluster


def _guarding(*command: str) -> str:
    """The command of a guard over another."""
    return shlex.join(["exec", sys.executable, "-W", "ignore", "-m", "am_assets.orchestration.guard", *command])


def _takes(run: dg.DagsterRun) -> dict[str, float]:
    launcher = _cluster().launcher
    assert launcher is not None
    pools = (run.run_op_concurrency and run.run_op_concurrency.all_pools) or set()
    return {**WAITS} if APPLY in pools else launcher.takes(pools)


def _environment(run: dg.DagsterRun) -> dict[str, str]:
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


def _hosts(runs: list[str]) -> dict[str, str]:
    return guarded(Database(_cluster()), runs)
