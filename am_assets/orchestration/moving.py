"""Dagster's records of one machine, in SQLite, carried over to the database of a cluster.

That is what is up to date, and which run made it when; logs of earlier runs stay in the files. It is one transaction:
all of it is there, or nothing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from am_assets.config.cluster import Cluster
from am_assets.config.files import ConfigError
from am_assets.orchestration.dagster_internals import (
    IN_PROGRESS_RUN_STATUSES,
    RunStorageSqlMetadata,
    ScheduleStorageSqlMetadata,
    SqlEventLogStorageMetadata,
)
from am_assets.orchestration.sqlite import open_instance
from am_assets.runtime.wording import counted

FILES = {  # of the folder of an instance
    "history/runs.db": RunStorageSqlMetadata,
    "history/runs/index.db": SqlEventLogStorageMetadata,
    "schedules/schedules.db": ScheduleStorageSqlMetadata,
}
# What a storage knows of itself, and what only counts while processes run.
OWN = {"secondary_indexes", "instance_info", "daemon_heartbeats", "concurrency_slots", "pending_steps"}
ROWS = 2000  # at once


def move(home: Path, cluster: Cluster) -> dict[str, int]:
    """Carry over the records in the folder `home`, whose dagster.yaml names the database; rows by table.

    `ConfigError` where there are none, or the database has runs already. Runs that were under way are canceled.
    """
    if not all((home / file).exists() for file in FILES):
        raise ConfigError(f"{home}: there are no records of one machine here: nothing to move")
    with open_instance(home) as instance:  # which creates the tables
        if there := instance.get_runs_count():
            raise ConfigError(
                f"the database that {cluster.database_env} names has {counted(there, 'run')} already: records are"
                " moved before the first apply. Nothing was changed"
            )
        target = sa.create_engine(cluster.address())
        with target.begin() as connection:
            moved = dict(_carried(home, connection))
        target.dispose()
        _cancel(instance)
    return moved


def _carried(home: Path, target: sa.Connection) -> Iterator[tuple[str, int]]:
    for file, metadata in FILES.items():
        source = sa.create_engine(f"sqlite:///file:{home / file}?mode=ro&uri=true")
        with source.connect() as records:
            for table in metadata.sorted_tables:
                if table.name not in OWN and sa.inspect(source).has_table(table.name):
                    yield table.name, _copied(table, records, target)
        source.dispose()


def _copied(table: sa.Table, source: sa.Connection, target: sa.Connection) -> int:
    """The rows of a table, whose ids stay: what was made of what is told by them."""
    rows = source.execution_options(yield_per=ROWS).execute(sa.select(table)).mappings()
    count = 0
    for part in rows.partitions():
        target.execute(insert(table).on_conflict_do_nothing(), [dict(row) for row in part])
        count += len(part)
    there = target.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    if there < count:
        raise ConfigError(f"{table.name}: {counted(count, 'row')}, and {there} of them arrived. Nothing was changed")
    if "id" in table.c and isinstance(table.c.id.type, sa.Integer):
        after = sa.func.pg_get_serial_sequence(table.name, "id")
        last = sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0) + 1).scalar_subquery()
        target.execute(sa.select(sa.func.setval(after, last, False)))
    return count


def _cancel(instance: dg.DagsterInstance) -> None:
    under_way: Iterable[Any] = instance.get_runs(dg.RunsFilter(statuses=list(IN_PROGRESS_RUN_STATUSES)))
    for run in under_way:
        instance.report_run_canceled(run, message="it was under way on one machine when the records were moved")
