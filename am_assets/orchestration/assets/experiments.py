"""Assets of experiments: scores question by question, by which students are compared, and an experiment's report."""

import dagster as dg
import polars as pl

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.engines import plots
from am_assets.evaluation import bootstrap, experiments, paired, report, scores, touched
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import experiment_entry
from am_assets.orchestration.partitions import every
from am_assets.orchestration.samples import sample
from am_assets.orchestration.tables import picture
from am_assets.storage.stored import StoredTables, read_policy

_OF_VARIANTS = ["sft_dataset", "verified_set", "sft_checkpoint", "question_scores"]
_OF_RECIPE = every("partition", optional=True, mapping=dg.MultiToSingleDimensionPartitionMapping("recipe"))


@tables.decision(
    "experiments",
    "recipes",
    ins={name: _OF_RECIPE for name in ("benchmark_verdicts", "benchmark_responses", "touched_items")},
    reads=Reads((scores, touched)),
)
def question_scores(
    evaluation_policy: pl.DataFrame,
    benchmark_verdicts: pl.DataFrame,
    benchmark_responses: pl.DataFrame,
    touched_items: pl.DataFrame,
) -> pl.DataFrame:
    """How much of each benchmark question the students of a recipe solve, over all its benchmarks, and which of them
    its released rows touch: what two recipes' students are compared by."""
    policy = read_policy(EvaluationPolicy, evaluation_policy)
    verdicts, responses, items = (
        table.with_columns(benchmark=pl.col("partition").str.split("|").list.first()).filter(
            pl.col("benchmark").is_in(policy.benchmarks)
        )
        for table in (benchmark_verdicts, benchmark_responses, touched_items)
    )
    by_benchmark = {name: touched.touched(items.filter(benchmark=name), policy.touched) for name in policy.benchmarks}
    return scores.question_scores(verdicts, responses, by_benchmark)


@tables.decision(
    "experiments",
    "experiments",
    ins={"responses": every("shard")},
    deps=lambda by: [dg.AssetDep(name, partition_mapping=by.variants) for name in _OF_VARIANTS],
    reads=Reads((experiments, report, bootstrap, paired), entry=experiment_entry),
)
def experiment_report(
    context: dg.AssetExecutionContext,
    here: Declared,
    responses: pl.LazyFrame,
    tables: dg.ResourceParam[StoredTables],
) -> tuple[pl.DataFrame, dict]:
    """What the variants of an experiment came to, rows, mix, cost and scores, how the student of each compares with
    that of the first, question by question, and what can be concluded of it. Made when `am experiment` is asked for it,
    and by nothing else."""
    experiment = here.experiment(context.partition_key)
    variants = []
    for name, key in experiment.keys(context.partition_key).items():
        released, verified, checkpoint, answered = (tables.read(table, key) for table in _OF_VARIANTS)
        variants.append(experiments.Variant(name, released, verified, checkpoint.row(0, named=True), answered))
    costs = responses.select("response_id", "completion_tokens", "cost").collect()
    table = experiments.experiment_report(variants, costs)
    scored = table.filter(part="score").with_columns(who=pl.format("{}, {}", "variant", "name"))
    pictures = {
        "scores": plots.intervals_png(scored, "pass@1, 95 % over questions"),
        "rows": plots.bar_chart_png(
            table.filter(part="rows", name="released"), "variant", "value", "Rows that were released"
        ),
    }
    return table, {
        "question": experiment.question,
        "conclusion": experiments.conclusion(table),
        **{name: picture(png) for name, png in pictures.items()},
        "report": sample(table, rows=table.height, width=200),
    }
