"""Dagster's records in the database of a cluster: its schema, connections that stay open, and whether runs live.

A process that makes runs itself, as `am apply` does, names its lease in their tags, by which the daemon of any machine
knows whether it is gone. The health of runs that a daemon started is a matter of its machine (`launcher.py`).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import dagster as dg

from am_assets.config.cluster import FILE, Cluster, load_cluster
from am_assets.config.files import ConfigError
from am_assets.orchestration.dagster_internals import CheckRunHealthResult, WorkerStatus
from am_assets.project import Project, data_folder
from am_assets.storage.shared.database import REACH, Database, DatabaseError, patiently
from am_assets.storage.shared.leases import alive, lease_of_process
from am_assets.storage.shared.objects import StoreError

LEASE_TAG = "am/lease"  # run tag: the lease of the process that carries it out
POOL = {"pool_size": 1, "max_overflow": 20, "pool_pre_ping": True}


def ready(project: Project) -> None:
    """`ConfigError` where the database of a cluster can't be used, or another Dagster made its records."""
    try:
        database = project.database()
        fault = schema_fault(project.cluster, database) if database and project.cluster else None
    except (DatabaseError, StoreError) as error:
        raise ConfigError(f"{project.data / FILE}: {error}. Nothing was changed") from None
    if fault:
        raise ConfigError(fault)
    if project.cluster:
        await_records(project.cluster.database_env)


def schema_fault(cluster: Cluster, database: Database) -> str | None:
    """What is wrong with the records' schema, and what to do; None where it is that of the Dagster here, or not there
    yet."""
    import dagster_postgres
    from alembic.script import ScriptDirectory
    from dagster_postgres.utils import pg_alembic_config

    with database.cursor() as cursor:
        cursor.execute("select to_regclass('public.alembic_version') is not null")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("select version_num from public.alembic_version")
        found = {revision for (revision,) in cursor.fetchall()}
    known = ScriptDirectory.from_config(pg_alembic_config(dagster_postgres.run_storage.__file__))
    if not found or found == {*known.get_heads()}:
        return None
    where = f"the database that {cluster.database_env} names has the records of"
    if found <= {script.revision for script in known.walk_revisions()}:
        return f"{where} an older Dagster: stop all runs, keep a copy, then `dagster instance migrate`"
    return (
        f"{where} another Dagster than the {dg.__version__} here (schema {', '.join(sorted(found))}): install the same"
        " am-assets on all machines. Nothing was changed"
    )


@cache
def await_records(variable: str) -> None:
    """Have this process wait for Dagster's records while their database, whose address `variable` has, is away: Dagster
    itself gives up after 12 s, and each of its tries is a paragraph. `DatabaseError` after `PATIENCE_SECONDS`."""
    from sqlalchemy import Engine, event

    database = Database(Cluster(database_env=variable))

    @event.listens_for(Engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        def tried() -> Any:
            with database.explained():
                return dialect.connect(*arguments, **{**REACH, **options})

        return patiently(tried) if dialect.name == "postgresql" else None


def keep_open(instance: dg.DagsterInstance) -> None:
    """Have the storages of Postgres, if they are, use connections that stay open, as each takes longer than a record.
    One that broke is noticed before it is used."""
    from sqlalchemy import create_engine

    storages: tuple[Any, ...] = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    for storage in storages:
        if type(storage).__module__.startswith("dagster_postgres."):
            storage._engine = create_engine(storage.postgres_url, isolation_level="AUTOCOMMIT", **POOL)


def lease_tags(project: Project) -> Callable[[], dict[str, str]]:
    """A function that returns the tags by which a run that this process carries out tells that it lives."""
    database = project.database()
    return lambda: {LEASE_TAG: str(lease_of_process(database).id)} if database else {}


def health(run: dg.DagsterRun) -> CheckRunHealthResult | None:
    """Whether the process lives that carries out a run with a lease; None for a run without one, as a retry is, which
    has the tags of the run that it repeats."""
    lease = run.tags.get(LEASE_TAG)
    cluster = load_cluster(data_folder() / FILE) if lease and not run.parent_run_id else None
    if lease is None or cluster is None:
        return None
    try:
        if not alive(Database(cluster), int(lease)):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"the process with lease {lease} is gone")
    except DatabaseError as error:
        return CheckRunHealthResult(WorkerStatus.RUNNING, str(error))
    return CheckRunHealthResult(WorkerStatus.RUNNING)
