"""Assets of evaluation: benchmarks, answers of the student before and after training, scores, and the report."""

from pathlib import Path

import dagster as dg
import polars as pl

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.datasets import benchmarks as benchmark_files
from am_assets.datasets.checks import HAS_REFERENCE
from am_assets.datasets.options import letters as option_letters
from am_assets.distillation import parts
from am_assets.engines.models import answering, student
from am_assets.evaluation import asking
from am_assets.orchestration import tables
from am_assets.orchestration.assets.verification import MATH, Comparisons
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import benchmark_entry
from am_assets.orchestration.partitions import along, recipe_and_benchmark
from am_assets.orchestration.resources import Answers
from am_assets.runtime import kept
from am_assets.storage.copies import of
from am_assets.storage.memo import with_keys
from am_assets.storage.schemas import BenchmarkQuestions, BenchmarkVerdicts
from am_assets.storage.stored import read_policy
from am_assets.verification import consensus, jobs
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
    of(here.assets).folder_here(folders["trained"])
    prompts = asking.prompts(benchmark_questions, policy)
    wanted = pl.concat(
        with_keys(
            prompts, "messages", "seed", identity=[student.weights_sha256(folder), policy.sampling()]
        ).with_columns(student=pl.lit(name), folder=pl.lit(str(folder)))
        for name, folder in folders.items()
    )

    def generate(missing: pl.DataFrame):
        endpoints = here.endpoints_of_student(trained["student"])
        for (folder,), rows in missing.group_by("folder", maintain_order=True):
            yield from answering.answers(
                trained["student"],
                Path(str(folder)),
                rows.select("key", "messages", "seed"),
                endpoints,
                **policy.sampling(),
                refused=answers.memo.refused,
                database=answers.database,
                places=answers.places,
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
    what a majority is counted by. Of options that stand in another order in each sample, the one that is named. Items
    with tests have none, nor has a single answer."""
    student_item = pl.format("{}/{}", pl.col("student").cast(pl.String), "item_id")
    rows = benchmark_responses.with_columns(question_id=student_item)
    rows = rows.with_columns(response_id=pl.format("{}/{}", "question_id", "sample_index"))
    items = benchmark_questions.filter(HAS_REFERENCE).drop("question")
    read = rows.join(parts.split(rows).select("response_id", "answer"), on="response_id").join(items, on="item_id")
    read = asking.compared(read.with_columns(answer=pl.coalesce("answer", "response")))
    shown = pl.col("options").is_not_null()
    compared = Comparisons(MATH, here.instruments.math, answers)
    written = read.filter(~shown).lazy()
    with kept.keep_open():
        told = consensus.consensus(consensus.answers_to_compare(written, written), compared.equal)
    told = pl.concat(
        [
            told.select("response_id", "result", "equal_to"),
            asking.chosen(read.filter(shown, pl.len().over("question_id") > 1), _said),
        ]
    )
    table = told.join(rows, on="response_id")
    return table.sort("student", "item_id", "sample_index"), {"compared": compared.noted()}


def _said(answer: str) -> str | None:
    """The letter of the option that an answer states, or what else it states."""
    said = consensus.result_of(answer)
    letters = option_letters(normalize(said)) if said else None
    return next(iter(letters)) if letters and len(letters) == 1 else said
