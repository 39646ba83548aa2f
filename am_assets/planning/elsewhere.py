"""Runs of an apply that a cluster carries out: one for each partition of evidence, all that are ready at once.

Policies and decisions stay with the apply itself: they are free, and done before a machine of a cluster has begun.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import dagster as dg

from am_assets.config.cluster import FILE, Launcher
from am_assets.config.files import ConfigError
from am_assets.engines.ray_head import silence
from am_assets.orchestration.assets import TABLE
from am_assets.orchestration.dagster_internals import (
    PARTITION_NAME_TAG,
    JobPythonOrigin,
    ModuleCodePointer,
    RepositoryPythonOrigin,
    WorkerStatus,
)
from am_assets.orchestration.planned import UNDER_WAY, hold
from am_assets.orchestration.postgres import LEASE_TAG
from am_assets.orchestration.run_names import ASSET_TAG, run_names
from am_assets.planning.execution import innermost
from am_assets.planning.staleness import Partition
from am_assets.planning.steps import Event, Lost, Outcome, Placed, Step
from am_assets.project import Project
from am_assets.runtime import progress
from am_assets.runtime.quoting import quoted
from am_assets.runtime.wording import counted
from am_assets.storage.shared.database import DatabaseError
from am_assets.storage.shared.leases import guarded
from am_assets.storage.shared.versions import CODE_TAG, CONFIG_TAG

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan

LOOK_SECONDS = 1.0
HEALTH_SECONDS = 5.0
HEAD_SECONDS = 120.0  # that an apply waits for Ray's head, if not all has begun
TRIES = 10  # of a run whose machine died, as dagster.yaml has it for the daemon's
T = TypeVar("T")
EndsBy = TypeVar("EndsBy", Lost, Outcome, "Lost | Outcome")


@dataclass
class Submitted:
    step: Step
    run: str
    host: str = ""
    looked: float = field(default_factory=time.monotonic)  # when its health was asked for last


class Elsewhere:
    """Submits runs to the launcher of the instance and watches them."""

    def __init__(self, plan: "Plan", here: Project, launcher: Launcher):
        self.plan, self.here, self.instance = plan, here, plan.instance
        self.launcher, self.at_once = launcher, launcher.runs
        self.under_way: dict[Partition, Submitted] = {}
        self.todo: dict[Partition, None] = {}
        self.tries: dict[Partition, int] = {}  # runs of a partition that were lost
        self.moved = True  # whether anything ended since what is ready was looked for
        self.silent: float | None = None  # since when Ray was not reached

    def apply(self, tags: Callable[[], dict[str, str]]) -> Iterator[Event]:
        """Bring the plan up to date, with all evidence that is ready submitted at once."""
        plan, stopped = self.plan, set[Partition]()
        self.todo = dict.fromkeys((key, at) for key in plan.keys for at in plan.partitions(key))
        for key in plan.keys:
            plan.records.refresh(key)
        above = {at: _above(plan, at, self.todo) for at in self.todo}
        while self.todo or self.under_way:
            if self.moved or self.silent:
                self.moved = False
                ready = [
                    at for at in self.todo if not any(one in self.todo or one in self.under_way for one in above[at])
                ]
                yield from self._begun(ready, stopped, tags)
            if not self.moved:
                time.sleep(LOOK_SECONDS)
            for event in self.events():
                if isinstance(event, Outcome):
                    at = dg.AssetKey(event.step.asset), event.step.partition
                    if event.error:
                        stopped.add(at)
                    plan.records.refresh(at[0])
                yield event

    def _begun(
        self, ready: list[Partition], stopped: set[Partition], tags: Callable[[], dict[str, str]]
    ) -> Iterator[Step | Outcome]:
        """Carry out, or submit as far as there is room, what is ready."""
        plan, room = self.plan, True
        for at in ready:
            key, partition = at
            if waits_for := plan.stopped_parents(stopped, key, partition):
                stopped.add(at)
                yield Outcome(plan.step(key, partition, "waits", f"{waits_for} failed"), "waits")
            elif (step := plan.own_cause(key, partition)) is None:
                pass
            elif not self.takes(key):
                yield from plan.executed(step, key, tags, stopped)
                plan.records.refresh(key)
            elif room := room and len(self.under_way) < self.at_once and self._reached():
                yield step
                if error := _twice(lambda step=step, key=key: self.submit(step, key, tags())):  # type: ignore[misc]
                    if not self._reached():  # its head went away meanwhile
                        room = False
                        continue
                    stopped.add(at)
                    yield Outcome(step, "failed", error)
            else:
                continue
            del self.todo[at]
            self.moved = True

    def _reached(self) -> bool:
        """Whether Ray's head answers; `ConfigError` once it did not for `HEAD_SECONDS`."""
        fault = silence(self.launcher.ray)
        if fault is None:
            if self.silent:
                progress.message("Ray answers again")
            self.silent = None
            return True
        self.silent = self.silent or time.monotonic()
        if time.monotonic() - self.silent > HEAD_SECONDS:
            raise ConfigError(
                f"{self.here.data / FILE}: launcher.ray: {fault}, for {HEAD_SECONDS:.0f} s, and not all was begun:"
                " start its head there, then apply again: it goes on"
            )
        progress.message(f"waiting, as {fault}")
        return False

    def takes(self, key: dg.AssetKey) -> bool:
        return TABLE[key.to_user_string()].kind == "evidence"

    def submit(self, step: Step, key: dg.AssetKey, tags: dict[str, str]) -> str:
        """Submit a run, or watch the one that an earlier apply left; the message of Ray's error, empty on success."""
        told = {name: value for name, value in tags.items() if name != LEASE_TAG}  # this process carries nothing out
        if left := self._left(step, told):
            self.under_way[key, step.partition] = Submitted(step, left)
            return ""
        run = str(uuid4())
        self.under_way[key, step.partition] = Submitted(step, run)  # first: an interrupt finds it
        job = self.plan.definitions.resolve_implicit_global_asset_job_def()
        names = run_names([step.asset], step.partition)
        self.instance.create_run_for_job(
            job_def=job,
            run_id=run,
            asset_selection={key},
            tags=names | {PARTITION_NAME_TAG: step.partition, "dagster/max_retries": "0"} | told,
            job_code_origin=JobPythonOrigin(job.name, _location()),
        )
        try:
            self.instance.launch_run(run, workspace=None)  # type: ignore[arg-type]
        except DatabaseError:
            raise
        except (OSError, RuntimeError) as error:  # as Ray's client has them
            del self.under_way[key, step.partition]
            return f"Ray did not take it: {quoted(error)}"
        return ""

    def _left(self, step: Step, tags: dict[str, str]) -> str | None:
        same = {name: tags[name] for name in (CODE_TAG, CONFIG_TAG)}
        wanted = same | {ASSET_TAG: step.asset, PARTITION_NAME_TAG: step.partition}
        found = self.instance.get_runs(dg.RunsFilter(tags=wanted, statuses=UNDER_WAY), limit=1)
        return found[0].run_id if found and LEASE_TAG not in found[0].tags else None

    def events(self) -> Iterator[Placed | Lost | Outcome]:
        """Where runs began since the last look, and which ended."""
        runs = {one.run: (at, one) for at, one in self.under_way.items()}
        if not runs:
            return
        try:
            hosts = guarded(self.here.database(), [*runs])  # type: ignore[arg-type]
        except DatabaseError:
            hosts = {}
        for run in _twice(lambda: self.instance.get_runs(dg.RunsFilter(run_ids=[*runs]))):
            at, one = runs[run.run_id]
            if (host := hosts.get(one.run, "")) and host != one.host:
                one.host = host
                yield Placed(one.step, host)
            if run.is_finished:
                error = "" if run.is_success else self._error(run)
                yield self._ended(at, Outcome(one.step, "failed" if error else "done", error))
            elif time.monotonic() - one.looked > HEALTH_SECONDS:
                one.looked = time.monotonic()
                if lost := self._lost(run):
                    yield self._ended(at, self._again(at, one.step, lost))
                elif one.run not in hosts:  # it waits in Ray's queue
                    self._reached()

    def _ended(self, at: Partition, how: EndsBy) -> EndsBy:
        del self.under_way[at]
        self.moved = True
        return how

    def _lost(self, run: dg.DagsterRun) -> str | None:
        """Why a run will not end by itself; it is recorded as failed then."""
        health = self.instance.run_launcher.check_run_worker_health(run)
        if health.status in (WorkerStatus.RUNNING, WorkerStatus.SUCCESS):
            return None
        now = self.instance.get_run_by_id(run.run_id)
        if now is None or now.is_finished or now.status != run.status:
            return None
        why = health.msg or "it is gone"
        self.instance.report_run_failed(now, why)
        return why

    def _again(self, at: Partition, step: Step, lost: str) -> Lost | Outcome:
        self.tries[at] = self.tries.get(at, 0) + 1
        if self.tries[at] == TRIES:
            return Outcome(step, "failed", f"{lost}; it was tried {TRIES} times")
        self.todo = {at: None, **self.todo}  # first: what lies below waited already
        return Lost(step, lost)

    def _error(self, run: dg.DagsterRun) -> str:
        if run.status == dg.DagsterRunStatus.CANCELED:
            return f"run {run.run_id} was canceled"
        failed = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        told = innermost([one.dagster_event.step_failure_data.error for one in failed if one.dagster_event])
        if told:
            return told
        last = [one.user_message for one in self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)]
        return last[-1] if last else f"run {run.run_id} failed; its log in the UI says why"

    def left(self) -> str:
        """The runs that go on where this apply ends."""
        names = [f"{one.step.asset}[{one.step.partition}]" for one in self.under_way.values()]
        hosts = [f"on {one.host}" if one.host else "not begun" for one in self.under_way.values()]
        where = ", ".join(f"{name} {host}" for name, host in zip(names, hosts, strict=True))
        return f"{counted(len(names), 'run')} on the cluster left to go on: {where}; the next apply watches them"

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


def _twice(act: Callable[[], T]) -> T:
    """What `act` returns, tried again where the database went away under it: the next connection waits for it."""
    from sqlalchemy.exc import DBAPIError

    try:
        return act()
    except (DBAPIError, DatabaseError):
        return act()


def elsewhere(plan: "Plan", here: Project) -> Elsewhere | None:
    """What carries out the runs of an apply; None where this process does. `ConfigError` where it can't be reached."""
    if here.launcher is None:
        return None
    if fault := silence(here.launcher.ray):
        raise ConfigError(
            f"{here.data / FILE}: launcher.ray: {fault}: start Ray's head there, or correct the address. Nothing was"
            " submitted"
        )
    assert here.planned is not None
    hold(plan.instance, here.data, here.planned)
    return Elsewhere(plan, here, here.launcher)


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
