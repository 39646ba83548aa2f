"""Runs of an apply that a cluster carries out: one for each partition of evidence, all that are ready at once.

Policies and decisions stay with the apply itself: they are free, and done before a machine of a cluster has begun.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import dagster as dg

from am_assets.config.cluster import FILE, Launcher
from am_assets.config.files import ConfigError
from am_assets.orchestration.assets import TABLE
from am_assets.orchestration.dagster_internals import (
    PARTITION_NAME_TAG,
    JobPythonOrigin,
    WorkerStatus,
)
from am_assets.orchestration.planned import hold
from am_assets.orchestration.postgres import LEASE_TAG
from am_assets.orchestration.remote import RemoteLauncher
from am_assets.orchestration.run_names import run_names
from am_assets.planning.execution import innermost
from am_assets.planning.staleness import Partition
from am_assets.planning.steps import Event, Lost, Outcome, Placed, Step
from am_assets.planning.submitted import Submitted, code_location, twice
from am_assets.planning.turns import Turns
from am_assets.project import Project
from am_assets.runtime import progress
from am_assets.runtime.quoting import quoted
from am_assets.runtime.wording import counted
from am_assets.storage.shared.database import DatabaseError
from am_assets.storage.shared.leases import guarded
from am_assets.storage.shared.versions import APPLY_TAG

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan

LOOK_SECONDS = 1.0
HEALTH_SECONDS = 5.0
HEAD_SECONDS = 120.0  # that an apply waits for a cluster that does not answer, if not all has begun
TRIES = 10  # of a run whose machine died, as dagster.yaml has it for the daemon's
EndsBy = TypeVar("EndsBy", Lost, Outcome, "Lost | Outcome")


class Elsewhere:
    """Submits runs to the launcher of the instance and watches them."""

    def __init__(self, plan: "Plan", here: Project, launcher: Launcher):
        self.plan, self.here, self.instance = plan, here, plan.instance
        self.at_once, self.field = launcher.runs, f"{here.data / FILE}: launcher.{launcher.field}"
        self.cluster: RemoteLauncher = plan.instance.run_launcher  # type: ignore[assignment]
        self.under_way: dict[Partition, Submitted] = {}
        self.todo: dict[Partition, None] = {}
        self.tries: dict[Partition, int] = {}  # runs of a partition that were lost
        self.moved = True  # whether anything ended since what is ready was looked for
        self.silent: float | None = None  # since when the cluster was not reached
        database = here.database()
        assert database is not None and here.planned is not None
        self.turns = Turns(plan.instance, database, here.planned)
        self.held = False  # whether another apply begins a run of what is ready

    def apply(self, tags: Callable[[], dict[str, str]]) -> Iterator[Event]:
        """Bring the plan up to date, with all evidence that is ready submitted at once."""
        plan, stopped, number = self.plan, set[Partition](), {APPLY_TAG: str(self.turns.number)}
        self.todo = dict.fromkeys((key, at) for key in plan.keys for at in plan.partitions(key))
        for key in plan.keys:
            plan.records.refresh(key)
        above = {at: _above(plan, at, self.todo) for at in self.todo}
        while self.todo or self.under_way:
            if self.moved or self.silent or self.held:
                self.moved = self.held = False
                ready = [
                    at for at in self.todo if not any(one in self.todo or one in self.under_way for one in above[at])
                ]
                yield from self._begun(ready, stopped, lambda: tags() | number)
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
            if waits_for := plan.stopped_parents(stopped, *at):
                stopped.add(at)
                yield Outcome(plan.step(*at, "waits", f"{waits_for} failed"), "waits")
            elif plan.own_cause(*at):
                if costs := self.takes(at[0]):
                    room = room and len(self.under_way) < self.at_once and self._reached()
                if costs and not room:
                    continue
                with self.turns.turn(at) as ours:
                    self.held |= not ours
                    if not ours or not (yield from self._in_turn(at, stopped, tags)):
                        continue
            del self.todo[at]
            self.moved = True

    def _in_turn(
        self, at: Partition, stopped: set[Partition], tags: Callable[[], dict[str, str]]
    ) -> Generator[Step | Outcome, None, bool]:
        """Carry out or submit one partition, while no other apply does; False where the cluster went away meanwhile."""
        plan, key = self.plan, at[0]
        plan.records.refresh(key)
        if (step := plan.own_cause(*at)) is None:
            return True  # another apply has just made it
        later, other = twice(lambda: self.turns.made_later(at)), twice(lambda: self.turns.other(at))
        if not later and not other and not self.takes(key):
            yield from plan.executed(step, key, tags, stopped)
            plan.records.refresh(key)
            return True
        yield step
        if error := later or twice(lambda: self.submit(step, key, tags())):
            if not later and not self._reached():
                return False
            stopped.add(at)
            yield Outcome(step, "failed", error)
        return True

    def _reached(self) -> bool:
        """Whether the cluster answers; `ConfigError` once it did not for `HEAD_SECONDS`."""
        fault = self.cluster.silence()
        if fault is None:
            if self.silent:
                progress.message(f"{self.cluster.name} answers again")
            self.silent = None
            return True
        self.silent = self.silent or time.monotonic()
        if time.monotonic() - self.silent > HEAD_SECONDS:
            raise ConfigError(
                f"{self.field}: {fault}, for {HEAD_SECONDS:.0f} s, and not all was begun: {self.cluster.remedy}, then"
                " apply again: it goes on"
            )
        progress.message(f"waiting, as {fault}")
        return False

    def takes(self, key: dg.AssetKey) -> bool:
        return TABLE[key.to_user_string()].kind == "evidence"

    def submit(self, step: Step, key: dg.AssetKey, tags: dict[str, str]) -> str:
        """Submit a run, or watch the one that another apply has there; why it was refused, empty on success."""
        told = {name: value for name, value in tags.items() if name != LEASE_TAG}  # this process carries nothing out
        if other := self.turns.other((key, step.partition)):
            fits = self.turns.fits(other, told)
            self.under_way[key, step.partition] = Submitted(step, other.run_id, other=True, fits=fits)
            if not fits:
                progress.message(f"waiting for run {other.run_id}, which another began")
            return ""
        run = str(uuid4())
        self.under_way[key, step.partition] = Submitted(step, run)  # first: an interrupt finds it
        job = self.plan.definitions.resolve_implicit_global_asset_job_def()
        names = run_names([step.asset], TABLE[step.asset].by, step.partition)
        self.instance.create_run_for_job(
            job_def=job,
            run_id=run,
            asset_selection={key},
            tags=names | {PARTITION_NAME_TAG: step.partition, "dagster/max_retries": "0"} | told,
            job_code_origin=JobPythonOrigin(job.name, code_location()),
        )
        try:
            self.instance.launch_run(run, workspace=None)  # type: ignore[arg-type]
        except DatabaseError:
            raise
        except (OSError, RuntimeError) as error:
            del self.under_way[key, step.partition]
            return f"{self.cluster.name} did not take it: {quoted(error)}"
        return ""

    def events(self) -> Iterator[Placed | Lost | Outcome]:
        """Where runs began since the last look, and which ended."""
        runs = {one.run: (at, one) for at, one in self.under_way.items()}
        if not runs:
            return
        hosts: dict[str, str] = {}
        with suppress(DatabaseError):
            hosts = guarded(self.here.database(), [*runs])  # type: ignore[arg-type]
        for run in twice(lambda: self.instance.get_runs(dg.RunsFilter(run_ids=[*runs]))):
            at, one = runs[run.run_id]
            if (host := hosts.get(one.run, "")) and host != one.host:
                one.host = host
                yield Placed(one.step, host)
            if run.is_finished:
                error = "" if run.is_success else self._error(run)
                how = self._judged(at, one.step, error) if one.other else None
                yield self._ended(at, how or Outcome(one.step, "failed" if error else "done", error))
            elif time.monotonic() - one.looked > HEALTH_SECONDS:
                one.looked = time.monotonic()
                if one.other and self.turns.is_outdated(run):
                    self.cluster.terminate(run.run_id)
                elif gone := self._gone(at, one, run):
                    yield self._ended(at, gone)
                elif one.run not in hosts:  # it waits in a queue
                    self._reached()

    def _ended(self, at: Partition, how: EndsBy) -> EndsBy:
        del self.under_way[at]
        self.moved = True
        return how

    def _gone(self, at: Partition, one: Submitted, run: dg.DagsterRun) -> Lost | Outcome | None:
        """What becomes of a run that will not end by itself, which is recorded as failed then; None where it will."""
        health = self.cluster.check_run_worker_health(run)
        if health.status in (WorkerStatus.RUNNING, WorkerStatus.SUCCESS):
            if health.msg and health.msg != one.waits:
                progress.message(f"{one.step.asset}[{one.step.partition}] waits: {health.msg}")
            one.waits = health.msg
            return None
        now = self.instance.get_run_by_id(run.run_id)
        if now is None or now.is_finished or now.status != run.status:
            return None
        self.instance.report_run_failed(now, why := health.msg or "it is gone")
        return Outcome(one.step, "failed", why) if health.transient is False else self._again(at, one.step, why)

    def _judged(self, at: Partition, step: Step, error: str) -> Lost | Outcome:
        """What the end of a run comes to that another began."""
        self.plan.records.refresh(at[0])
        if self.plan.own_cause(*at) is None:
            return Outcome(step, "done")
        self.todo = {at: None, **self.todo}
        return Lost(step, error or "the run that another began did not make it as it is wanted here")

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

    def ours(self) -> dict[Partition, Submitted]:
        """What is under way without those runs that another waits for."""
        others = {one.run for one in self.under_way.values() if one.other}
        found = self.instance.get_runs(dg.RunsFilter(run_ids=[*others])) if others else []
        left = {run.run_id for run in found if self.turns.is_left(run)}
        return {at: one for at, one in self.under_way.items() if not one.other or (one.fits and one.run in left)}

    def left(self) -> str:
        """The runs that go on where this apply ends."""
        ours = self.ours().values()
        names = [f"{one.step.asset}[{one.step.partition}]" for one in ours]
        hosts = [f"on {one.host}" if one.host else "not begun" for one in ours]
        where = ", ".join(f"{name} {host}" for name, host in zip(names, hosts, strict=True))
        return f"{counted(len(names), 'run')} on the cluster left to go on: {where}; the next apply watches them"

    def end(self, seconds: float) -> int:
        """Have all runs canceled, and wait for that as long; how many are left."""
        self.under_way = self.ours()
        for at, one in [*self.under_way.items()]:
            if self.instance.get_run_by_id(one.run) is None:
                del self.under_way[at]
            else:
                self.cluster.terminate(one.run)
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
    there = Elsewhere(plan, here, here.launcher)
    if fault := there.cluster.fault():
        raise ConfigError(f"{there.field}: {fault}. Nothing was submitted")
    assert here.planned is not None
    hold(plan.instance, here.data, here.planned)
    return there


def _above(plan: "Plan", at: Partition, planned: dict[Partition, None]) -> set[Partition]:
    """The nearest planned partitions upstream of one."""
    found: set[Partition] = set()
    for parent in plan.staleness.parents(*at):
        found |= {parent} if parent in planned else _above(plan, parent, planned)
    return found
