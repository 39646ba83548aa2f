"""The side of a user where a cluster places servers: join the one of a model, or have Ray start it where there is room.

A server is a row of the database and a job of Ray (`placed.py`). The row names the job, and says where the server
answers as long as its lease lives, to all processes of the cluster alike; each of them notes there, every few seconds,
that it still asks. Whoever finds that a job is gone replaces it, and of several who find so one does.
"""

import json
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from am_assets.config.cluster import Cluster, Launcher
from am_assets.engines.ray_head import NO_ROOM, last_words, silence, submit
from am_assets.engines.serving.leases import KEEPERS, LOAD_SECONDS, Address
from am_assets.engines.serving.servers import KEY_SEEN, Server, ServerError
from am_assets.runtime import progress
from am_assets.runtime.quoting import quoted
from am_assets.storage.shared.database import Database, DatabaseError, patiently
from am_assets.storage.shared.leases import ALIVE, code, lease_of_process

POLL_SECONDS = 0.5
TOUCH_SECONDS = 5.0
LOOK_SECONDS = 10.0  # between two questions to Ray about a job that is waited for
HEAD_SECONDS = 600.0  # that Ray's head is waited for
LOG_CHARS = 1000  # of the end of the log of a job that was lost
PLACING, STARTING, READY, RESTARTING, FAILED = "placing", "starting", "ready", "restarting", "failed"
LOOK = f"""update am_assets.servers s set asked = clock_timestamp() where id = %(id)s
    returning job, phase, why, url, key, exists (select from am_assets.leases l where l.id = s.lease and {ALIVE})"""
TOUCH = "update am_assets.servers set asked = clock_timestamp() where id = %(id)s"
# Where the row is still as it was seen, or there is none.
PLACE = f"""insert into am_assets.servers (id, job, code, server, lease, phase)
    values (%(id)s, %(job)s, %(code)s, %(server)s, %(lease)s, '{PLACING}')
    on conflict (id) do update set job = excluded.job, code = excluded.code, server = excluded.server,
        lease = excluded.lease, phase = excluded.phase, why = '', url = null, key = null, asked = clock_timestamp()
    where servers.job = %(before)s and servers.phase = %(phase)s returning job"""
REMOVE = "delete from am_assets.servers where id = %(id)s and job = %(job)s"
FAIL = f"""update am_assets.servers set phase = '{FAILED}', why = %(why)s, lease = null
    where id = %(id)s and job = %(job)s"""


class NotThereError(ServerError):
    """A server does not answer yet, or no machine of the cluster had room for it; it may later."""


class Row(NamedTuple):
    """How a server is; `lives`: whether who places it, or keeps it, does."""

    job: str
    phase: str
    why: str
    url: str
    key: str
    lives: bool


@dataclass(frozen=True)
class Placing:
    """How servers are placed on the cluster of a project."""

    database: Database
    launcher: Launcher
    ray: str  # the address of its jobs
    data: Path

    def lease(self, server: Server) -> "PlacedLease":
        return PlacedLease(server, self)

    def takes(self, server: Server) -> dict[str, float]:
        """What a server takes of its machine: with GPUs what runs of their pool take, and as many as it wants."""
        return {**self.launcher.takes(["gpu"]), "gpu": float(server.gpus)} if server.gpus else {"cpu": 1.0}

    def submit(self, job: str, server: Server) -> None:
        module = [sys.executable, "-W", "ignore", "-m", "am_assets.engines.serving.placed"]
        environment = {"env_vars": {"AM_DATA": str(self.data)}}
        submit(self.client, job, [*module, server.id, job], self.takes(server), runtime_env=environment)

    def stop(self, job: str) -> None:
        with suppress(Exception):  # it is gone, with its machine or with Ray's head
            self.client.stop_job(job)

    def ended(self, job: str, server: Server) -> str | None:
        """What Ray says of a job that ended; None where it has not, or Ray is away. `NotThereError` where there was no
        room for it."""
        if silence(self.ray):
            return None
        try:
            told = self.client.get_job_info(job)
        except RuntimeError as error:  # unknown to a head that was begun anew
            return quoted(error)
        if not told.status.is_terminal():
            return None
        if told.error_type == NO_ROOM:
            takes = ", ".join(f"{much:g} {what}" for what, much in self.takes(server).items())
            raise NotThereError(
                f"{server.weights}: Ray had no room for its server, which takes {takes} of one machine: lower `gpus` or"
                " `replicas`, or what runs take that wait for it (launcher.resources, launcher.runs), or add machines"
            )
        return last_words(self.client, job, LOG_CHARS) or str(told.message)

    @cached_property
    def client(self) -> Any:
        from ray.job_submission import JobSubmissionClient

        return JobSubmissionClient(self.ray)


def placing_of(cluster: Cluster | None, database: Database | None, data: Path) -> Placing | None:
    """How servers are placed; None where each machine has its own."""
    launcher = cluster.launcher if cluster else None
    return Placing(database, launcher, launcher.ray, data) if launcher and launcher.ray and database else None


class PlacedLease:
    """The wish of this process for one server of the cluster, which is ended a minute after the last such wish."""

    def __init__(self, server: Server, placing: Placing):
        self.server, self.placing = server, placing
        self.session = placing.database.session()
        self.holding = threading.Lock()
        self.touched = self.looked = time.monotonic()
        self.watched = ""  # the job that was last seen, and how many such were lost since a server answered
        self.lost = 0
        self.given = ""  # the job whose address was told last

    def address(self, seconds: float = LOAD_SECONDS) -> Address:
        """Where the server answers, once it does: has it started, or waits for it so long, as needed.

        `ServerError` where it does not start, with the end of its log and what to change; `NotThereError` where it may
        later.
        """
        if self.server.engine == "sglang":
            raise ServerError(KEY_SEEN)
        try:
            return self._address(time.monotonic() + seconds)
        except DatabaseError as error:
            raise ServerError(f"{self.server.weights}: {error}") from None

    def touch(self) -> None:
        """Show that the server is needed; due every few seconds while it is."""
        if time.monotonic() - self.touched > TOUCH_SECONDS and self.holding.acquire(blocking=False):
            try:
                self.touched = time.monotonic()
                self.session.again(TOUCH, {"id": self.server.id})
            except DatabaseError:
                pass  # what is asked next says so
            finally:
                self.holding.release()

    def release(self) -> None:
        with self.holding:
            self.session.close()

    def _address(self, end: float) -> Address:
        while True:
            row = self._look()
            gone = self._gone(row) if row else None
            if row and row.phase == READY and not gone:
                self.given, self.lost = row.job, 0
                return Address(row.url, row.key)
            if row and row.job == self.watched:
                self._refuse(row, gone)
            if row is None or gone or row.phase == FAILED:
                self.watched = self._place(row, end) or self.watched
            else:
                self.watched = row.job
            if time.monotonic() > end:
                raise NotThereError(f"{self.server.weights}: its server does not answer yet")
            time.sleep(POLL_SECONDS)

    def _gone(self, row: Row) -> str | None:
        """Why a server that should be there is not. Ray is asked where it is waited for, and where its address is asked
        for again, as it could not be reached: the lease outlasts a process that was killed."""
        if row.phase == FAILED:
            return None
        if not row.lives:
            return "its process is gone, or its machine"
        waited = row.phase != READY and time.monotonic() - self.looked > LOOK_SECONDS
        if waited or (row.phase == READY and row.job == self.given):
            self.looked = time.monotonic()
            try:
                return self.placing.ended(row.job, self.server)
            except NotThereError:
                self._again(REMOVE, {"job": row.job})  # whoever asks next has it tried again
                raise
        return None

    def _refuse(self, row: Row, gone: str | None) -> None:
        """`ServerError` where the job that was waited for failed, or was lost as several before it."""
        self.lost += bool(gone)
        why = f"{self.server.weights}: its server was lost {self.lost} times on the cluster: {gone}"
        if row.phase == FAILED or self.lost == KEEPERS:
            self.watched, self.lost = "", 0  # the cause may be mended by the next call
            raise ServerError(row.why if row.phase == FAILED else why)

    def _look(self) -> Row | None:
        found = self._again(LOOK, {})
        return Row(*found) if found else None

    def _place(self, before: Row | None, end: float) -> str | None:
        """Have Ray start the server instead of what was there; the name of the job. None where another process did."""
        server, head = self.server, min(end, time.monotonic() + HEAD_SECONDS)
        while fault := silence(self.placing.ray):
            if time.monotonic() > head:
                raise NotThereError(f"{server.weights}: no server can be started for it: {fault}")
            time.sleep(1)
        job = f"serve-{server.id[:8]}-{uuid4().hex[:8]}"
        seen = {"before": before.job if before else "", "phase": before.phase if before else ""}
        about = {"code": code(), "server": json.dumps(asdict(server)), "job": job}
        if not self._again(PLACE, seen | about | {"lease": lease_of_process(self.placing.database).id}):
            return None
        if before:
            self.placing.stop(before.job)
        try:
            self.placing.submit(job, server)
        except Exception as error:  # of Ray
            why = f"{server.weights}: Ray did not take its server: {quoted(error)}"
            self._again(FAIL, {"job": job, "why": why})
            raise ServerError(why) from None
        progress.message(f"{server.name}: its server was submitted to Ray, as {job}")
        return job

    def _again(self, statement: str, arguments: dict[str, Any]) -> Any:
        def once() -> Any:
            with self.holding:
                return self.session.again(statement, {"id": self.server.id} | arguments)

        return patiently(once)
