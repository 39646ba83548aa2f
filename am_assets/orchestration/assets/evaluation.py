"""Assets of evaluation: benchmarks, answers of the student before and after training, scores, and the report."""

from pathlib import Path

import dagster as dg
import polars as pl

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.datasets import benchmarks as benchmark_files
from am_assets.datasets.checks import HAS_REFERENCE
from am_assets.distillation import parts
from am_assets.engines import plots
from am_assets.engines.models import answering, student
from am_assets.evaluation import (
    asking,
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
from am_assets.orchestration.assets.verification import MATH, Comparisons
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import benchmark_entry
from am_assets.orchestration.partitions import along, every, recipe_and_benchmark
from am_assets.orchestration.resources import Answers
from am_assets.orchestration.tables import picture, sample, stored_metadata
from am_assets.runtime import kept
from am_assets.storage.atomic import write_whole
from am_assets.storage.memo import with_keys
from am_assets.storage.schemas import BenchmarkQuestions, BenchmarkVerdicts
from am_assets.storage.stored import read_policy
from am_assets.verification import consensus, jobs
from am_assets.verification.figures import BY, pass_rates
from am_assets.verification.mathematics.multiple_choice import letters as option_letters
from am_assets.verification.mathematics.normalization import normalize
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
    reads=Reads((asking, student)),
)
def benchmark_responses(
    context: dg.AssetExecutionContext,
    here: Declared,
    evaluation_policy: pl.DataFrame,
    sft_checkpoint: pl.DataFrame,
    benchmark_questions: pl.DataFrame,
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """Answers of the untrained and the trained student to the benchmark, k samples per item. Generations are memoized
    by the content of the weights, so recipes share those of the untrained student."""
    _, benchmark = recipe_and_benchmark(context.partition_key)
    policy = read_policy(EvaluationPolicy, evaluation_policy).of(benchmark)
    trained = sft_checkpoint.row(0, named=True)
    folders = {
        "untrained": student.student_folder(trained["student"], here.models),
        "trained": here.assets / trained["path"],
    }
    prompts = asking.prompts(benchmark_questions, policy)
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


@tables.evidence(
    "evaluation",
    "recipe_benchmarks",
    pool="sandbox",
    ins={"benchmark_questions": along("benchmark")},
    reads=Reads(
        (asking, parts, *(module_of(verifier) for verifier in OF_ITEMS)),
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
    constraints; of two the worse counts. Programs run within the limits of the benchmark, where it has its own. An
    answer without think and answer parts is checked as a whole, so that the untrained student is not marked down for a
    format it never saw."""
    given = benchmark_responses.with_columns(
        response_id=pl.format("{}/{}/{}", pl.col("student").cast(pl.String), "item_id", "sample_index"),
        question_id="item_id",
    )
    read = parts.split(given).select("response_id", "answer", "well_formed")
    judged = given.join(read, on="response_id").join(benchmark_questions, on="item_id")
    judged = asking.compared(judged.with_columns(answer=pl.coalesce("answer", "response")))
    nothing = [name for name in jobs.AGAINST if name not in judged.columns]
    judged = judged.with_columns(pl.lit(None, pl.String).alias(name) for name in nothing)
    filled = []
    for verifier in OF_ITEMS:
        limits = asking.limits(getattr(here.instruments, verifier.section), benchmark_questions)
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


@tables.evidence(
    "evaluation",
    "recipe_benchmarks",
    pool=MATH.pool,
    ins={"benchmark_questions": along("benchmark")},
    reads=Reads((parts, consensus, module_of(MATH)), MATH.instruments()),
)
def benchmark_consensus(
    here: Declared,
    benchmark_responses: pl.DataFrame,
    benchmark_questions: pl.DataFrame,
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """Of a student's answers to an item with a reference, those that state the same result, by the verifier of math:
    what a majority is counted by. Items with tests have none, nor has a single answer, nor have letters of options,
    which may stand for another option in each sample."""
    student_item = pl.format("{}/{}", pl.col("student").cast(pl.String), "item_id")
    rows = benchmark_responses.with_columns(question_id=student_item)
    rows = rows.with_columns(response_id=pl.format("{}/{}", "question_id", "sample_index"))
    read = rows.join(parts.split(rows).select("response_id", "answer"), on="response_id")
    read = read.with_columns(answer=pl.coalesce("answer", "response"))
    letters = [bool(option_letters(normalize(said or ""))) for said in benchmark_questions["reference_answer"]]
    items = benchmark_questions.filter(HAS_REFERENCE & ~pl.Series(letters)).select("item_id", "test_cases")
    asked = rows.select("item_id", "question_id").unique().join(items, on="item_id")
    compared = Comparisons(MATH, here.instruments.math, answers)
    with kept.keep_open():
        told = consensus.consensus(consensus.answers_to_compare(read.lazy(), asked.lazy()), compared.equal)
    table = told.select("response_id", "result", "equal_to").join(rows, on="response_id")
    return table.sort("student", "item_id", "sample_index"), {"compared": compared.noted()}


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
    intervals = plots.intervals_png(
        students, "who", "ci_low", "value", "ci_high", "pass@1, 95 % interval over questions"
    )
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
