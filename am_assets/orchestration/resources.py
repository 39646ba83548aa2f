"""Dagster resources: the table store, memoized answers of models, budgets of runs, and the progress logger."""

import logging
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

import dagster as dg
import polars as pl
from upath import UPath

from am_assets.config.cluster import Cluster
from am_assets.engines.llm import ANSWER, Budget, LlmError, ask, ask_batch
from am_assets.engines.llm.money import SPENT
from am_assets.engines.llm.shared_budget import SharedBudget
from am_assets.engines.models import embedder
from am_assets.engines.serving import placing_of
from am_assets.orchestration.postgres import lease_tags
from am_assets.orchestration.run_names import USER_TAG
from am_assets.orchestration.schemas import TABLES
from am_assets.project import Project
from am_assets.runtime import progress
from am_assets.storage.atomic import write_whole
from am_assets.storage.copies import of
from am_assets.storage.memo import ASKED_FOR, KEY, FillResult, Measure, Memo, with_keys
from am_assets.storage.portions import Split, in_slices
from am_assets.storage.segments import write_durably
from am_assets.storage.shared.claims import SharedClaims
from am_assets.storage.shared.database import GUARDED, Database
from am_assets.storage.shared.leases import code
from am_assets.storage.shared.versions import CODE_TAG, CONFIG_TAG
from am_assets.storage.stored import EXTENSION, FORM, FORM_FILE, StoredTables, form_of, refuse_damaged
from am_assets.storage.streams import Stored, Written

BUDGET_TAG = "am/budget_usd"  # run tag; runs without it take the environment variable AM_BUDGET_USD
ALL = "all"  # what answers are asked for where a run names no recipe
IDENTITY = ["model", "messages", "sampling", "sample_index"]  # of a request
BUDGET_NAME_TAG = "am/budget"  # run tag: the budget of runs on several machines, which share BUDGET_TAG
RECIPES_TAG = "am/recipes"  # run tag: comma-separated recipes whose requests are sent; without it those of all


class TableStore(StoredTables, dg.UPathIOManager):
    """IO manager over the stored tables. A table is written aside and renamed.

    An input is lazy where it is annotated as a lazy frame, and a handle for reading in batches where as `Stored`. One
    with `fan_in` metadata (see `partitions.every`) is the concatenation of its partitions, with their keys in the
    column that the metadata names; `skip_missing` leaves out missing ones; without any, `optional` gives an empty table
    instead of an error.
    """

    extension = EXTENSION

    def __init__(self, folder: Path):
        StoredTables.__init__(self, folder)
        dg.UPathIOManager.__init__(self, UPath(folder))

    def dump_to_path(self, context: dg.OutputContext, obj: pl.DataFrame | Written, path: UPath) -> None:
        if form_of(self.folder) < FORM:
            write_whole(self.folder / FORM_FILE, f"{FORM}\n")
        target = Path(str(path))
        if isinstance(obj, Written):
            obj.publish()
        else:
            write_durably(obj.rechunk(), target.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}"), target)
        context.add_output_metadata({"bytes": path.stat().st_size})

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pl.LazyFrame:
        return pl.scan_parquet(str(path))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame | pl.LazyFrame | Stored:
        wanted = context.definition_metadata or {}
        fan_in, skip_missing = wanted.get("fan_in"), wanted.get("skip_missing", False)
        frames, found = [], []
        for key, path in self._get_paths_for_partitions(context).items():
            file = Path(str(path))
            if of(file).here(file):
                refuse_damaged(file)
                found.append(file)
                frame = self.load_from_path(context, path)
                frames.append(frame.with_columns(pl.lit(str(key)).alias(fan_in)) if fan_in else frame)
            elif not skip_missing:
                asset = context.asset_key.to_user_string()
                raise FileNotFoundError(f"{asset} has no partition {key} yet: materialize it first ({path} is missing)")
        if not frames and fan_in and wanted.get("optional"):
            none = TABLES[context.asset_key.to_user_string()].create_empty().lazy()
            frames.append(none.with_columns(pl.lit(None, pl.String).alias(fan_in)))
        if not frames:
            raise FileNotFoundError(
                f"{context.asset_key.to_user_string()}: no partition is there yet; materialize one first"
            )
        if context.dagster_type.typing_type is Stored:
            return Stored(*found)
        frame = pl.concat(frames)
        return frame if context.dagster_type.typing_type is pl.LazyFrame else frame.collect()


class Answers:
    """Memoized measurements and model answers: the memo is read first, and only missing rows are measured."""

    def __init__(self, project: Project):
        self.project = project
        self.database = project.database()
        self.places = placing_of(project.cluster, self.database, project.data)
        self.memo = Memo(project.memo, SharedClaims(self.database) if self.database else None)

    def fill(
        self,
        namespace: str,
        wanted: pl.DataFrame,
        measure: Measure,
        schema: pl.Schema,
        parts: Measure | None = None,
    ) -> FillResult:
        """Join `wanted` with its measurements, after making those that the memo lacks as of `complete`."""
        new = self.complete(namespace, wanted, measure, schema, parts)
        return self.memo.joined(namespace, wanted, new, schema)

    def complete(
        self,
        namespace: str,
        wanted: pl.DataFrame,
        measure: Measure,
        schema: pl.Schema,
        parts: Measure | None = None,
    ) -> pl.DataFrame:
        """Make the measurements that the memo lacks of `wanted`; returns the keys of what is new.

        The memo records the keys under the current partition, so that unreferenced entries can be pruned. `parts` makes
        frames of missing rows with all that `measure` needs; then the rows are measured by several machines, where a
        cluster carries out the run and has room.
        """
        self._note_wanted(namespace, wanted)
        if parts is None:
            return self.memo.complete(namespace, wanted, measure, schema)

        def whole(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
            for part in parts(missing):
                yield from measure(part)

        if GUARDED not in os.environ or (launcher := self.project.launcher) is None:
            return self.memo.complete(namespace, wanted, whole, schema)
        from am_assets.orchestration.tasks import Tasks

        with closing(Tasks(namespace, launcher)) as tasks:
            return self.memo.complete(namespace, wanted, whole, schema, split=Split(parts, measure, tasks.tend))

    def want_none(self, namespace: str) -> None:
        """Record that the current partition uses no measurement of a namespace that it uses under other instruments."""
        self._note_wanted(namespace, pl.DataFrame(schema=KEY))

    def _note_wanted(self, namespace: str, wanted: pl.DataFrame) -> None:
        at = dg.AssetExecutionContext.get()
        self.memo.note_wanted(namespace, f"{at.asset_key.to_user_string()}.{at.partition_key}", wanted)

    def get(self, namespace: str, requests: pl.DataFrame, read: pl.Schema = ANSWER) -> FillResult:
        """Join `requests` (model, messages, sampling, sample_index and any others) with their answers.

        A column `key` is used where there is one, else the key is computed. `LlmError` lists the models that failed; it
        is raised after all models were asked, so that a failing endpoint does not stop the others.
        """
        keyed = requests if "key" in requests.columns else with_keys(requests, *IDENTITY)
        return self.ask(namespace, keyed, lambda missing: missing, read)

    def ask(
        self, namespace: str, keyed: pl.DataFrame, complete: Callable[[pl.DataFrame], pl.DataFrame], read: pl.Schema
    ) -> FillResult:
        """Like `get`, for requests (key, IDENTITY and any others) whose texts are held for what is missing alone:
        `complete` adds to its rows what they lack. `read` are those columns of ANSWER that the table gets."""
        budget = _budget_of_run(self.database, self.project.cluster)
        notes = {ASKED_FOR: dg.AssetExecutionContext.get().run.tags.get(RECIPES_TAG, ALL)}

        def measure(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
            return self._ask(namespace, complete(missing), budget)

        self._note_wanted(namespace, keyed)
        return self.memo.fill(namespace, keyed, measure, ANSWER, notes, read)

    def split(self, namespace: str, requests: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Split `requests` (key, recipes and any others) into those that this run handles and those that it leaves out.

        A run with RECIPES_TAG leaves out unanswered requests that only other recipes want. Rows keep their order, those
        of the run's recipes first.
        """
        chosen = dg.AssetExecutionContext.get().run.tags.get(RECIPES_TAG)
        if chosen is None:
            return requests, requests.clear()
        is_ours = pl.col("recipes").list.eval(pl.element().is_in(chosen.split(","))).list.any()
        ours, others = requests.filter(is_ours), requests.filter(~is_ours)
        left = self.memo.missing(namespace, others.join(ours, on="key", how="anti", maintain_order="left"))
        return pl.concat([ours, others.join(left, on="key", how="anti", maintain_order="left")]), left

    def vectors(self, texts: pl.DataFrame, model: str) -> FillResult:
        """Join `texts` (question and any others) with the unit vectors of their questions.

        `ValueError`, before anything is stored, where the dimension differs from that of vectors stored for the model.
        """
        keyed = with_keys(texts, "question", identity=model)

        def measure(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
            known = keyed.select("key").join(missing, on="key", how="anti").head(1)
            stored = self.memo.read("embeddings", known, embedder.VECTOR)["vector"].list.len().to_list()
            for frame in embedder.embed_batches(missing.select("key", text="question"), model):
                dimension = frame["vector"].list.len()[0]
                if stored and stored != [dimension]:
                    raise ValueError(
                        f"embedding model {model} makes vectors of {dimension} dimensions, and those stored under its"
                        f" name have {stored[0]}: it is another model now. Give it a name (a folder) of its own in"
                        f" instruments.yaml, or remove {self.memo.folder / 'embeddings'} to have all embedded again"
                    )
                yield frame

        return self.fill("embeddings", keyed, measure, embedder.VECTOR, in_slices)

    def _ask(self, namespace: str, missing: pl.DataFrame, budget: Budget) -> Iterator[pl.DataFrame]:
        faults = []
        tickets = self.memo.folder / namespace / "batches"
        for (name,), requests in missing.group_by("model", maintain_order=True):
            model, endpoints = str(name), self.project.endpoints_of(str(name))
            try:
                for endpoint in [endpoint for endpoint in endpoints if endpoint.batch][:1]:
                    for answers in ask_batch(requests, model, endpoint, tickets, budget, self.memo.refused):
                        yield answers
                        requests = requests.join(answers, on="key", how="anti", maintain_order="left")
                if requests.height:
                    yield from ask(requests, model, endpoints, budget, self.memo.refused, self.database, self.places)
            except LlmError as fault:
                faults.append(str(fault))
        if faults:
            raise LlmError("\n".join(faults))


def run_tags(
    project: Project, dollars: float | None, recipes: Sequence[str] | None, user: str
) -> Callable[[], dict[str, str]]:
    """A function that returns the tags of the next run that this process makes for `user`.

    All of them share the budget of `dollars` (None: no limit), send requests of `recipes` (None: of all) and tell, on a
    cluster, by which lease it is seen whether they live, and what they were planned with.
    """
    before, lease = SPENT.spent, lease_tags(project)
    shared = {CODE_TAG: code(), CONFIG_TAG: project.planned.version} if project.planned else {}
    if project.launcher and dollars is not None:
        shared |= {BUDGET_NAME_TAG: str(uuid.uuid4()), BUDGET_TAG: f"{dollars:.6f}"}

    def tags() -> dict[str, str]:
        budget = {} if dollars is None else {BUDGET_TAG: f"{max(0.0, dollars - (SPENT.spent - before)):.6f}"}
        asking = {} if recipes is None else {RECIPES_TAG: ",".join(recipes)}
        return budget | shared | asking | lease() | {USER_TAG: user}

    return tags


@cache
def _budget(
    run_id: str, dollars: str | None, database: Database | None, of_all: float | None, name: str | None
) -> Budget:
    within = SPENT if database is None or of_all is None else SharedBudget(database, of_all, within=SPENT)
    try:
        if database and name and dollars:
            return SharedBudget(database, float(dollars), within, name)
        return Budget(float(dollars) if dollars else None, within=within)
    except ValueError:
        raise dg.DagsterInvariantViolationError(f"{BUDGET_TAG}: {dollars!r} is not a number of dollars") from None


def _budget_of_run(database: Database | None, cluster: Cluster | None) -> Budget:
    """The budget of the current run: by its tag, else by the environment, else unlimited; within that of a cluster."""
    run = dg.AssetExecutionContext.get().run
    dollars = run.tags.get(BUDGET_TAG) or os.environ.get("AM_BUDGET_USD")
    of_all, name = cluster.budget_usd if cluster else None, run.tags.get(BUDGET_NAME_TAG)
    return _budget(run.run_id, dollars, database, of_all, name)


def combine(first: FillResult, second: FillResult) -> FillResult:
    """The table of `second`, which contains that of `first`, with the new rows of both calls."""
    return FillResult(second.table, pl.concat([first.new, second.new]))


@dg.logger({}, description="Forwards the log messages of assets to progress listeners, and nothing to the terminal.")
def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = getattr(record, "dagster_meta", {}).get("orig_message")
            if message and not message.startswith("[pipes]"):  # of the protocol with a training's process
                progress.message(message)

    logger = logging.Logger("am_assets.progress", level=logging.INFO)
    logger.addHandler(Handler())
    return logger
