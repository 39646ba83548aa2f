"""Assets of evaluation that rest on verdicts: items that training touched, scores, and the report."""

import dagster as dg
import polars as pl

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.engines import plots
from am_assets.evaluation import (
    bootstrap,
    distributions,
    examples,
    page,
    paired,
    paper,
    report,
    scores,
    touched,
)
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.partitions import along, every
from am_assets.orchestration.samples import sample
from am_assets.orchestration.tables import picture, stored_metadata
from am_assets.storage.atomic import write_whole
from am_assets.storage.copies import of
from am_assets.storage.stored import read_policy
from am_assets.training import rows
from am_assets.verification.figures import BY, pass_rates


@tables.evidence(
    "evaluation",
    "recipe_benchmarks",
    pool="gpu",  # it uses none: it tells of the rows that the student was trained on, so nothing but training moves it
    ins={"sft_dataset": along("recipe"), "benchmark_hits": along("benchmark")},
    deps=lambda _: [
        dg.AssetDep("sft_checkpoint", partition_mapping=dg.MultiToSingleDimensionPartitionMapping("recipe"))
    ],
    reads=Reads((touched,)),
)
def touched_items(sft_dataset: pl.LazyFrame, benchmark_hits: pl.LazyFrame) -> pl.DataFrame:
    """The items of the benchmark that rows touch which the student was trained on, and how closely by each measure.
    From where on that counts is the recipe's."""
    return touched.touching(benchmark_hits, sft_dataset)


@tables.decision(
    "evaluation",
    "recipe_benchmarks",
    ins={"evaluation_policy": along("recipe")},
    reads=Reads((scores, bootstrap, paired, touched)),
)
def eval_scores(
    evaluation_policy: pl.DataFrame,
    benchmark_responses: pl.DataFrame,
    benchmark_verdicts: pl.DataFrame,
    benchmark_consensus: pl.DataFrame,
    touched_items: pl.DataFrame,
) -> tuple[pl.DataFrame, dict]:
    """pass@k and maj@k of each student, shares of answers that were cut off, malformed or unverifiable, and their
    length, each with an interval over questions; what the trained student gained; and the whole again without items
    that the rows it was trained on touch."""
    questions = scores.per_question(benchmark_verdicts, benchmark_responses, benchmark_consensus)
    left_out = touched.touched(touched_items, read_policy(EvaluationPolicy, evaluation_policy).touched)
    table = scores.score_table(questions, left_out)
    rows = table.filter(pl.col("metric") == scores.SCORE).with_columns(
        who=pl.format("{}, {} items", "student", "items")
    )
    rates = {f"{row['student']}_pass_at_1": row["value"] for row in rows.filter(items="all").to_dicts()}
    students = rows.filter(pl.col("student") != scores.GAIN)
    intervals = plots.intervals_png(students, "pass@1, 95 % interval over questions")
    gained = scores.gain(table)
    told = {"gained": paired.sentence(gained, *scores.STUDENTS.categories)} if gained else {}
    return table, {
        **rates,
        **told,
        "touched": len(left_out),
        "intervals": tables.picture(intervals),
        "scores": sample(table, rows=table.height),
    }


@tables.decision(
    "evaluation",
    "recipes",
    ins={
        "raw_pool": every("shard"),
        "responses": every("shard"),
        "evaluation_policy": every("recipe", optional=True, mapping=dg.IdentityPartitionMapping()),
        "training_log": every("recipe", optional=True, mapping=dg.IdentityPartitionMapping()),
        "eval_scores": every("partition", optional=True, mapping=dg.MultiToSingleDimensionPartitionMapping("recipe")),
    },
    reads=Reads((report, page)),
)
def recipe_report(
    context: dg.AssetExecutionContext,
    here: Declared,
    evaluation_policy: pl.DataFrame,
    deduped_set: pl.DataFrame,
    selected_questions: pl.DataFrame,
    verified_set: pl.DataFrame,
    sft_dataset: pl.LazyFrame,
    raw_pool: pl.LazyFrame,
    responses: pl.LazyFrame,
    training_log: pl.DataFrame,
    eval_scores: pl.DataFrame,
) -> tuple[pl.DataFrame, dict]:
    """The funnel from input rows to released rows. Beside this table lies the recipe's page, one HTML file: drop
    reasons, mix, lengths, pass rates, other thresholds, costs, scores and sampled rows, with the paper's figures."""
    recipe = context.partition_key
    release = here.assets / "sft_dataset" / recipe
    of(release).folder_here(release)
    released = distributions.released(sft_dataset)
    table = report.funnel(deduped_set, selected_questions, verified_set, released)
    curve, mark = (stored_metadata(context, "deduped_set", recipe, name) for name in ("curve", "threshold"))
    named = eval_scores.with_columns(benchmark=pl.col("partition").str.split("|").list.first())
    if evaluation_policy.height:  # else there are no scores either
        policy = read_policy(EvaluationPolicy, evaluation_policy)
        named = named.filter(pl.col("benchmark").is_in(policy.benchmarks))
    found = page.Findings(
        funnel=table,
        released=released,
        origins=verified_set.filter("kept")["origin"],
        pass_rate=pass_rates(verified_set, [])["pass_rate"].item(),
        rates={by: pass_rates(verified_set, [by]) for by in BY},
        costs=report.teacher_costs(
            responses.select("response_id", "completion_tokens", "cost").collect(), verified_set
        ),
        scores=named,
        dedup_curve=[(float(threshold), kept) for threshold, kept in (curve or {}).items()],
        dedup_mark=mark,
        reward_curve=report.reward_curve(verified_set),
        reward_mark=stored_metadata(context, "verified_set", recipe, "min_reward"),
        loss_curve=report.loss_curve(training_log),
        kept=examples.kept_rows(examples.sampled(released), rows.with_texts(sft_dataset, release)),
        dropped_questions=examples.dropped_questions(deduped_set, selected_questions, raw_pool),
        dropped_responses=examples.dropped_responses(verified_set, responses, raw_pool),
    )
    path = here.assets / "recipe_report" / f"{recipe}.html"
    write_whole(path, page.page(recipe, found))
    return table, {
        "headline": found.headline,
        "page": dg.MetadataValue.path(str(path)),
        "paper": dg.MetadataValue.url(paper.URL),
        "summary": picture(page.summary_png(recipe, found)),
        "funnel": sample(table, rows=table.height),
    }
