"""Asset checks on tables in general, and how a check is declared.

A check is partitioned like its asset, so it evaluates one shard or one recipe. Blocking checks stop what is downstream.
Thresholds come from the recipe and the instruments; the label parse rate, which neither holds, is the only one here.
Checks of verdicts and of the judge are in `checks/verdicts.py`.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, update_wrapper
from types import ModuleType
from typing import Any

import dagster as dg
import dataframely as dy
import polars as pl

from am_assets.config.recipe import SamplingPolicy
from am_assets.config.vocabulary import UNLABELLED
from am_assets.orchestration.partitions import Partitions
from am_assets.orchestration.schemas import TABLES
from am_assets.project import Project
from am_assets.selection.decontaminate import contaminated
from am_assets.storage.segments import nulls
from am_assets.storage.stored import StoredTables, read_policy
from am_assets.storage.streams import Stored

MIN_LABEL_PARSE_RATE = 0.9
WITH_KEPT = ["deduped_set", "selected_questions", "verified_set"]  # tables of kept and dropped rows


@dataclass(frozen=True)
class Check:
    """The declaration of one asset check. `by` is the partitioning of its asset, as in `Table`; `options` go to
    `dagster.asset_check`."""

    fn: Callable[..., dg.AssetCheckResult]
    asset: str
    by: str
    options: dict[str, Any]

    def __call__(self, *tables: Any, **inputs: Any) -> dg.AssetCheckResult:
        return self.fn(*tables, **inputs)

    def build(self, here: Project, by: Partitions) -> dg.AssetChecksDefinition:
        fn: Callable[..., dg.AssetCheckResult] = self.fn
        if "here" in inspect.signature(fn).parameters:
            fn = update_wrapper(partial(fn, here=here), self.fn)
            left = [one for name, one in inspect.signature(self.fn).parameters.items() if name != "here"]
            fn.__signature__ = inspect.Signature(left)  # type: ignore[attr-defined]
        return dg.asset_check(asset=self.asset, partitions_def=getattr(by, self.by), **self.options)(fn)


def check(asset: str, by: str, **options: Any) -> Callable[[Callable[..., dg.AssetCheckResult]], Check]:
    """Declare a check by a function of tables and, where it has a parameter `here`, of the project."""
    return lambda fn: Check(fn, asset, by, options)


def build_checks(here: Project, by: Partitions, *modules: ModuleType) -> list[dg.AssetChecksDefinition]:
    """The checks that `modules` declare, for one project."""
    declared = [value for module in modules for value in vars(module).values() if isinstance(value, Check)]
    return [one.build(here, by) for one in declared]


def table_checks(assets: Sequence) -> list[dg.AssetChecksDefinition]:
    """Checks of every stored table: it matches its schema, and its primary key is unique."""
    return [_stored_table(asset) for asset in assets]


def _stored_table(asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
    name = asset.key.to_user_string()
    schema = TABLES[name]
    partitions = asset.partitions_def
    specs = [
        dg.AssetCheckSpec(
            "schema", asset=asset.key, partitions_def=partitions, description="Columns, types and rules hold."
        ),
        dg.AssetCheckSpec(
            "unique_ids", asset=asset.key, partitions_def=partitions, description="No primary key twice."
        ),
    ]

    @dg.multi_asset_check(name=f"{name}_table", specs=specs, ins={"table": dg.AssetIn(key=asset.key)})
    def stored(table: Stored) -> Iterator[dg.AssetCheckResult]:
        key = schema.primary_key()
        counts: Counter[str] = Counter()
        known = table.lazy().collect_schema()
        whole = _whole(table, known, schema)
        for rows in table.batches([name for name in known if name not in whole]):
            _, faults = schema.filter(rows.with_columns(pl.lit("").alias(name) for name in whole))
            counts.update({rule: int(count) for rule, count in faults.counts().items() if rule != "primary_key"})
        keys = table.lazy().select(key).collect()
        repeated = keys.height - keys.n_unique() if keys.height else 0
        if repeated:
            counts["primary_key"] = int(keys.is_duplicated().sum())
        yield dg.AssetCheckResult(
            check_name="schema", asset_key=asset.key, passed=not counts, metadata={"broken_rules": dict(counts)}
        )
        yield dg.AssetCheckResult(
            check_name="unique_ids",
            asset_key=asset.key,
            passed=repeated == 0,
            metadata={"repeated": repeated, "key": key},
        )

    return stored


def _whole(table: Stored, known: pl.Schema, schema: type[dy.Schema]) -> set[str]:
    """Columns of any texts that are not read: that none is null is their one rule, and the file tells of that."""
    empty = nulls(table.path)
    return {
        name
        for name, column in schema.columns().items()
        if name not in schema.primary_key()
        and known.get(name) == pl.String
        and column.dtype == pl.String
        and empty.get(name) == 0
        and set(column.validation_rules(pl.col(name))) <= {"nullability"}
    }


def not_empty_checks(by: Partitions) -> list[dg.AssetChecksDefinition]:
    """Blocking checks of decisions: an empty set stops what is downstream."""
    return [_not_empty(name, by) for name in [*WITH_KEPT, "sft_dataset"]]


def _not_empty(name: str, by: Partitions) -> dg.AssetChecksDefinition:
    @dg.asset_check(name="not_empty", asset=name, blocking=True, partitions_def=by.recipes)
    def not_empty(table: pl.LazyFrame) -> dg.AssetCheckResult:
        """At least one row is kept."""
        rows = table.filter("kept") if name in WITH_KEPT else table
        kept = rows.select(pl.len()).collect().item()
        return dg.AssetCheckResult(passed=kept > 0, metadata={"kept": kept})

    return not_empty


@check("question_labels", "shards")
def label_parse_rate(question_labels: pl.DataFrame) -> dg.AssetCheckResult:
    """The labeler's answers can be read."""
    unread = question_labels.filter(pl.col("category") == UNLABELLED).height
    rate = 1 - unread / max(question_labels.height, 1)
    return dg.AssetCheckResult(
        passed=rate >= MIN_LABEL_PARSE_RATE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"parse_rate": rate, "threshold": MIN_LABEL_PARSE_RATE},
    )


@check("similar_pairs", "shards")
def pair_recall(context: dg.AssetCheckExecutionContext, here: Project) -> dg.AssetCheckResult:
    """Of a sample of questions, the pairs that comparing with all others finds are listed."""
    least = here.instruments.pairs.min_recall
    record = context.instance.get_latest_data_version_record(dg.AssetKey("similar_pairs"), False, context.partition_key)
    assert record is not None and record.asset_materialization is not None  # a check follows its materialization
    recall = record.asset_materialization.metadata["audited_recall"].value
    return dg.AssetCheckResult(
        passed=recall >= least,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"recall": recall, "threshold": least},
    )


@check(
    "sft_dataset",
    "recipes",
    blocking=True,
    additional_ins={"sampling_policy": dg.AssetIn(), "selected_questions": dg.AssetIn()},
)
def no_contamination(
    sft_dataset: pl.LazyFrame,
    sampling_policy: pl.DataFrame,
    selected_questions: pl.LazyFrame,
    tables: dg.ResourceParam[StoredTables],
) -> dg.AssetCheckResult:
    """No question of the dataset matches a benchmark item under the recipe's own rules. A question that is no longer
    selected leaves the dataset with the next materialization."""
    rules = read_policy(SamplingPolicy, sampling_policy).decontamination
    if not rules.benchmarks:
        return dg.AssetCheckResult(passed=True, metadata={"benchmarks": []})
    # Dagster maps no partitions between a check and what it reads beside its asset: the tables are read by name.
    overlaps = [
        tables.read("benchmark_overlap", name).with_columns(benchmark=pl.lit(name)) for name in rules.benchmarks
    ]
    asked = selected_questions.filter("kept").select("question_id").collect()
    released = sft_dataset.select("question_id").collect().join(asked, on="question_id", how="semi")
    left = contaminated(pl.concat(overlaps), rules).join(released, on="question_id", how="semi")
    return dg.AssetCheckResult(
        passed=left.is_empty(), metadata={"contaminated_rows": left.height, "benchmarks": rules.benchmarks}
    )
