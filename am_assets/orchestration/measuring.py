"""The process of a task: it measures rows of a table beside the run that makes it, and stores them in the memo.

    python -m am_assets.orchestration.measuring RUN ASSET PARTITION NAMESPACE

It carries out the body of the table on the same inputs, up to the measurements of a namespace of the memo, which may be
divided. What it stores is all that comes back, and the log of the run says how much that was.
"""

import inspect
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
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
from am_assets.orchestration.tasks import MOST_SECONDS
from am_assets.project import Project, data_folder, project
from am_assets.runtime.interrupts import ending_on_sigterm
from am_assets.runtime.wording import counted
from am_assets.storage.memo import Measure
from am_assets.storage.portions import Split
from am_assets.storage.stored import StoredTables
from am_assets.storage.streams import Stored

STOP_SECONDS = 2.0  # that Ray waits, and one more, before it kills


class Measured(Exception):
    """There is nothing more to measure here."""


class Helping(Answers):
    """Measures rows of a namespace, and ends the body of the table there; `stored` rows so far. `tell` is called once
    it is interrupted, before workers are waited for."""

    stored = 0

    def __init__(self, here: Project, namespace: str, tell: Callable[[], None] = lambda: None):
        super().__init__(here)
        self.namespace, self.tell = namespace, tell

    def complete(
        self, namespace: str, wanted: pl.DataFrame, measure: Measure, schema: pl.Schema, parts: Measure | None = None
    ) -> pl.DataFrame:
        if namespace != self.namespace:  # of what comes before, which the run has measured
            return self.memo.complete(namespace, wanted, measure, schema)
        if parts is None:
            raise TypeError(f"{namespace} is not divided")
        end = time.monotonic() + MOST_SECONDS

        def counting(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
            try:
                for frame in measure(rows):
                    yield frame
                    self.stored += frame.height
            except KeyboardInterrupt:
                self.tell()
                raise

        self.memo.help(namespace, wanted, Split(parts, counting, lambda *_: time.monotonic() < end), schema)
        raise Measured


def measured(here: Project, helping: Helping, asset: str, partition: str, instance: dg.DagsterInstance) -> None:
    """Measure rows of a partition."""
    table, stored = TABLE[asset], StoredTables(here.assets)
    context = dg.build_asset_context(partition_key=partition, instance=instance)
    declared = Declared(here.data, asset, table.reads, here)
    known = {"context": context, HERE: declared, "answers": helping, "tables": stored}
    read: dict[type, Callable[[str], Any]] = {
        Stored: lambda name: Stored(stored.path(name, partition)),
        pl.LazyFrame: lambda name: stored.scan(name, partition),
        pl.DataFrame: lambda name: stored.read(name, partition),
    }
    wanted = inspect.signature(table.fn).parameters.items()
    given = {name: known[name] if name in known else read[one.annotation](name) for name, one in wanted}
    with suppress(Measured):
        table.fn(**given)
        raise TypeError(f"{asset} measures nothing that may be divided")


def main(run_id: str, asset: str, partition: str, namespace: str) -> None:
    began, host = time.monotonic(), socket.gethostname()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where who started Ray ignores it
    prepare_environment(data_folder() / "instance")
    if cluster := load_cluster(data_folder() / FILE):
        await_records(cluster.database_env)
    with ending_on_sigterm(STOP_SECONDS), dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_engine_event(f"A task on {host} measures rows of {asset}[{partition}]", run)

        def tell() -> None:
            took = f"{counted(helping.stored, 'row')} of {asset}[{partition}] in {time.monotonic() - began:.0f} s"
            instance.report_engine_event(f"The task on {host} stored {took}", run)

        helping = Helping(project(), namespace, tell)
        measured(project(), helping, asset, partition, instance)
        tell()


if __name__ == "__main__":
    main(*sys.argv[1:])
