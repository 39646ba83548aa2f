"""Runs of an apply that a cluster carries out: one for each partition of evidence, all that are ready at once.

Policies and decisions stay with the apply itself: they are free, and done before a machine of a cluster has begun.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import dagster as dg

from am_assets.config.cluster import FILE
from am_assets.config.files import ConfigError
from am_assets.orchestration.assets import TABLE
from am_assets.orchestration.dagster_internals import (
    IN_PROGRESS_RUN_STATUSES,
    PARTITION_NAME_TAG,
    JobPythonOrigin,
    ModuleCodePointer,
    RepositoryPythonOrigin,
    WorkerStatus,
)
from am_assets.orchestration.postgres import LEASE_TAG
from am_assets.orchestration.run_names import ASSET_TAG, run_names
from am_assets.planning.execution import innermost
from am_assets.planning.staleness import Partition
from am_assets.planning.steps import Outcome, Placed, Step
from am_assets.planning.workers import silence
from am_assets.project import Project
from am_assets.storage.shared.database import DatabaseError
from am_assets.storage.shared.leases import guarded
from am_assets.storage.shared.versions import CODE_TAG, CONFIG_TAG

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan

LOOK_SECONDS = 1.0
HEALTH_SECONDS = 5.0
TRIES = 10  # of a run whose machine died, as dagster.yaml has it for the daemon's
UNDER_WAY = [*IN_PROGRESS_RUN_STATUSES, dg.DagsterRunStatus.NOT_STARTED]


@dataclass
class Submitted:
    step: Step
    key: dg.AssetKey
    tags: dict[str, str]
    run: str
    tries: int = 1
    host: str = ""
    looked: float = 0.0  # when its health was asked for last


class Elsewhere:
    """Submits runs to the launcher of the instance and watches them."""

    def __init__(self, plan: "Plan", here: Project, at_once: int):
        self.plan, self.here, self.instance = plan, here, plan.instance
        self.at_once = at_once
        self.under_way: dict[Partition, Submitted] = {}

    def apply(self, tags: Callable[[], dict[str, str]]) -> Iterator[Step | Outcome | Placed]:
        """Bring the plan up to date, with all evidence that is ready submitted at once."""
        plan, stopped = self.plan, set[Partition]()
        todo = dict.fromkeys((key, at) for key in plan.keys for at in plan.partitions(key))
        for key in plan.keys:
            plan.records.refresh(key)
        above = {at: _above(plan, at, todo) for at in todo}
        while todo or self.under_way:
            for at in [at for at in todo if not any(one in todo or one in self.under_way for one in above[at])]:
                key, partition = at
                if waits_for := plan.stopped_parents(stopped, key, partition):
                    stopped.add(at)
                    yield Outcome(plan.step(key, partition, "waits", f"{waits_for} failed"), "waits")
                elif (step := plan.own_cause(key, partition)) is None:
                    pass
                elif not self.takes(key):
                    yield from plan.executed(step, key, tags, stopped)
                    plan.records.refresh(key)
                elif len(self.under_way) < self.at_once:
                    yield step
                    self.submit(step, key, tags())
                else:
                    continue
                del todo[at]
            if self.under_way:
                time.sleep(LOOK_SECONDS)
            for event in self.events():
                if isinstance(event, Placed):
                    yield event
                    continue
                at, step, error = event
                if error:
                    stopped.add(at)
                plan.records.refresh(at[0])
                yield Outcome(step, "failed" if error else "done", error)

    def takes(self, key: dg.AssetKey) -> bool:
        return TABLE[key.to_user_string()].kind == "evidence"

    def submit(self, step: Step, key: dg.AssetKey, tags: dict[str, str]) -> None:
        """Submit a run, or watch the one that an earlier apply left."""
        told = {name: value for name, value in tags.items() if name != LEASE_TAG}  # this process carries nothing out
        if left := self._left(step, told):
            self.under_way[key, step.partition] = Submitted(step, key, told, left)
        else:
            self._launch(step, key, told)

    def _left(self, step: Step, tags: dict[str, str]) -> str | None:
        same = {name: tags[name] for name in (CODE_TAG, CONFIG_TAG)}
        wanted = same | {ASSET_TAG: step.asset, PARTITION_NAME_TAG: step.partition}
        found = self.instance.get_runs(dg.RunsFilter(tags=wanted, statuses=UNDER_WAY), limit=1)
        return found[0].run_id if found and LEASE_TAG not in found[0].tags else None

    def _launch(self, step: Step, key: dg.AssetKey, tags: dict[str, str], tries: int = 1) -> None:
        run = str(uuid4())
        self.under_way[key, step.partition] = Submitted(step, key, tags, run, tries)  # first: an interrupt finds it
        job = self.plan.definitions.resolve_implicit_global_asset_job_def()
        names = run_names([step.asset], step.partition)
        self.instance.create_run_for_job(
            job_def=job,
            run_id=run,
            asset_selection={key},
            tags=names | {PARTITION_NAME_TAG: step.partition, "dagster/max_retries": "0"} | tags,
            job_code_origin=JobPythonOrigin(job.name, _location()),
        )
        self.instance.launch_run(run, workspace=None)  # type: ignore[arg-type]

    def events(self) -> Iterator[Placed | tuple[Partition, Step, str]]:
        """Where runs began since the last look, and which ended, each with the message of its error."""
        runs = {one.run: (at, one) for at, one in self.under_way.items()}
        if not runs:
            return
        try:
            hosts = guarded(self.here.database(), [*runs])  # type: ignore[arg-type]
        except DatabaseError:
            hosts = {}
        for run in self.instance.get_runs(dg.RunsFilter(run_ids=[*runs])):
            at, one = runs[run.run_id]
            if (host := hosts.get(one.run, "")) and host != one.host:
                one.host = host
                yield Placed(one.step, host)
            if run.is_finished:
                del self.under_way[at]
                yield at, one.step, "" if run.is_success else self._error(run)
            elif time.monotonic() - one.looked > HEALTH_SECONDS:
                one.looked = time.monotonic()
                if lost := self._lost(run):
                    yield from self._again(at, one, lost)

    def _lost(self, run: dg.DagsterRun) -> str | None:
        """Why a run will not end by itself; it is recorded as failed then."""
        health = self.instance.run_launcher.check_run_worker_health(run)
        if health.status in (WorkerStatus.RUNNING, WorkerStatus.SUCCESS):
            return None
        now = self.instance.get_run_by_id(run.run_id)
        if now is None or now.is_finished or now.status != run.status:
            return None
        self.instance.report_run_failed(now, health.msg or "it is gone")
        return health.msg or "it is gone"

    def _again(self, at: Partition, one: Submitted, lost: str) -> Iterator[tuple[Partition, Step, str]]:
        if one.tries == TRIES:
            del self.under_way[at]
            yield at, one.step, f"{lost}; it was tried {TRIES} times"
        else:
            self._launch(one.step, one.key, one.tags, one.tries + 1)

    def _error(self, run: dg.DagsterRun) -> str:
        if run.status == dg.DagsterRunStatus.CANCELED:
            return f"run {run.run_id} was canceled"
        failed = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        told = innermost([one.dagster_event.step_failure_data.error for one in failed if one.dagster_event])
        if told:
            return told
        last = [one.user_message for one in self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)]
        return last[-1] if last else f"run {run.run_id} failed; its log in the UI says why"

    def end(self, seconds: float) -> int:
        """Have all runs canceled, and wait for that as long; how many are left."""
        for at, one in [*self.under_way.items()]:
            if self.instance.get_run_by_id(one.run) is None:
                del self.under_way[at]
            else:
                self.instance.run_launcher.terminate(one.run)
        end = time.monotonic() + seconds
        while self.under_way and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            for _ in self.events():
                pass
        return len(self.under_way)


def elsewhere(plan: "Plan", here: Project) -> Elsewhere | None:
    """What carries out the runs of an apply; None where this process does. `ConfigError` where it can't be reached."""
    if here.launcher is None:
        return None
    if fault := silence(here.launcher):
        raise ConfigError(
            f"{here.data / FILE}: launcher.ray: {fault}: start Ray's head there, or correct the address. Nothing was"
            " submitted"
        )
    return Elsewhere(plan, here, here.launcher.runs)


def _location() -> RepositoryPythonOrigin:
    """Where a worker finds the code location: at the same path as here."""
    pointer = ModuleCodePointer("am_assets.definitions", "defs")
    return RepositoryPythonOrigin(sys.executable, pointer, entry_point=[sys.executable, "-m", "dagster"])


def _above(plan: "Plan", at: Partition, planned: dict[Partition, None]) -> set[Partition]:
    """The nearest planned partitions upstream of one."""
    found: set[Partition] = set()
    for parent in plan.parents(*at):
        found |= {parent} if parent in planned else _above(plan, parent, planned)
    return found
