"""Assets of distillation: requests to teachers, their responses, and features of the responses."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

import dagster as dg
import polars as pl

from am_assets.config.recipe import TeacherPolicy
from am_assets.datasets.checks import HAS_REFERENCE, HAS_TESTS
from am_assets.datasets.exclusions import without
from am_assets.datasets.published import published, response_ids
from am_assets.distillation import parts, prompts, traces
from am_assets.engines import plots
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import recipes_that_select, verifying
from am_assets.orchestration.partitions import every
from am_assets.orchestration.resources import Answers
from am_assets.orchestration.rounds import as_responses, in_rounds
from am_assets.orchestration.usage import usage
from am_assets.storage.stored import read_policy
from am_assets.storage.streams import Stored, Stream
from am_assets.verification.verifiers.base import UNREACHED, without_sandbox

SOUND = pl.col("defect").is_null()
ALL_RECIPES = every("recipe", skip_missing=True)


@tables.decision(
    "distillation",
    "shards",
    ins={"selected_questions": ALL_RECIPES, "teacher_policy": ALL_RECIPES},
    reads=Reads((prompts,), entry=recipes_that_select),
)
def teacher_requests(
    context: dg.AssetExecutionContext,
    raw_pool: pl.DataFrame,
    selected_questions: pl.LazyFrame,
    teacher_policy: pl.DataFrame,
) -> tuple[pl.DataFrame, dict]:
    """Requests of all recipes about this shard: one row per wanted answer, with the recipes that want it. Between the
    recipes and `responses`, it keeps a shard fresh whose requests did not change when those of another did."""
    chosen = selected_questions.filter(pl.col("kept") & (pl.col("shard") == context.partition_key))
    checks = raw_pool.select("question_id", "question", has_reference=HAS_REFERENCE, has_tests=HAS_TESTS)
    wanted = chosen.select("recipe", "question_id", "samples").collect().join(checks, on="question_id")
    policies = dict(teacher_policy.group_by("recipe"))
    requests = [
        prompts.requests_table(rows.drop("recipe"), read_policy(TeacherPolicy, policies[(recipe,)])).with_columns(
            recipe=pl.lit(recipe)
        )
        for (recipe,), rows in wanted.group_by("recipe", maintain_order=True)
        if (recipe,) in policies
    ]
    if not requests:
        return tables.empty("teacher_requests"), {}
    union = pl.concat(requests)
    table = union.group_by(pl.all().exclude("recipe")).agg(recipes=pl.col("recipe").sort()).sort("request_key", "after")
    return table, {"by_teacher": dict(table["teacher"].value_counts(sort=True).rows())}


@tables.evidence(
    "distillation",
    "shards",
    pool="teacher",
    reads=Reads((parts, prompts), facts=("exclusions",), entry=verifying),
    unfinished=lambda made, recipes: prompts.unasked(made, recipes) or without_sandbox(made, recipes),
)
def responses(
    raw_pool: Stored, teacher_requests: pl.LazyFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[Stream, dict]:
    """Teacher generations for the questions that any recipe selected, and the published responses of the shard. A
    stored response is never requested again. A response truncated by its token limit is kept like any other; where a
    policy allows a further try at a higher limit, both are here. An excluded response is here without its text. A run
    for some recipes leaves out unanswered requests that only others want, and records how many. Where a recipe samples
    until an answer passes, answers are verified here as their verdicts are below, through the same memo."""
    filled, unasked, unreached = in_rounds(teacher_requests, raw_pool.lazy(), here, answers)

    def rows() -> Iterator[pl.DataFrame]:
        for frame in chain(as_responses(filled.table, answers), _published(raw_pool)):
            kept = without(frame, here.exclusions)
            yield kept.with_columns(response_ids(kept))

    given = raw_pool.lazy().filter(SOUND).select(pl.col("published").list.len().sum()).collect().item()
    lengths = plots.histogram_png(filled.table["completion_tokens"], "Tokens of the teacher's responses")
    return Stream(rows(), unsorted=True), {
        **usage(filled),
        **({UNREACHED: unreached} if unreached else {}),
        prompts.UNASKED: dict(unasked.explode("recipes")["recipes"].value_counts(sort=True).rows()),
        "published": given,
        "distilled": filled.table.height,
        "tokens": tables.picture(lengths),
    }


def _published(raw_pool: Stored) -> Iterator[pl.DataFrame]:
    for questions in raw_pool.batches(["question_id", "published", "defect"]):
        yield published(questions.filter(SOUND)).with_columns(
            prompt_tokens=pl.lit(0), completion_tokens=pl.lit(0), cost=pl.lit(0.0)
        )


@tables.evidence("distillation", "shards", reads=Reads((parts, traces)))
def response_features(responses: Stored, raw_pool: Stored) -> Stream:
    """The answer part, format validity, repetition, truncation, languages, and overlap of the answer with its question.
    Raw rates without thresholds: those are the recipe's. The think part is read from the response where it is shown."""
    questions = raw_pool.mapped(["question_id", "question"])
    templates: Counter[str | None] = Counter()

    def rows() -> Iterator[pl.DataFrame]:
        for batch in responses.batches(["response_id", "question_id", "response", "finish_reason"]):
            table = traces.response_features(batch.join(questions, on="question_id", how="left"))
            templates.update(table["template"].cast(pl.String))
            yield table

    return Stream(rows(), lambda: {"templates": dict(templates.most_common())})
