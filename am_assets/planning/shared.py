"""What machines of a cluster share, tried from this one: the questions of `am cluster check`.

Each piece is tried and not only looked up. Nothing that a project stores is changed.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from am_assets.config.cluster import FILE, Cluster, load_cluster
from am_assets.config.files import ConfigError
from am_assets.planning import workers
from am_assets.planning.machine import Finding, own, wrong

if TYPE_CHECKING:
    from am_assets.storage.shared.database import Database

CLOCK_SECONDS = 60.0  # by which a machine's clock may differ from the database's
NEARBY_MS = 20.0  # of a round trip; each request to a model takes some
PIECE = "database"
REQUESTS = 7  # that trying a store takes


def tried(data: Path) -> list[Finding]:
    """What was found of each piece, the needed ones first; `ConfigError` where there is no cluster."""
    cluster = load_cluster(data / FILE)
    if cluster is None:
        raise ConfigError(f"{data / FILE}: no such file: this project is one machine's, which shares nothing")
    shared = [*(_store(cluster) if cluster.store else _folder(data))]
    database = _database(cluster, data, all(one.there for one in shared) or not cluster.store)
    found = [*database, *shared, *own(data)]
    return [*found, *workers.tried(cluster.launcher, data)] if cluster.launcher else found


def _database(cluster: Cluster, data: Path, stored: bool) -> Iterator[Finding]:
    """What it holds is looked at where the store, if any, is fit: that says which project it is of."""
    from am_assets.storage.shared.database import Database, DatabaseError, open_database
    from am_assets.storage.shared.objects import StoreError

    try:
        if not stored:
            yield from _answers(Database(cluster))
            return
        database = open_database(cluster, data / "memo")
        assert database is not None
        yield from _answers(database)
        yield from _records(cluster, database)
        yield from _spent(cluster, database)
        yield from _others(database)
    except (ConfigError, DatabaseError, StoreError) as error:
        remedy = "see that it runs, that this machine may reach it, and that user and password are right"
        yield wrong(PIECE, str(error), None if isinstance(error, ConfigError) else remedy)


def _answers(database: "Database") -> Iterator[Finding]:
    with database.cursor() as cursor:
        times = [_round_trip(cursor) for _ in range(5)]
        cursor.execute("select current_setting('server_version'), clock_timestamp()")
        version, there = cursor.fetchone()
    took = min(times) * 1000
    found = f"Postgres {version}, {took:.1f} ms away"
    yield Finding(PIECE, found, took < NEARBY_MS or None, remedy=None if took < NEARBY_MS else "one nearer is faster")
    yield _clock((there - datetime.now(there.tzinfo)).total_seconds())


def _round_trip(cursor: Any) -> float:
    began = time.perf_counter()
    cursor.execute("select 1")
    return time.perf_counter() - began


def _clock(ahead: float) -> Finding:
    """Of claims and limits only the database's clock counts; times of segments and runs are those of machines."""
    found = f"the database's is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} that of this machine"
    if abs(ahead) < CLOCK_SECONDS:
        return Finding("clock", found, True)
    return wrong("clock", found, "set both by the same time server (chrony)")


def _records(cluster: Cluster, database: "Database") -> Iterator[Finding]:
    from am_assets.orchestration.postgres import schema_fault

    if fault := schema_fault(cluster, database):
        yield wrong("records", fault)
    else:
        yield Finding("records", "Dagster's, or none yet", True)


def _spent(cluster: Cluster, database: "Database") -> Iterator[Finding]:
    from am_assets.engines.llm.shared_budget import spent_by_all

    if cluster.budget_usd is not None:
        spent, left = spent_by_all(database), "raise budget_usd to have more asked"
        there = spent < cluster.budget_usd
        found = f"${spent:.4f} of ${cluster.budget_usd:.4f} spent or in flight"
        yield Finding("budget", found, there, remedy=None if there else left)


def _others(database: "Database") -> Iterator[Finding]:
    """The machines that work now, and whether each has the code that this one has."""
    from am_assets.storage.shared.leases import code, living

    for host, theirs, processes in living(database):
        found = f"{host}: {processes} at work"
        if theirs == code():
            yield Finding("machine", found, True)
        else:
            yield wrong("machine", f"{found}, with other code ({theirs}; here {code()})", "install the same on all")


def _store(cluster: Cluster) -> Iterator[Finding]:
    """Whether the store is there, may be written, and keeps the conditions that machines rely on."""
    from am_assets.storage.shared.objects import Objects, StoreError

    began = time.perf_counter()
    try:
        assert cluster.store is not None
        Objects(cluster.store, cluster.endpoint).refuse_unfit()
    except (ConfigError, StoreError) as error:
        remedy = "see that it runs, and that this machine may reach it"
        yield wrong("store", str(error), None if isinstance(error, ConfigError) else remedy)
    else:
        took = 1000 * (time.perf_counter() - began) / REQUESTS
        yield Finding("store", f"{cluster.store}: conditions of writes, {took:.0f} ms a request", True)


def _folder(data: Path) -> Iterator[Finding]:
    """Whether the shared folder does what writers of a project rely on."""
    aside = data / f".check-{socket.gethostname()}-{uuid4().hex[:8]}"
    try:
        aside.mkdir()
        try:
            faults = [*_faults(aside)]
        finally:
            with suppress(OSError):
                for path in aside.iterdir():
                    path.unlink()
                aside.rmdir()
    except OSError as error:
        yield wrong("folder", f"{data}: {error.strerror}", "mount it on every machine, writable for this user")
        return
    if faults:
        yield wrong("folder", f"{data}: {'; '.join(faults)}", "mount one whose locks hold on all machines, as CephFS")
    else:
        yield Finding("folder", f"{data}: renames and locks, as tried from here alone", True)


def _faults(aside: Path) -> Iterator[str]:
    (aside / "new").write_text("2")
    (aside / "old").write_text("1")
    (aside / "new").replace(aside / "old")
    if (aside / "old").read_text() != "2":
        yield "a renamed file is not seen"
    for what, path, mode in (("file", aside / "old", os.O_RDWR), ("folder", aside, os.O_RDONLY)):
        handles = [os.open(path, mode) for _ in range(2)]
        try:
            fcntl.flock(handles[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(BlockingIOError):
                fcntl.flock(handles[1], fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield f"a {what} that is locked can be locked again"
        except OSError as error:
            yield f"a {what} can't be locked ({error.strerror})"
        finally:
            for handle in handles:
                os.close(handle)
