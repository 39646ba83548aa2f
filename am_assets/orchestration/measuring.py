"""The process of a task: it measures rows of a table beside the run that makes it, and stores them in the memo.

    python -m am_assets.orchestration.measuring RUN ASSET PARTITION

It carries out the body of the table on the same inputs, up to the measurements that may be divided. What it stores is
all that comes back.
"""

import inspect
import socket
import sys
import time
from typing import Any

import dagster as dg
import polars as pl

from am_assets.config.cluster import FILE, load_cluster
from am_assets.orchestration.assets import TABLE
from am_assets.orchestration.declarations import Declared
from am_assets.orchestration.instance import prepare_environment
from am_assets.orchestration.postgres import await_records
from am_assets.orchestration.resources import Answers
from am_assets.orchestration.tables import HERE
from am_assets.project import Project, data_folder, project
from am_assets.runtime.interrupts import ending_on_sigterm
from am_assets.storage.memo import FillResult, Measure
from am_assets.storage.portions import Split
from am_assets.storage.stored import StoredTables
from am_assets.storage.streams import Stored

MOST_SECONDS = 300.0  # after which a task ends, so that a run that waits gets its machine; another may be begun
STOP_SECONDS = 2.0  # that Ray waits, and one more, before it kills


class Measured(Exception):
    """So many rows were stored, and there is nothing more to do."""


class Helping(Answers):
    """Measures what may be divided, and ends the body of the table there."""

    def fill(
        self, namespace: str, wanted: pl.DataFrame, measure: Measure, schema: pl.Schema, parts: Measure | None = None
    ) -> FillResult:
        if parts is None:
            raise TypeError(f"{namespace} is not divided")
        end = time.monotonic() + MOST_SECONDS
        split = Split(parts, measure, lambda *_: time.monotonic() < end)
        raise Measured(self.memo.help(namespace, wanted, split, schema))


def measured(here: Project, asset: str, partition: str) -> int:
    """Measure rows of a partition; how many."""
    table, stored = TABLE[asset], StoredTables(here.assets)
    given: dict[str, Any] = {HERE: Declared(asset, table.reads, here), "answers": Helping(here)}
    reads = {name: one for name, one in inspect.signature(table.fn).parameters.items() if name not in given}
    for name, parameter in reads.items():
        given[name] = {
            Stored: lambda name: Stored(stored.path(name, partition)),
            pl.LazyFrame: lambda name: stored.scan(name, partition),
            pl.DataFrame: lambda name: stored.read(name, partition),
        }[parameter.annotation](name)
    try:
        table.fn(**given)
    except Measured as end:
        return int(end.args[0])
    raise TypeError(f"{asset} measures nothing that may be divided")


def main(run_id: str, asset: str, partition: str) -> None:
    began, host = time.monotonic(), socket.gethostname()
    prepare_environment(data_folder() / "instance")
    if cluster := load_cluster(data_folder() / FILE):
        await_records(cluster.database_env)
    with ending_on_sigterm(STOP_SECONDS), dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_engine_event(f"A task on {host} measures rows of {asset}[{partition}]", run)
        rows = measured(project(), asset, partition)
        told = f"The task on {host} stored {rows:,} rows of {asset}[{partition}] in {time.monotonic() - began:.0f} s"
        instance.report_engine_event(told, run)


if __name__ == "__main__":
    main(*sys.argv[1:])
