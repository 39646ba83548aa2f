"""The Postgres database of a project: connections, the tables of ours in it, and whose project it is of.

database = open_database(cluster, project.memo)
with database.connect() as connection, connection.cursor() as cursor:
    ...
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from am_assets.config.cluster import SCHEME, Cluster
from am_assets.config.files import ConfigError
from am_assets.runtime import progress
from am_assets.storage.atomic import file_aside
from am_assets.storage.copies import ANY, DISK, Changed, of

FORM = 2  # of the tables below; raise it where older code would misread them
CONNECT_SECONDS = 3
SILENCE_MS = 10_000  # after which a connection that the network cut off counts as broken, here and at the server
PATIENCE_SECONDS = 60.0  # that a process waits for a database that is away, where it can't go on without it
REACH = {
    "connect_timeout": CONNECT_SECONDS,
    "tcp_user_timeout": SILENCE_MS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
# A process that stands still inside a transaction must not keep the others waiting.
OPTIONS = (
    "-c lock_timeout=10000 -c idle_in_transaction_session_timeout=10000"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)
GUARDED = "AM_GUARDED"  # in the environment of a run that has a guard
PROJECT = "PROJECT"  # a file in the folder of the memo: the id by which the database knows that it is of this project
SETUP = 7_024_941  # the lock of those who create the tables
TABLES = """
create schema if not exists am_assets;
create table if not exists am_assets.project (id uuid not null, form int not null);
create table if not exists am_assets.leases (
    id serial primary key, host text not null, pid int not null, code text not null,
    until timestamptz not null);
alter table am_assets.leases add column if not exists seconds float8 not null default 15;
alter table am_assets.leases add column if not exists run text;
create table if not exists am_assets.claims (
    id serial primary key, namespace text not null, keys text[] not null,
    lease int not null references am_assets.leases on delete cascade);
create table if not exists am_assets.limits (account text primary key, state bytea not null);
create table if not exists am_assets.budgets (name text primary key, settled float8 not null);
create table if not exists am_assets.draws (
    id uuid primary key, budget text not null references am_assets.budgets on delete cascade, drawn float8 not null);
create table if not exists am_assets.servers (
    id text primary key, job text not null, code text not null, server text not null,
    lease int references am_assets.leases on delete set null, phase text not null, why text not null default '',
    url text, key text, asked timestamptz not null default clock_timestamp());
do $$ begin
    if to_regclass('am_assets.spending') is not null then -- of form 1, which knew one budget
        insert into am_assets.budgets select 'all', settled from am_assets.budget;
        insert into am_assets.draws select id, 'all', drawn from am_assets.spending;
        drop table am_assets.budget, am_assets.spending;
    end if;
end $$;
"""


T = TypeVar("T")


class DatabaseError(OSError):
    """The database does not answer, or refuses; the message says which and why."""


class Database:
    """A database that has our tables and is that of this project."""

    def __init__(self, cluster: Cluster):
        self.variable = cluster.database_env
        self._address = cluster.address().replace(SCHEME, "postgresql://", 1)

    def connection(self, options: str = "") -> Any:
        """A new connection, each statement a transaction of its own; `DatabaseError` where there is none."""
        import psycopg2

        with self.explained():
            connection = psycopg2.connect(
                self._address,
                application_name="am-assets",
                options=f"{OPTIONS} {options}",
                **REACH,
            )
            connection.autocommit = True
            return connection

    def awaited(self, options: str = "") -> Any:
        """A new connection likewise, to a database that may be away for a while."""
        return patiently(lambda: self.connection(options))

    @contextmanager
    def cursor(self, options: str = "", awaited: bool = False) -> Iterator[Any]:
        """A cursor over a connection of its own, for a block whose errors of the database are `DatabaseError`."""
        connection = self.awaited(options) if awaited else self.connection(options)
        try:
            with self.explained(), connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise errors of the database as `DatabaseError`, which names the variable of its address."""
        import psycopg2

        try:
            yield
        except psycopg2.Error as error:
            why = " ".join(str(error).split()) or type(error).__name__
            if password := urlsplit(self._address).password:
                why = why.replace(password, "***")  # libpq quotes an address that it can't read
            raise DatabaseError(f"the database that {self.variable} names can't be used: {why}") from None

    def _named(self, file: Path, project: str) -> str:
        """Write whose the memo is; `ConfigError` where another database has a project in the same store."""
        try:
            with file_aside(file, over=ANY if file.exists() else None) as aside:
                aside.write_text(f"{project}\n")
        except Changed:
            raise ConfigError(self._taken()) from None
        return project

    def _taken(self) -> str:
        return (
            f"the store has a project already, and the database that {self.variable} names has none: name that"
            f" project's database, or a prefix of its own. Where its database is lost for good, remove memo/{PROJECT}"
            " from the store. Nothing was changed"
        )

    def session(self, options: str = "") -> "Session":
        return Session(self, options)

    def prepare(self, memo: Path) -> None:
        """Create what is not there. `ConfigError` where the database is another project's, or of a later form."""
        file = memo / PROJECT
        of(file).here(file)  # before the transaction, which does not last as long as a store may be away
        with self.cursor() as cursor:
            cursor.execute("begin; select pg_advisory_xact_lock(%s)", [SETUP])
            cursor.execute(TABLES)
            cursor.execute("select id::text, form from am_assets.project")
            known = cursor.fetchone()
            if known and not file.exists():
                of(file).here(file)  # another machine has just written it
            here = file.read_text().strip() if file.exists() else None
            if known is None:
                if here is None or of(file) is DISK:
                    here = self._named(file, here or str(uuid.uuid4()))
                    cursor.execute("insert into am_assets.project values (%s, %s)", [here, FORM])
                else:
                    raise ConfigError(self._taken())
            elif known[1] > FORM:
                raise ConfigError(
                    f"the database that {self.variable} names has tables of form {known[1]}, and this am-assets knows"
                    f" forms up to {FORM}: install the am-assets of the other machines here. Nothing was changed"
                )
            elif known[0] != here:
                raise ConfigError(
                    f"the database that {self.variable} names is another project's than {memo} (whose {PROJECT} says"
                    f" {here or 'nothing'}, and the database {known[0]}): name a database of its own. Where the memo"
                    f" was removed on purpose, `drop schema am_assets cascade` in the database. Nothing was changed"
                )
            cursor.execute("update am_assets.project set form = %s where form < %s", [FORM, FORM])
            cursor.execute("commit")


def patiently(connect: Callable[[], T]) -> T:
    """What `connect` returns once it raises no `DatabaseError`; that of the last try after `PATIENCE_SECONDS`."""
    end, waited = time.monotonic() + PATIENCE_SECONDS, False
    while True:
        try:
            connected = connect()
        except DatabaseError as error:
            if time.monotonic() > end:
                raise
            progress.message(f"waiting, as {error}")
            time.sleep(1)
            waited = True
        else:
            if waited:
                progress.message("the database answers again")
            return connected


class Session:
    """A connection that is made when it is first needed, and again after it broke."""

    def __init__(self, database: Database, options: str):
        self.database = database
        self.options = options
        self._connection: Any = None

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor for a block whose errors of the database are `DatabaseError`; what was begun then is undone."""
        try:
            with self.database.explained():
                self._connection = self._connection or self.database.connection(self.options)
                with self._connection.cursor() as cursor:
                    yield cursor
        except DatabaseError:
            self.close()
            raise

    def again(self, statement: str, arguments: dict[str, Any]) -> Any:
        """The first row, if any, of a statement that may be carried out twice: it is where the connection broke."""
        for attempt in range(2):
            try:
                with self.cursor() as cursor:
                    cursor.execute(statement, arguments)
                    return cursor.fetchone() if cursor.description else None
            except DatabaseError:
                if attempt:
                    raise
        return None

    def close(self) -> None:
        """Close the connection, which may be broken."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None


def open_database(cluster: Cluster | None, memo: Path) -> Database | None:
    """The database of a project, ready; the same one for a whole process. None without a cluster. A run on a cluster
    waits for it: nobody is there to begin it again.

    `ConfigError` where the environment lacks its address, and as of `prepare`; `DatabaseError` where it can't be used.
    """
    if cluster is None:
        return None
    from am_assets.storage.shared.mounting import mount

    mount(memo.parent, cluster, partial(open_database, cluster, memo))
    opened = partial(_opened, Cluster(database_env=cluster.database_env), cluster.address(), memo, os.getpid())
    return patiently(opened) if GUARDED in os.environ else opened()


@cache
def _opened(cluster: Cluster, _address: str, memo: Path, _process: int) -> Database:
    try:
        import psycopg2  # noqa: F401
    except ImportError:
        raise ConfigError(
            "cluster.yaml needs packages that are not here: pip install --constraint constraints.txt am-assets[cluster]"
        ) from None
    database = Database(cluster)
    database.prepare(memo)
    return database
