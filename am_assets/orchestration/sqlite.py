"""Dagster's SQLite storage over connections that stay open, for the process of `am`.

For every event of a run Dagster opens a database, has the disk flushed and closes it, and for every run it builds the
tables of a new file: most of the time that a cheap decision takes. Here the same files are written over one connection
each, and the file of a new run is a copy of an empty one. Whatever was committed survives a killed process as before;
a power failure can take the last records, and their partitions are materialized again.

Only `am` uses it: a short-lived process, with one run at a time. Webserver, daemon and the runs that they start stay on
Dagster's own storage. They live for weeks, while `dagster run wipe` of another process unlinks files, and what is
written over an open connection to an unlinked file is lost; and the parallel requests of the UI, which Dagster's run
storage answers over a connection each, would wait for one another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import Any

import dagster as dg
import yaml
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool, StaticPool

from am_assets.orchestration import postgres
from am_assets.orchestration.dagster_internals import (
    INDEX_SHARD_NAME,
    SQLITE_BUSY_TIMEOUT_SECONDS,
    DagsterSqliteStorage,
    SqliteEventLogStorage,
    SqliteRunStorage,
)
from am_assets.orchestration.instance import STORAGE_KEYS
from am_assets.storage.atomic import locked


def open_instance(home: Path) -> dg.DagsterInstance:
    """The instance in the folder `home`, with the settings of its dagster.yaml.

    Where the file names no storage, or SQLite in some folder, the same files are used over open connections; Postgres
    likewise; any other storage (a class of one's own) is used as it is.

        with open_instance(Path(os.environ["DAGSTER_HOME"])) as instance:
            ...
    """
    settings = yaml.safe_load((home / "dagster.yaml").read_text()) or {}
    named = STORAGE_KEYS & settings.keys()
    config = settings.get("storage", {}).get("sqlite") if named else {"base_dir": str(home)}
    storage = {"custom": {"module": __name__, "class": OpenSqliteStorage.__name__, "config": config}}
    with locked(home):  # two processes that create the databases at once would leave them with two versions each
        # Despite its name, this is the public way to open the instance of a folder with other settings.
        instance = dg.DagsterInstance.local_temp(str(home), overrides={"storage": storage} if config else None)
    postgres.keep_open(instance)
    return instance


class OpenSqliteStorage(DagsterSqliteStorage):
    """Dagster's `storage: sqlite`, with event logs and run records over open connections.

    To be named in a `dagster.yaml` as `storage: {custom: {module, class, config: {base_dir}}}`.
    """

    def __init__(self, base_dir: str, inst_data: Any = None):
        super().__init__(base_dir, inst_data)
        self._run_storage = OpenRunStorage.from_local(str(Path(base_dir, "history")))
        self._event_log_storage = OpenEventLog(str(Path(base_dir, "history", "runs")))

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "OpenSqliteStorage":
        return cls(inst_data=inst_data, **config_value)


class OpenRunStorage(SqliteRunStorage):
    """One connection, which threads take in turn."""

    def __init__(self, conn_string: str, inst_data: Any = None):
        super().__init__(conn_string, inst_data)
        self._engine, self._lock = _open(conn_string), RLock()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._lock, self._engine.connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        super().dispose()
        self._engine.dispose()


class OpenEventLog(SqliteEventLogStorage):
    """One connection to the index and one to the log of the latest run, which threads take in turn."""

    def __init__(self, base_dir: str, inst_data: Any = None):
        self._engines: dict[str, Engine] = {}
        self._lock = RLock()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def has_table(self, table_name: str) -> bool:
        with self.index_connection() as connection:
            return bool(connection.dialect.has_table(connection, table_name))

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            for other in self._engines.keys() - {INDEX_SHARD_NAME}:
                self._engines.pop(other).dispose()
            path = Path(self.path_for_shard(shard))
            if not path.exists():
                aside = path.with_suffix(".new")
                aside.write_bytes(_empty_log())
                aside.replace(path)
            self._engines[shard] = _open(self.conn_string_for_shard(shard))
        return self._engines[shard]

    def dispose(self) -> None:
        super().dispose()
        while self._engines:
            self._engines.popitem()[1].dispose()


def _open(address: str) -> Engine:
    arguments = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    engine = create_engine(address, poolclass=StaticPool, connect_args=arguments)
    with engine.connect() as connection:
        # In WAL mode, which all of Dagster's files are in: a flush at a checkpoint, not at a commit.
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
    return engine


@cache
def _empty_log() -> bytes:
    """The log of a run without events, as Dagster itself creates it."""
    with TemporaryDirectory() as folder:
        log = Path(folder, "run.db")
        SqliteEventLogStorage(folder)._initdb(create_engine(f"sqlite:///{log}", poolclass=NullPool))
        return log.read_bytes()
