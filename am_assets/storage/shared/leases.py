"""The lease of a process: what shows others, on whatever machine, that it lives and holds what it claimed.

A lease is a row that its process renews, and a lock of its session. It counts while either stands: the session of a
killed process ends at once, and the lease within `LEASE_SECONDS`; a restart of the database ends all sessions and no
lease; a jump of the database's clock ends leases and no session. A process that could not renew for `FENCE_SECONDS`
knows, by its own clock, that it holds nothing any more before anybody else may believe so.

A run on a cluster has a guard beside it (`orchestration/guard.py`), which ends it once the database was silent for
`GUARD_SECONDS`. Leases of both outlast that by what leases last anyway.
"""

import atexit
import os
import socket
import threading
import time
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from am_assets.storage.shared.database import GUARDED, Database, DatabaseError

LEASE_SECONDS = 15.0
FENCE_SECONDS = 10.0
RENEW_SECONDS = 3.0
GUARD_SECONDS = 30.0  # of silence, after which a guard ends its run
LOCKS = 24941  # the first half of the number of a session's lock; the other is that of the lease
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps
# `l` is a row of leases. One that runs longer than a lease does was written before the clock was set back.
ALIVE = f"""(
    clock_timestamp() between l.until - l.seconds * interval '1 s' and l.until
    or exists (select from pg_locks where locktype = 'advisory' and classid = {LOCKS} and objid = l.id
               and objsubid = 2 and granted
               and database = (select oid from pg_database where datname = current_database())))"""
UNTIL = "clock_timestamp() + %(seconds)s * interval '1 s'"
RENEW = f"update am_assets.leases set until = {UNTIL} where id = %(id)s"
TAKE = f"""insert into am_assets.leases (id, host, pid, code, seconds, run, until)
           values (%(id)s, %(host)s, %(pid)s, %(code)s, %(seconds)s, %(run)s, {UNTIL})"""


class Lease:
    """A lease that a thread renews until `end`, or until the process ends; `run` is the run that this one guards."""

    def __init__(self, database: Database, run: str | None = None):
        self.database = database
        self.guard_seconds = GUARD_SECONDS if run or os.environ.get(GUARDED) else 0.0
        self.seconds = LEASE_SECONDS + self.guard_seconds
        began = time.clock_gettime(CLOCK)
        self._session: Any = database.awaited()
        with database.explained(), self._session.cursor() as cursor:
            cursor.execute("select nextval('am_assets.leases_id_seq')")
            self.id: int = cursor.fetchone()[0]
            cursor.execute("select pg_advisory_lock(%s, %s)", [LOCKS, self.id])  # before anybody sees the row
            about = {"host": socket.gethostname(), "pid": os.getpid(), "code": code(), "run": run}
            cursor.execute(TAKE, {"id": self.id, "seconds": self.seconds} | about)
        self._renewed = began
        self._gone = False
        self._ended = threading.Event()
        threading.Thread(target=self._renew, daemon=True).start()

    def lost(self) -> str | None:
        """Why others may hold by now what was claimed under this lease; None while it is held."""
        if self._gone:
            return "other machines took this process for dead, as it could not reach the database: run it again"
        if (silent := self.silent()) > FENCE_SECONDS + self.guard_seconds:
            return f"the database that {self.database.variable} names was not reached for {silent:.0f} s: run it again"
        return None

    def silent(self) -> float:
        """Seconds since the database last heard of this process, by its own clock."""
        return time.clock_gettime(CLOCK) - self._renewed

    def end(self) -> None:
        """Give up all that was claimed."""
        if not self._ended.is_set():
            self._ended.set()
            try:
                with self.database.cursor() as cursor:
                    cursor.execute("delete from am_assets.leases where id = %s", [self.id])
            except DatabaseError:
                pass  # it runs out
            self._gone = True

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            began = time.clock_gettime(CLOCK)
            try:
                if self._session is None:
                    self._session = self.database.connection()
                with self.database.explained(), self._session.cursor() as cursor:
                    # not granted while the server believes in the session that broke
                    cursor.execute("select pg_try_advisory_lock(%s, %s)", [LOCKS, self.id])
                    cursor.execute(RENEW, {"id": self.id, "seconds": self.seconds})
                    if not cursor.rowcount:
                        self._gone = True
                        break
                self._renewed = began
            except DatabaseError:
                self._session = None
        if self._session is not None:
            self._session.close()


def lease_of_process(database: Database) -> Lease:
    """The lease of this process in a database; a new one where the last was lost."""
    lease = _lease(database, os.getpid())
    if lease.lost():
        lease.end()
        _lease.cache_clear()
        lease = _lease(database, os.getpid())
    return lease


@cache
def _lease(database: Database, _process: int) -> Lease:
    lease = Lease(database)
    atexit.register(lease.end)
    return lease


def alive(database: Database, lease: int) -> bool:
    """Whether the process of a lease lives, as far as the database knows."""
    with database.cursor() as cursor:
        cursor.execute(f"select from am_assets.leases l where l.id = %s and {ALIVE}", [lease])
        return bool(cursor.rowcount)


def guarded(database: Database, runs: Sequence[str]) -> dict[str, str]:
    """The host of each of these runs whose guard lives, as far as the database knows."""
    with database.cursor() as cursor:
        cursor.execute(f"select run, host from am_assets.leases l where run = any(%s) and {ALIVE}", [[*runs]])
        return dict(cursor.fetchall())


def living(database: Database) -> list[tuple[str, str, int]]:
    """Host, code and number of the processes that hold a lease, in alphabetical order."""
    with database.cursor() as cursor:
        cursor.execute(f"select host, code, count(*) from am_assets.leases l where {ALIVE} group by 1, 2 order by 1, 2")
        found: list[tuple[str, str, int]] = cursor.fetchall()
        return found


@cache
def code() -> str:
    """A hash of the source of am-assets here, which is to be the same on all machines."""
    home = Path(__file__).parents[2]
    digest = sha256()
    for path in sorted(home.rglob("*.py")):
        digest.update(f"{path.relative_to(home)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def remove_dead(cursor: Any) -> None:
    """Remove the leases, and with them the claims, of processes that are gone."""
    cursor.execute(f"delete from am_assets.leases l where not {ALIVE}")
