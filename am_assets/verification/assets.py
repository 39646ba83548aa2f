"""Verification as assets: verdicts and scores measure, `verified_set` decides which responses stay."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from am_assets import tables
from am_assets.engines.memo import with_keys
from am_assets.instruments import Math, Opinion
from am_assets.partitions import every, recipes, shards
from am_assets.policies import read_policy
from am_assets.project import project
from am_assets.recipe import TeacherPolicy, VerificationPolicy
from am_assets.resources import Answers, spent
from am_assets.verification import code, decide, math, opinion, reward

_instruments = project().instruments
HAS_REFERENCE = pl.col("reference_answer").is_not_null()
HAS_TESTS = pl.col("test_cases").is_not_null()
NOBODY = pl.DataFrame(schema=dict.fromkeys(["response_id", "model", "text"], pl.String))


def _answers_with_checks(response_features: pl.DataFrame, raw_pool: pl.DataFrame) -> pl.DataFrame:
    checks = raw_pool.select("question_id", "question", "reference_answer", "test_cases")
    return response_features.select("response_id", "question_id", "answer", "well_formed").join(
        checks, on="question_id"
    )


@tables.evidence("verification", shards, code_version=tables.version(_instruments.math, math.VERIFIER, opinion.VERSION))
def math_verdicts(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Is the final answer the reference answer? For responses to questions with a reference and no tests; by
    math-verify, and beside it by a language model where the instruments have one asked."""
    limits = _instruments.math
    jobs = math_jobs(response_features, raw_pool, limits)
    filled = answers.fill("math", jobs, lambda missing: math.verify(missing, limits), math.MEASURED)
    table, said = _with_opinions(filled.table.sort("response_id"), limits.opinion, answers)
    return table, _verdict_counts(table) | {"verified": filled.new.height} | said


def math_jobs(response_features: pl.DataFrame, raw_pool: pl.DataFrame, limits: Math) -> pl.DataFrame:
    """The answers that a reference judges, with the key of each verdict."""
    wanted = _answers_with_checks(response_features, raw_pool).filter(HAS_REFERENCE & ~HAS_TESTS)
    return math.with_job_keys(wanted.rename({"reference_answer": "reference"}).drop("test_cases"), limits)


def _with_opinions(table: pl.DataFrame, instrument: Opinion | None, answers: Answers) -> tuple[pl.DataFrame, dict]:
    """The verdicts with what a model says of them, where the instruments name one."""
    if instrument is None:
        return opinion.opinions(table, NOBODY), {}
    filled = answers.get("opinions", opinion.requests(opinion.asked(table, instrument), instrument))
    return opinion.opinions(table, filled.table.select("response_id", "model", "text")), spent(filled)


@tables.evidence("verification", shards, code_version=tables.version(_instruments.code, code.VERIFIER))
def code_verdicts(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Does the program pass its tests in the sandbox? For responses to questions with tests. A verdict that the
    sandbox could not reach is `unverifiable` and not remembered: the next run tries those rows again."""
    limits = _instruments.code
    wanted = _answers_with_checks(response_features, raw_pool).filter(HAS_TESTS)
    jobs = with_keys(
        wanted.select("response_id", "question_id", "answer", "test_cases"),
        "answer",
        "test_cases",
        identity=[code.VERIFIER, limits.model_dump()],
    )
    unreached: list[pl.DataFrame] = []

    def run_tests(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for verdicts in code.verify(missing, limits):
            lasting = ~pl.col("reason").str.starts_with(code.RETRY_REASON_PREFIX)
            unreached.append(verdicts.filter(~lasting))
            yield verdicts.filter(lasting)

    filled = answers.fill("code", jobs, run_tests, code.MEASURED)
    again = jobs.join(pl.concat(unreached), on="key") if unreached else filled.table.clear()
    table = pl.concat([filled.table, again], how="diagonal_relaxed").sort("response_id")
    return table, _verdict_counts(table) | {"executed": filled.new.height}


def to_judge(response_features: pl.DataFrame, raw_pool: pl.DataFrame) -> pl.DataFrame:
    return _answers_with_checks(response_features, raw_pool).filter(~HAS_REFERENCE & ~HAS_TESTS & pl.col("well_formed"))


@tables.evidence("verification", shards, code_version=tables.version(_instruments.reward, reward.VERSION))
def reward_scores(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Five dimensions by a judge, on the answer part alone, for responses that no reference and no tests can check."""
    instrument = _instruments.reward
    judged = to_judge(response_features, raw_pool)
    filled = answers.get("rewards", reward.judge_requests(judged, instrument.model, instrument.max_tokens))
    table = reward.reward_table(filled.table.select("response_id", "question_id", "text"), instrument.model)
    return table, spent(filled)


@tables.decision(
    "verification",
    recipes,
    ins={
        name: every("shard")
        for name in (
            "raw_pool", "teacher_requests", "responses", "response_features",
            "math_verdicts", "code_verdicts", "reward_scores",
        )
    },
)  # fmt: skip
def verified_set(
    context: dg.AssetExecutionContext,
    verification_policy: pl.DataFrame,
    teacher_policy: pl.DataFrame,
    selected_questions: pl.LazyFrame,
    raw_pool: pl.LazyFrame,
    teacher_requests: pl.LazyFrame,
    responses: pl.LazyFrame,
    response_features: pl.LazyFrame,
    math_verdicts: pl.LazyFrame,
    code_verdicts: pl.LazyFrame,
    reward_scores: pl.LazyFrame,
) -> tuple[pl.DataFrame, dict]:
    """Every candidate response of the recipe, kept or dropped with the reason. Candidates are the answers to this
    recipe's own requests and, where its teacher policy says so, the published responses."""
    teacher = read_policy(TeacherPolicy, teacher_policy)
    policy = read_policy(VerificationPolicy, verification_policy)
    at = ["question_id", "shard"]
    distilled = responses.filter(pl.col("origin") == "distilled")
    cut = distilled.filter(pl.col("finish_reason") == "length").select("request_key")
    asked = teacher_requests.filter(pl.col("recipes").list.contains(context.partition_key))
    further = asked.join(cut, left_on="after", right_on="request_key", how="semi")
    wanted = pl.concat([asked.filter(pl.col("after") == ""), further]).select("request_key")
    own = distilled.join(wanted, on="request_key", how="semi")
    published = responses.filter((pl.col("origin") == "published") & pl.lit(teacher.published))
    candidates = (
        pl.concat([own, published])
        .select("response_id", *at, "teacher", "origin", "sample_index")
        .join(selected_questions.filter("kept").select(*at, "source", "category", "difficulty"), on=at)
        .join(raw_pool.select(*at, has_reference=HAS_REFERENCE, has_tests=HAS_TESTS), on=at)
        .join(
            response_features.select(
                "response_id", "well_formed", "truncated", "repetition",
                response_chars=pl.col("think_chars") + pl.col("answer_chars"),
            ),
            on="response_id",
        )
        .join(_verdicts(math_verdicts, "math"), on="response_id", how="left")
        .join(math_verdicts.select("response_id", "judged_equal"), on="response_id", how="left")
        .join(_verdicts(code_verdicts, "code"), on="response_id", how="left")
        .join(reward_scores.drop("question_id", "judge", "judge_raw", "shard"), on="response_id", how="left")
    )  # fmt: skip
    table = decide.verified_set(candidates.collect(), policy)
    return table, {"kept": int(table["kept"].sum()), **_verdict_counts(table)}


def _verdicts(table: pl.LazyFrame, kind: str) -> pl.LazyFrame:
    return table.select("response_id", pl.col("verdict", "reason").name.prefix(f"{kind}_"))


def _verdict_counts(table: pl.DataFrame) -> dict:
    return {"verdicts": dict(table["verdict"].cast(pl.String).value_counts(sort=True).rows())}
