"""Assets that are tables: what every one of them does around its own few lines.

The decorators `policy`, `evidence` and `decision` turn a function from frames to a frame (or to a frame and metadata)
into a Dagster asset. The frame is held to its schema, its data version is a hash of its content, and its page in the
UI shows columns, row count, a sample, bytes and seconds. No asset's own logic belongs here.
"""

import inspect
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from hashlib import sha256
from typing import IO, Any, cast

import dagster as dg
import polars as pl
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from am_assets.catalog import OWNERS, code_of, described
from am_assets.engines import progress
from am_assets.schema import TABLES

LOG_EVERY_SECONDS = 5
INSTRUMENT = "instrument"  # metadata of an asset and of its materializations


def version(*identity: Any) -> str:
    """A short hash of what identifies how an asset is computed, for its code version."""
    return sha256(repr(identity).encode()).hexdigest()[:12]


def content_version(frame: pl.DataFrame) -> str:
    """A hash of the table's content: the same rows in the same order give the same version."""
    digest = _Digest()
    frame.rechunk().write_parquet(
        cast("IO[bytes]", digest), compression="uncompressed", statistics=False, row_group_size=131_072
    )
    return digest.hash.hexdigest()[:32]


def stored_version(context: dg.AssetExecutionContext, asset: str, partition: str) -> str:
    """The content version of another asset's partition, for a reader that Dagster hands no input to.

    `FileNotFoundError` where it was never materialized.
    """
    made = _materialization(context, asset, partition)
    if made is None:
        raise FileNotFoundError(f"{asset} has no partition {partition} yet: materialize it first")
    return (made.tags or {})[DATA_VERSION_TAG]


def stored_metadata(context: dg.AssetExecutionContext, asset: str, partition: str, name: str) -> Any:
    """What the latest materialization of another asset's partition says under `name`; None where it says nothing."""
    made = _materialization(context, asset, partition)
    said = made.metadata.get(name) if made else None
    return said.value if said else None


def _materialization(context: dg.AssetExecutionContext, asset: str, partition: str) -> dg.AssetMaterialization | None:
    record = context.instance.get_latest_data_version_record(dg.AssetKey(asset), False, partition)
    return record.asset_materialization if record else None


class _Digest:
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.hash = sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return len(data)

    def flush(self) -> None:
        pass


def sample(frame: pl.DataFrame, rows: int = 5, width: int = 80) -> dg.MetadataValue:
    """The first rows as a Markdown table, long cells cut."""
    lines = [frame.columns, ["---"] * frame.width, *frame.head(rows).rows()]
    cells = [[str(cell).replace("|", "¦").replace("\n", " ⏎ ")[:width] for cell in line] for line in lines]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in cells))


def picture(png: bytes) -> dg.MetadataValue:
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{b64encode(png).decode()})")


def _hand_over(name: str, static: dict[str, Any], made: Any, seconds: float) -> dg.MaterializeResult:
    frame, metadata = made if isinstance(made, tuple) else (made, {})
    schema = TABLES[name]
    valid = schema.validate(frame.select(schema.column_names()), cast=True)
    return dg.MaterializeResult(
        value=valid,
        data_version=dg.DataVersion(content_version(valid)),
        metadata={
            "dagster/row_count": valid.height,
            **static,
            "sample": sample(valid),
            "seconds": round(seconds, 3),
            **metadata,
        },
    )


def _log_progress() -> progress.Listener:
    """Progress into the run's log, every few seconds and at the end of each task."""
    log = dg.AssetExecutionContext.get().log
    last = time.monotonic()

    def listener(name: str, done: int, total: int, note: str) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > LOG_EVERY_SECONDS:
            last = time.monotonic()
            log.info(f"{name}: {done:,} of {total:,}" + (f" ({note})" if note else ""))

    return listener


@contextmanager
def _canceling() -> Iterator[None]:
    """An interrupt cancels the run: else Dagster takes it for a failure, and whoever hears of failures is told."""
    try:
        yield
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        context = dg.AssetExecutionContext.get()
        context.instance.report_run_canceling(context.run)
        raise


def table(
    kind: str, group: str, partitions: dg.PartitionsDefinition, instrument: dict | None = None, **options: Any
) -> Callable:
    """A decorator that makes a function of frames an asset of `TABLES[<its name>]`.

    `instrument` spells out what the code version is a hash of, so that a plan can say which of it changed.
    """
    measured = {INSTRUMENT: instrument} if instrument else {}

    def decorate(fn: Callable) -> dg.AssetsDefinition:
        name = options.get("name", fn.__name__)
        static = described(name, fn, options.get("deps", [])) | measured

        @wraps(fn)
        def body(*args: Any, **inputs: Any) -> dg.MaterializeResult:
            started = time.monotonic()
            with progress.listening(_log_progress()), _canceling():
                made = fn(*args, **inputs)
            return _hand_over(name, static, made, time.monotonic() - started)

        # Dagster reads inputs from the signature; the result is always a MaterializeResult with a value.
        body.__signature__ = inspect.signature(fn).replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
        body.__annotations__ = {k: v for k, v in fn.__annotations__.items() if k != "return"}
        return dg.asset(
            partitions_def=partitions,
            group_name=group,
            kinds={"polars", kind},
            owners=OWNERS,
            io_manager_key="tables",
            metadata=static | code_of(fn),
            **options,
        )(body)

    return decorate


def policy(group: str, partitions: dg.PartitionsDefinition, **options: Any) -> Callable:
    return table("policy", group, partitions, **options)


def evidence(group: str, partitions: dg.PartitionsDefinition, **options: Any) -> Callable:
    """Measures; partitioned by what is measured; `code_version` names the instrument.

    `pool` names the expensive thing it takes: teacher, judge, sandbox or gpu. Runs that take the same one are limited
    together (`dagster.yaml`), and no automation starts what takes any (`automation/conditions.py`)."""
    return table("evidence", group, partitions, **options)


def decision(group: str, partitions: dg.PartitionsDefinition, **options: Any) -> Callable:
    """Applies one recipe to evidence; pure and cheap."""
    return table("decision", group, partitions, **options)


def empty(name: str) -> pl.DataFrame:
    return TABLES[name].create_empty()
