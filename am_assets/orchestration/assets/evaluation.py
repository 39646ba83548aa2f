"""Assets of evaluation: benchmarks, answers of the student before and after training, scores, and the report."""

import json
from pathlib import Path

import dagster as dg
import polars as pl

from am_assets.config.recipe import EvaluationPolicy
from am_assets.datasets import benchmarks as benchmark_files
from am_assets.distillation import parts
from am_assets.engines import plots
from am_assets.engines.models import answering, student
from am_assets.evaluation import distributions, examples, page, paper, report, scores
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import benchmark_entry
from am_assets.orchestration.partitions import along, every
from am_assets.orchestration.resources import Answers
from am_assets.orchestration.tables import picture, sample, stored_metadata
from am_assets.storage.atomic import write_whole
from am_assets.storage.memo import with_keys
from am_assets.storage.schemas import BenchmarkQuestions, BenchmarkVerdicts
from am_assets.storage.stored import read_policy
from am_assets.verification import jobs
from am_assets.verification.figures import BY, pass_rates
from am_assets.verification.verifiers import VERIFIERS, module_of
from am_assets.verification.verifiers.base import UNREACHED, fill, without_sandbox

# The verifiers of what items of benchmarks have.
OF_ITEMS = [verifier for verifier in VERIFIERS.values() if verifier.against in BenchmarkQuestions.column_names()]


@tables.evidence("evaluation", "benchmarks", reads=Reads((benchmark_files,), entry=benchmark_entry))
def benchmark_questions(context: dg.AssetExecutionContext, here: Declared) -> pl.DataFrame:
    """The items of one benchmark in canonical form."""
    name = context.partition_key
    return benchmark_files.read_benchmark(name, here.benchmark(name), here.data)


@tables.evidence(
    "evaluation",
    "recipe_benchmarks",
    pool="gpu",
    ins={
        "evaluation_policy": along("recipe"),
        "sft_checkpoint": along("recipe"),
        "benchmark_questions": along("benchmark"),
    },
    reads=Reads((student,)),
)
def benchmark_responses(
    here: Declared,
    evaluation_policy: pl.DataFrame,
    sft_checkpoint: pl.DataFrame,
    benchmark_questions: pl.DataFrame,
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """Answers of the untrained and the trained student to the benchmark, k samples per item. Generations are memoized
    by the content of the weights, so recipes share those of the untrained student."""
    policy = read_policy(EvaluationPolicy, evaluation_policy)
    trained = sft_checkpoint.row(0, named=True)
    folders = {
        "untrained": student.student_folder(trained["student"], here.models),
        "trained": here.assets / trained["path"],
    }
    prompts = _prompts(benchmark_questions, policy)
    wanted = pl.concat(
        with_keys(
            prompts, "messages", "seed", identity=[student.weights_sha256(folder), policy.sampling()]
        ).with_columns(student=pl.lit(name), folder=pl.lit(str(folder)))
        for name, folder in folders.items()
    )

    def generate(missing: pl.DataFrame):
        endpoints, room = here.endpoints_of_student(trained["student"]), answers.memo.has_room
        for (folder,), rows in missing.group_by("folder", maintain_order=True):
            asked = rows.select("key", "messages", "seed")
            yield from answering.answers(
                trained["student"], Path(str(folder)), asked, endpoints, **policy.sampling(), may_store=room
            )

    filled = answers.fill("generations", wanted, generate, student.GENERATION)
    table = filled.table.sort("student", "item_id", "sample_index")
    engines = filled.table["engine"].fill_null(student.IN_PROCESS).value_counts().sort("engine").rows()
    return table, {
        "generated": filled.new.height,
        "reused": table.height - filled.new.height,
        "engines": ", ".join(f"{engine}: {count}" for engine, count in engines),
    }


def _prompts(items: pl.DataFrame, policy: EvaluationPolicy) -> pl.DataFrame:
    """One row per wanted answer: item_id, sample_index, messages, seed."""
    system = [{"role": "system", "content": policy.system_prompt}] if policy.system_prompt else []
    messages = [
        json.dumps([*system, {"role": "user", "content": question}], ensure_ascii=False)
        for question in items["question"]
    ]
    indices = pl.DataFrame({"sample_index": range(policy.samples)}, schema={"sample_index": pl.UInt16})
    prompts = items.select("item_id", pl.Series("messages", messages, dtype=pl.String)).join(indices, how="cross")
    return prompts.with_columns(seed=pl.col("sample_index").cast(pl.Int64) + policy.seed)


@tables.evidence(
    "evaluation",
    "recipe_benchmarks",
    pool="sandbox",
    ins={"benchmark_questions": along("benchmark")},
    reads=Reads(
        (parts, *(module_of(verifier) for verifier in OF_ITEMS)),
        tuple(path for verifier in OF_ITEMS for path in verifier.instruments()),
    ),
    unfinished=without_sandbox,
)
def benchmark_verdicts(
    here: Declared,
    benchmark_responses: pl.DataFrame,
    benchmark_questions: pl.DataFrame,
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """Verdicts on the student's answers by the verifiers that check the teacher: tests, else the reference answer, and
    constraints; of two the worse counts. An answer without think and answer parts is checked as a whole, so that the
    untrained student is not marked down for a format it never saw."""
    given = benchmark_responses.with_columns(
        response_id=pl.format("{}/{}/{}", pl.col("student").cast(pl.String), "item_id", "sample_index"),
        question_id="item_id",
    )
    read = parts.split(given).select("response_id", "answer", "well_formed")
    judged = given.join(read, on="response_id").join(benchmark_questions, on="item_id")
    judged = judged.with_columns(answer=pl.coalesce("answer", "response"))
    nothing = [name for name in jobs.AGAINST if name not in judged.columns]
    judged = judged.with_columns(pl.lit(None, pl.String).alias(name) for name in nothing)
    filled = []
    for verifier in OF_ITEMS:
        limits = getattr(here.instruments, verifier.section)
        filled.append(fill(verifier, jobs.jobs(verifier, judged, limits), limits, answers.fill))
    columns = BenchmarkVerdicts.column_names()
    table = pl.concat([one.table.select(columns) for one in filled], how="vertical_relaxed")
    order = pl.col("verdict").cast(pl.String).replace_strict({"fail": 0, "unverifiable": 1, "pass": 2})
    answer = ["student", "item_id", "sample_index"]
    worst = table.sort(*answer, order, "reason").unique(answer, keep="first", maintain_order=True)
    return worst, {
        "verified": sum(one.new for one in filled),
        UNREACHED: sum(one.unreached for one in filled),
    }


@tables.decision("evaluation", "recipe_benchmarks", reads=Reads((scores,)))
def eval_scores(benchmark_verdicts: pl.DataFrame) -> tuple[pl.DataFrame, dict]:
    """pass@1 over k samples with a bootstrap interval over the questions, and the share of well-formed answers."""
    table = scores.score_table(benchmark_verdicts)
    intervals = plots.intervals_png(table, "student", "ci_low", "pass_at_1", "ci_high", "pass@1, 95 % interval")
    rates = {f"{row['student']}_pass_at_1": row["pass_at_1"] for row in table.to_dicts()}
    return table, {**rates, "intervals": tables.picture(intervals)}


@tables.decision(
    "evaluation",
    "recipes",
    ins={
        "raw_pool": every("shard"),
        "responses": every("shard"),
        "evaluation_policy": every("recipe", optional=True, mapping=dg.IdentityPartitionMapping()),
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
    eval_scores: pl.DataFrame,
) -> tuple[pl.DataFrame, dict]:
    """The funnel from input rows to released rows. Beside this table lies the recipe's page, one HTML file: drop
    reasons, mix, lengths, pass rates, other thresholds, costs, scores and sampled rows, with the paper's figures."""
    recipe = context.partition_key
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
        kept=examples.kept_rows(examples.sampled(released), sft_dataset),
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
