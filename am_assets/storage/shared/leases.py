"""The lease of a process: what shows others, on whatever machine, that it lives and holds what it claimed.

A lease is a row that its process renews, and a lock of its session. It counts while either stands: the session of a
killed process ends at once, and the lease within `LEASE_SECONDS`; a restart of the database ends all sessions and no
lease; a jump of the database's clock ends leases and no session. A process that could not renew for `FENCE_SECONDS`
knows, by its own clock, that it holds nothing any more before anybody else may believe so.
"""

import atexit
import os
import socket
import threading
import time
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from am_assets.storage.shared.database import Database, DatabaseError

LEASE_SECONDS = 15.0
FENCE_SECONDS = 10.0
RENEW_SECONDS = 3.0
LOCKS = 24941  # the first half of the number of a session's lock; the other is that of the lease
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps
# `l` is a row of leases. One that runs longer than a lease does was written before the clock was set back.
ALIVE = f"""(
    clock_timestamp() between l.until - interval '{LEASE_SECONDS} s' and l.until
    or exists (select from pg_locks where locktype = 'advisory' and classid = {LOCKS} and objid = l.id
               and objsubid = 2 and granted
               and database = (select oid from pg_database where datname = current_database())))"""
UNTIL = f"clock_timestamp() + interval '{LEASE_SECONDS} s'"
RENEW = f"update am_assets.leases set until = {UNTIL} where id = %s"


class Lease:
    """A lease that a thread renews until `end`, or until the process ends."""

    def __init__(self, database: Database):
        self.database = database
        began = time.clock_gettime(CLOCK)
        self._session: Any = database.connection()
        with database.explained(), self._session.cursor() as cursor:
            cursor.execute("select nextval('am_assets.leases_id_seq')")
            self.id: int = cursor.fetchone()[0]
            cursor.execute("select pg_advisory_lock(%s, %s)", [LOCKS, self.id])  # before anybody sees the row
            cursor.execute(
                f"insert into am_assets.leases values (%s, %s, %s, %s, {UNTIL})",
                [self.id, socket.gethostname(), os.getpid(), code()],
            )
        self._renewed = began
        self._gone = False
        self._ended = threading.Event()
        threading.Thread(target=self._renew, daemon=True).start()

    def lost(self) -> str | None:
        """Why others may hold by now what was claimed under this lease; None while it is held."""
        if self._gone:
            return "other machines took this process for dead, as it could not reach the database: run it again"
        silent = time.clock_gettime(CLOCK) - self._renewed
        if silent > FENCE_SECONDS:
            return f"the database that {self.database.variable} names was not reached for {silent:.0f} s: run it again"
        return None

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
                    cursor.execute(RENEW, [self.id])
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
