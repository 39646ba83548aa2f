"""A training on the machine of its run or over several: then the run has Ray begin a job on each of the others.

    python -m am_assets.orchestration.together RANK JOB     on one of the others

What a training goes on from is in the folder that all see, or in the store: the machine of the run sends there what
was saved, and each takes that before an attempt.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import psutil

from am_assets.engines.machine import address_here
from am_assets.engines.models import student
from am_assets.engines.ray_head import NO_ROOM, last_words
from am_assets.engines.serving.keeper import free_port
from am_assets.project import project
from am_assets.storage.copies import DISK, of
from am_assets.storage.shared.database import GUARDED
from am_assets.storage.shared.room import LIST
from am_assets.training import sft
from am_assets.training.resume import Resumable, step_of

LOOK_SECONDS = 3.0  # between two looks at the jobs
LOST = 3  # attempts in a row that end with a machine, none of which saved more than the one before it
NOTICED_SECONDS = 90.0  # after which Ray has noticed that a machine is gone
LOG_CHARS = 1500
NETWORK = "GLOO_SOCKET_IFNAME"


class LostError(RuntimeError):
    """A machine left the training."""


def trained(
    context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient, job: sft.Job, env: Mapping[str, str]
) -> Any:
    """The last message of the training of a job, which is begun again, from where it last saved, where a machine is
    lost."""
    lost, saved = 0, None
    with tempfile.TemporaryDirectory() as beside:
        if job.hardware.machines == 1:
            kept = Saved(job)
            kept.agree(context.log.info)
            with kept.sending():
                told = _carried_out(context, pipes, sft.command(job, Path(beside)), env)
            kept.remove()
            return told
        if GUARDED not in os.environ or context.instance.run_launcher.name != "Ray":
            raise RuntimeError(
                f"hardware.yaml: machines: {job.hardware.machines}, and no Ray cluster carries out this run"
            )
        while True:
            address = {"address": f"{address_here()}:{free_port(address_here())}"}
            one = job.model_copy(update={"hardware": job.hardware.model_copy(update=address)})
            try:
                kept = Saved(job)
                kept.agree(context.log.info)
                with Others(context, one, kept) as others:
                    others.wait()
                    command = sft.command(one, Path(beside), rank=0)
                    with others.watched():
                        told = _carried_out(context, pipes, command, {**env, **network()})
                kept.remove()
                return told
            except LostError as error:
                newest = Resumable(job.output).newest()
                lost, saved = (lost + 1 if newest == saved else 1), newest
                if lost == LOST:
                    raise
                goes_on = f"it goes on from {newest.name}" if newest else "it begins anew"
                context.log.warning(f"{error}: {goes_on}, on machines that are there")


def _carried_out(context: Any, pipes: dg.PipesSubprocessClient, command: list[str], env: Mapping[str, str]) -> Any:
    return pipes.run(command=command, context=context, env=env).get_custom_messages()[-1]


class Others:
    """The jobs of the machines beside the one of the run."""

    def __init__(self, context: dg.AssetExecutionContext, job: sft.Job, saved: "Saved"):
        self.saved = saved
        self.context, self.machines = context, job.hardware.machines
        self.ray: Any = context.instance.run_launcher
        self.told = job.model_dump_json()
        self.names: list[str] = []
        self.lost: str | None = None
        self.over = threading.Event()

    def __enter__(self) -> "Others":
        run = self.context.run.run_id
        for rank in range(1, self.machines):
            name = f"training-{run[:8]}-{rank}-{uuid4().hex[:8]}"
            self.ray.begin_beside(name, run, "am_assets.orchestration.together", str(rank), self.told)
            self.names.append(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self.names:
            with suppress(Exception):  # Ray is away: its guard ends it
                self.ray.client.stop_job(name)

    def wait(self) -> None:
        """Until all have begun. Ray gives up one that no machine has room for after 15 minutes."""
        waiting, told = list(self.names), False
        while waiting:
            waiting = [name for name in waiting if self._status(name) in (None, "PENDING")]
            if why := self._gone():
                raise self._no_room() or LostError(why)
            if waiting and not told:
                self.context.log.info(f"waiting for {len(waiting)} of {self.machines} machines")
                told = True
            time.sleep(LOOK_SECONDS if waiting else 0)
        self.context.log.info(f"{self.machines} machines train together")

    def _no_room(self) -> RuntimeError | None:
        """Where Ray gave up a job, as no machine had room for it."""
        with suppress(Exception):
            if any(self.ray.client.get_job_info(name).error_type == NO_ROOM for name in self.names):
                return RuntimeError(
                    f"hardware.yaml: machines: {self.machines}, and for 15 minutes not as many had room for what a run"
                    " of the pool gpu takes (launcher.resources): end what else runs there, or start more"
                )
        return None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """End the processes of this machine once another is lost; `LostError` after the block where one was."""
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            with self.saved.sending():
                yield
        except Exception as error:
            end = time.monotonic() + NOTICED_SECONDS  # a lost connection is noticed before Ray notices the machine
            while self.lost is None and time.monotonic() < end:
                time.sleep(1)
            if self.lost is None:
                raise
            raise LostError(self.lost) from error
        finally:
            self.over.set()

    def _watch(self) -> None:
        while not self.over.is_set() and self.lost is None:
            self.lost = self._gone()
            self.over.wait(LOOK_SECONDS)
        if self.lost is not None:
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if "am_assets.training.sft" in process.cmdline():
                        process.kill()

    def _gone(self) -> str | None:
        """What became of the first that ended too early."""
        for name in self.names:
            if self._status(name) in ("FAILED", "STOPPED"):
                words = last_words(self.ray.client, name, LOG_CHARS)
                return f"a machine left the training ({name} in Ray)" + (f": {words}" if words else "")
        return None

    def _status(self, name: str) -> str | None:
        with suppress(Exception):  # Ray's head is away, and what runs goes on
            return str(self.ray.client.get_job_status(name).value)
        return None


class Saved:
    """What a training goes on from, in the store if there is one: the newest checkpoint, as a folder of one name."""

    def __init__(self, job: sft.Job):
        assert job.identity
        self.identity, self.resumable = job.identity, Resumable(job.output)
        self.folder = job.output.with_name(f".{job.output.name}.saved")
        self.stored = of(self.folder) is not DISK
        self.sent: str | None = None

    def send(self) -> None:
        """Have what was saved here, if that is more than before, in the store."""
        newest = self.resumable.newest()
        if newest and newest.name != self.sent:
            of(self.folder).keep_folder(self.folder, newest)
            self.sent = newest.name

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send what is saved during the block, if there is a store."""
        if not self.stored:
            yield
            return
        over = threading.Event()

        def send() -> None:
            while not over.wait(LOOK_SECONDS):
                with suppress(OSError):  # replaced by the next one meanwhile, or the store is away
                    self.send()

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            yield
        except Exception:
            over.set()
            thread.join()
            raise
        finally:
            over.set()  # an interrupt waits for nothing that is being sent
        thread.join()

    def agree(self, say: Callable[[str], None]) -> None:
        """Have what was saved here and what is in the store be the same: that of more steps."""
        if self.stored:
            of(self.folder).folder_here(self.folder)
            mine, theirs = step_of(self.resumable.newest()), step_of(self.folder)
            if mine > theirs:
                self.send()
            elif theirs > mine:
                self.take()
                say(f"the training goes on after step {theirs}, which another machine saved")

    def take(self) -> None:
        """Go on from what is in the store, whatever was saved here."""
        if self.stored:
            of(self.folder).folder_here(self.folder)
            self.resumable.goes_on_from(self.folder if step_of(self.folder) else None, self.identity)

    def remove(self) -> None:
        if self.stored:
            with tempfile.TemporaryDirectory() as nothing:
                of(self.folder).keep_folder(self.folder, Path(nothing))
            of(self.folder).remove([self.folder.with_name(self.folder.name + LIST)])


def network() -> dict[str, str]:
    """By which of its interfaces gloo reaches the other machines: that by which this one reaches Ray's head."""
    here = address_here()
    names = [name for name, known in psutil.net_if_addrs().items() if any(one.address == here for one in known)]
    return {NETWORK: os.environ.get(NETWORK) or names[0]} if names else {}


def main(rank: str, told: str) -> None:
    """Train as one of several machines, the first of which saves."""
    here, job = project(), sft.Job.model_validate_json(told)
    base = student.student_folder(job.policy.student, here.models)
    of(job.rows).folder_here(job.rows)
    Saved(job).take()
    job = job.model_copy(update={"run": os.getpid(), "student": base})
    with tempfile.TemporaryDirectory() as beside:
        command = sft.command(job, Path(beside), rank=int(rank))
        sys.exit(subprocess.run(command, env={**os.environ, **network()}).returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
