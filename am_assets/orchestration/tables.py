"""Assets that are tables: what all of them share around their bodies.

The decorators `policy`, `evidence` and `decision` turn a function from frames to a frame (or to a frame and metadata)
into a `Table`, a declaration that is independent of any project. `Table.asset` builds its Dagster asset for one
project: it validates the frame against the schema, sets the data version to a hash of the content, and attaches row
count, a sample, bytes and seconds as metadata. A body whose table may be larger than memory returns a `Stream` in place
of a frame, and takes inputs as `Stored`. Logic of single assets does not belong here.

    @decision("selection", "recipes", reads=Reads((dedup,)))
    def deduped_set(raw_pool: pl.LazyFrame, dedup_policy: pl.DataFrame) -> tuple[pl.DataFrame, dict]:
        return table, {"kept": kept}
"""

import inspect
import json
import time
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import polars as pl

from am_assets.config.addresses import VIEW
from am_assets.config.instruments import Instruments
from am_assets.orchestration.catalog import OWNERS, code_reference, column_metadata
from am_assets.orchestration.dagster_internals import DATA_VERSION_TAG
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import Entry
from am_assets.orchestration.partitions import Partitions
from am_assets.orchestration.run_names import name_this_run
from am_assets.orchestration.samples import sample
from am_assets.orchestration.schemas import TABLES
from am_assets.project import Project
from am_assets.runtime import progress
from am_assets.storage.stored import stored_at
from am_assets.storage.streams import Stored, Stream, Written, content_version, in_order, write

LOG_EVERY_SECONDS = 5
SHOWN = 5  # rows of a sample
INSTRUMENT = "instrument"  # metadata of an asset and its materializations: dependencies that all partitions share
ENTRY, FILES = "entry", "fingerprint"  # metadata of a materialization: the configuration of that partition
VIEWED = {"deduped_set", "selected_questions", "verified_set", "sft_dataset", "recipe_report"}  # by `am view`
HERE = "here"  # the parameter of a body that receives the declared part of the project


def stored_version(context: dg.AssetExecutionContext, asset: str, partition: str) -> str:
    """The data version of a partition of another asset, for a body that reads it by name instead of as an input.

    `FileNotFoundError` where it was never materialized.
    """
    latest = _latest(context, asset, partition)
    if latest is None:
        raise FileNotFoundError(f"{asset} has no partition {partition} yet: materialize it first")
    return (latest.tags or {})[DATA_VERSION_TAG]


def stored_metadata(context: dg.AssetExecutionContext, asset: str, partition: str, name: str) -> Any:
    """The metadata `name` of the latest materialization of another asset's partition; None where there is none."""
    latest = _latest(context, asset, partition)
    found = latest.metadata.get(name) if latest else None
    return found.value if found else None


def _latest(context: dg.AssetExecutionContext, asset: str, partition: str) -> dg.AssetMaterialization | None:
    record = context.instance.get_latest_data_version_record(dg.AssetKey(asset), False, partition)
    return record.asset_materialization if record else None


def picture(png: bytes) -> dg.MetadataValue:
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{b64encode(png).decode()})")


def _to_result(
    table: "Table", static: dict[str, Any], result: Any, target: Path, started: float
) -> dg.MaterializeResult:
    made, metadata = result if isinstance(result, tuple) else (result, {})
    schema = TABLES[table.name]
    if isinstance(made, Stream):
        frames = (schema.cast(frame.select(schema.column_names())) for frame in made.frames)
        key = schema.primary_key()
        valid = (schema.validate(frame) for frame in (in_order(frames, key[0], target) if made.unsorted else frames))
        written = write(valid, schema.create_empty(), target, key)
        value: Written | pl.DataFrame = written
        rows, content, shown = written.rows, written.version, Stored(written.aside).spread(SHOWN)
        metadata = made.told() | metadata
    else:
        value = shown = schema.validate(made.select(schema.column_names()), cast=True)
        rows, content = shown.height, content_version(shown)
    return dg.MaterializeResult(
        value=value,
        data_version=dg.DataVersion(_data_version(content, [metadata[name] for name in table.read_below])),
        metadata={
            "dagster/row_count": rows,
            **static,
            "sample": sample(shown, SHOWN),
            "seconds": round(time.monotonic() - started, 3),
            **metadata,
        },
    )


def _data_version(content: str, read_below: list[Any]) -> str:
    return sha256(json.dumps([content, *read_below]).encode()).hexdigest()[:32] if read_below else content


def _log_progress() -> progress.Listener:
    """A listener that writes progress to the run's log, every few seconds and at the end of each task."""
    log = dg.AssetExecutionContext.get().log
    last = time.monotonic()

    def listener(name: str, done: int, total: int, note: str) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > LOG_EVERY_SECONDS:
            last = time.monotonic()
            log.info(f"{name}: {done:,} of {total:,}" + (f" ({note})" if note else ""))

    return listener


@contextmanager
def _cancel_on_interrupt() -> Iterator[None]:
    """Report the run as being canceled on an interrupt: otherwise Dagster records a failure, which alerts people."""
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        context = dg.AssetExecutionContext.get()
        context.instance.report_run_canceling(context.run)
        raise


@dataclass(frozen=True)
class Table:
    """The declaration of one asset; `asset` builds it for a project.

    by           partitioning, the name of a property of `Partitions`
    reads        dependencies beside the tables it reads
    pool         concurrency pool of its runs: teacher, judge, sandbox or gpu; may depend on the instruments
    deps         tables that the body reads by name instead of as inputs
    read_below   names of metadata that downstream tables read, and that therefore count as content
    unfinished   from the metadata of a materialization and the recipes concerned: why it is incomplete and has to be
                 materialized again though nothing changed, or None
    """

    fn: Callable
    name: str
    kind: str
    group: str
    by: str
    reads: Reads = field(default_factory=Reads)
    pool: str | Callable[[Instruments], str | None] | None = None
    ins: dict[str, dg.AssetIn] = field(default_factory=dict)
    deps: Callable[[Partitions], list[dg.AssetDep]] = lambda _: []
    description: Callable[[Project], str] | None = None
    read_below: tuple[str, ...] = ()
    unfinished: Callable[[Mapping[str, Any], Collection[str]], str | None] | None = None

    def asset(self, here: Project, partitions: Partitions) -> dg.AssetsDefinition:
        declared = Declared(here.data, self.name, self.reads, here)
        deps = self.deps(partitions)
        instrument = self.reads.instrument(here)
        static = column_metadata(self.name, self.fn, deps) | ({INSTRUMENT: instrument} if instrument else {})
        takes_project = HERE in inspect.signature(self.fn).parameters

        @wraps(self.fn)
        def body(*args: Any, **inputs: Any) -> dg.MaterializeResult:
            started = time.monotonic()
            partition = dg.AssetExecutionContext.get().partition_key
            name_this_run(self.name, self.by, partition)
            declared.pin(partition)
            entry = declared.entry(partition)  # before inputs are read: a later edit shows as a change
            if takes_project:
                inputs[HERE] = declared
            static_here = static | _entry_metadata(entry) | _pages(self.name, partition)
            with progress.listening(_log_progress()), _cancel_on_interrupt():
                result = self.fn(*args, **inputs)
                return _to_result(self, static_here, result, stored_at(here.assets, self.name, partition), started)

        # Dagster reads inputs from the signature; the result is always a MaterializeResult with a value.
        parameters = [one for name, one in inspect.signature(self.fn).parameters.items() if name != HERE]
        body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        body.__annotations__ = {k: v for k, v in self.fn.__annotations__.items() if k not in (HERE, "return")}
        return dg.asset(
            name=self.name,
            partitions_def=getattr(partitions, self.by),
            group_name=self.group,
            kinds={"polars", self.kind},
            owners=OWNERS,
            io_manager_key="tables",
            metadata=static | code_reference(self.fn),
            code_version=self.reads.code_version(here),
            pool=self.pool(here.instruments) if callable(self.pool) else self.pool,
            ins=self.ins,
            deps=deps,
            description=self.description(here) if self.description else None,
        )(body)


def _entry_metadata(entry: Entry | None) -> dict[str, Any]:
    return {} if entry is None else {ENTRY: dict(entry.content)} | ({FILES: entry.files} if entry.files else {})


def _pages(name: str, partition: str) -> dict[str, Any]:
    """The page of `am view` on the rows of a recipe, or on its report."""
    path = {"recipe_report": "report"}.get(name, "")
    return {"am view": dg.MetadataValue.url(f"{VIEW}/{path}?recipe={partition}")} if name in VIEWED else {}


def _declare(kind: str, group: str, by: str, options: dict[str, Any]) -> Callable[[Callable], Table]:
    return lambda fn: Table(fn, options.pop("name", fn.__name__), kind, group, by, **options)


def policy(group: str, by: str, **options: Any) -> Callable[[Callable], Table]:
    """Declare a table that holds one section of a recipe; options are the fields of `Table`."""
    return _declare("policy", group, by, options)


def evidence(group: str, by: str, **options: Any) -> Callable[[Callable], Table]:
    """Declare a table of measurements, partitioned by what is measured.

    Runs of one `pool` share a concurrency limit (`dagster.yaml`), and no automation condition starts them
    (`automation/conditions.py`).
    """
    return _declare("evidence", group, by, options)


def decision(group: str, by: str, **options: Any) -> Callable[[Callable], Table]:
    """Declare a table that applies one recipe to evidence; pure and cheap."""
    return _declare("decision", group, by, options)


def declared_in(*modules: ModuleType) -> list[Table]:
    """The tables that modules declare, alone or in lists, in the order of definition."""
    values = [value for module in modules for value in vars(module).values()]
    lists = [value if isinstance(value, list) else [value] for value in values]
    return [table for one in lists for table in one if isinstance(table, Table)]


def empty(name: str) -> pl.DataFrame:
    return TABLES[name].create_empty()
