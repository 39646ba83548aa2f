"""Dagster's SQLite storage over connections that stay open.

For every event of a run Dagster opens a database anew, has the disk flushed and closes it, and for every run it builds
the tables of a new file: most of what the run of a cheap decision takes. Here the same files are written over one
connection each, and a new one is a copy of an empty one. What was committed survives a killed process as before; what a
power failure can take are the last records, and their partitions are made again.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool, StaticPool

RUNS = "runs"  # no run has this id
Connect = Callable[[str], AbstractContextManager[Connection]]


@contextmanager
def keep_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """In here `instance`, which must not be used afterwards, holds its connections. Storage other than SQLite is left
    as it is."""
    events, runs = instance.event_log_storage, instance.run_storage
    held: dict[str, Engine] = {}
    if isinstance(events, SqliteEventLogStorage):
        events._connect = _shards(events, held)  # type: ignore[method-assign, assignment]
        events.has_table = cache(events.has_table)  # type: ignore[method-assign]
    if isinstance(runs, SqliteRunStorage):
        history, lock = _open(runs._conn_string), RLock()
        held[RUNS] = history
        runs.connect = lambda: _transaction(history, lock)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for engine in held.values():
            engine.dispose()


def _shards(events: SqliteEventLogStorage, held: dict[str, Engine]) -> Connect:
    """Opens the index, and the logs of runs one at a time; `held` has those that are open."""
    held[INDEX_SHARD_NAME] = _open(events.conn_string_for_shard(INDEX_SHARD_NAME))
    lock = RLock()

    def connect(shard: str) -> AbstractContextManager[Connection]:
        with lock:
            if shard not in held:
                for other in [name for name in held if name not in (INDEX_SHARD_NAME, RUNS)]:
                    held.pop(other).dispose()
                path = Path(events.path_for_shard(shard))
                if not path.exists():
                    path.write_bytes(_empty_log())
                held[shard] = _open(events.conn_string_for_shard(shard))
            return _transaction(held[shard], lock)

    return connect


@contextmanager
def _transaction(engine: Engine, lock: RLock) -> Iterator[Connection]:
    with lock, engine.connect() as connection, connection.begin():
        yield connection


def _open(address: str) -> Engine:
    arguments = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = create_engine(address, poolclass=StaticPool, connect_args=arguments)
    with engine.connect() as connection:
        # In WAL mode, which all of Dagster's files are in: a flush at a checkpoint, not at a commit.
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
    return engine


@cache
def _empty_log() -> bytes:
    """The file of a run of which nothing is recorded yet, as Dagster itself makes it."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "run.db")
        SqliteEventLogStorage(folder)._initdb(create_engine(f"sqlite:///{log}", poolclass=NullPool))
        return log.read_bytes()
