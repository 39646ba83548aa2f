"""Verification as assets: verdicts and scores measure, `verified_set` decides which responses stay."""

import dagster as dg
import polars as pl

from am_assets import tables
from am_assets.engines import plots, reward_model
from am_assets.engines.memo import with_keys
from am_assets.instruments import Math, Opinion, Reward
from am_assets.partitions import SHARD_KEYS, recipes, shards
from am_assets.project import project
from am_assets.recipe import TeacherPolicy, VerificationPolicy
from am_assets.resources import Answers, spent
from am_assets.stored import StoredTables, read_policy
from am_assets.tables import picture
from am_assets.verification import candidates, code, decide, figures, instructions, math, opinion, reward

_instruments = project().instruments
HAS_REFERENCE = pl.col("reference_answer").is_not_null()
HAS_TESTS = pl.col("test_cases").is_not_null()
HAS_CONSTRAINTS = pl.col("constraints").is_not_null()
AGREEMENT = "agreement"  # metadata of reward scores: what an audit of the judge found
FIGURES = "figures"  # metadata of a verified set that the next one is held against
NOBODY = pl.DataFrame(schema=dict.fromkeys(["response_id", "model", "text"], pl.String))


def _answers_with_checks(response_features: pl.DataFrame, raw_pool: pl.DataFrame) -> pl.DataFrame:
    checks = raw_pool.select("question_id", "question", "reference_answer", "test_cases", "constraints")
    return response_features.select("response_id", "question_id", "answer", "well_formed").join(
        checks, on="question_id"
    )


@tables.evidence(
    "verification",
    shards,
    pool="judge" if _instruments.math.opinion else None,
    code_version=tables.version(_instruments.math, math.VERIFIER, opinion.VERSION),
    instrument={"math": _instruments.math.model_dump(), "version": f"{math.VERIFIER}/{opinion.VERSION}"},
)
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
    return math.with_job_keys(
        wanted.rename({"reference_answer": "reference"}).drop("test_cases", "constraints"), limits
    )


def _with_opinions(table: pl.DataFrame, instrument: Opinion | None, answers: Answers) -> tuple[pl.DataFrame, dict]:
    """The verdicts with what a model says of them, where the instruments name one."""
    if instrument is None:
        return opinion.opinions(table, NOBODY), {}
    filled = answers.get("opinions", opinion.requests(opinion.asked(table, instrument), instrument))
    return opinion.opinions(table, filled.table.select("response_id", "model", "text")), spent(filled)


@tables.evidence(
    "verification",
    shards,
    pool="sandbox",
    code_version=tables.version(_instruments.code, code.VERIFIER),
    instrument={"code": _instruments.code.model_dump(), "version": code.VERIFIER},
)
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
    filled, again = code.fill(jobs, limits, lambda measure: answers.fill("code", jobs, measure, code.MEASURED))
    table = pl.concat([filled.table, again.select(filled.table.columns)]).sort("response_id")
    unreached = again.filter(pl.col("reason") != code.NO_COMPILER).height
    return table, _verdict_counts(table) | {"executed": filled.new.height, code.UNREACHED: unreached}


@tables.evidence(
    "verification",
    shards,
    code_version=tables.version(_instruments.instructions, instructions.VERIFIER),
    instrument={"instructions": _instruments.instructions.model_dump(), "version": instructions.VERIFIER},
)
def instruction_verdicts(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Does the answer keep every constraint that its question brings along, and which one does it break? For responses
    to questions with constraints, whatever else there is to check them by."""
    limits = _instruments.instructions
    wanted = _answers_with_checks(response_features, raw_pool).filter(HAS_CONSTRAINTS)
    identity = [instructions.VERIFIER, limits.model_dump()]
    jobs = with_keys(
        wanted.select("response_id", "question_id", "answer", "constraints"), "answer", "constraints", identity=identity
    )
    filled = answers.fill(
        "instructions", jobs, lambda missing: instructions.verify(missing, limits), instructions.MEASURED
    )
    return filled.table.sort("response_id"), _verdict_counts(filled.table) | {"verified": filled.new.height}


def to_judge(response_features: pl.DataFrame, raw_pool: pl.DataFrame, instrument: Reward) -> pl.DataFrame:
    asked = pl.lit(True) if instrument.judges == "every" else ~(HAS_REFERENCE | HAS_TESTS | HAS_CONSTRAINTS)
    return _answers_with_checks(response_features, raw_pool).filter(asked & pl.col("well_formed"))


def judge_requests(judged: pl.DataFrame, instrument: Reward) -> pl.DataFrame:
    return reward.judge_requests(judged, instrument.model, instrument.max_tokens, instrument.audit)


@tables.evidence(
    "verification",
    shards,
    pool="judge",
    code_version=tables.version(*_instruments.reward.identity(), reward.VERSION),
    instrument={
        "reward": _instruments.reward.model_dump(include={"model", "max_tokens", "judges", "audit"}),
        "version": reward.VERSION,
    },
)
def reward_scores(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Five dimensions by a judge or a reward model, on the answer part alone, for responses that no reference, tests
    or constraints can check, or for every one where the instruments say so. An audit asks a judge about some of them
    again, to see whether it agrees with itself; a reward model would only say the same."""
    instrument = _instruments.reward
    judged = to_judge(response_features, raw_pool, instrument)
    if instrument.local:
        return _by_model(judged, instrument.local, answers)
    filled = answers.get("rewards", judge_requests(judged, instrument))
    said = filled.table.select("response_id", "question_id", "ask", "text")
    table = reward.reward_table(said.filter(ask="first"), instrument.model)
    return table, spent(filled) | {AGREEMENT: reward.agreement(said)}


def _by_model(judged: pl.DataFrame, name: str, answers: Answers) -> tuple[pl.DataFrame, dict]:
    wanted = with_keys(judged, "question", "answer", identity=[name, reward_model.VERSION])
    at_once = project().endpoints_of(_instruments.reward.model)[0].concurrency
    filled = answers.fill(
        "reward_models", wanted, lambda missing: reward_model.score(missing, name, at_once), reward_model.SCORED
    )
    table = reward.table_of_heads(filled.table, _instruments.reward.model)
    return table, {"scored": filled.new.height, AGREEMENT: {}}


@tables.decision(
    "verification",
    recipes,
    deps=[dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping()) for name in candidates.READ],
    code_version=tables.version(decide.VERSION),
    instrument={"version": decide.VERSION},
)
def verified_set(
    context: dg.AssetExecutionContext,
    verification_policy: pl.DataFrame,
    teacher_policy: pl.DataFrame,
    selected_questions: pl.LazyFrame,
    tables: dg.ResourceParam[StoredTables],
) -> tuple[pl.DataFrame, dict]:
    """Every candidate response of the recipe, kept or dropped with the reason. Candidates are the answers to this
    recipe's own requests and, where its teacher policy says so, the published responses."""
    published = read_policy(TeacherPolicy, teacher_policy).published
    policy = read_policy(VerificationPolicy, verification_policy)
    asked = ["question_id", "shard", "source", "category", "difficulty"]
    selected = selected_questions.filter("kept").select(asked).collect()

    def decided(shard: str) -> pl.DataFrame:
        def read(name: str, columns: list[str]) -> pl.DataFrame:
            return tables.read(name, shard, columns)

        ours = selected.filter(pl.col("shard") == shard)
        return decide.verified_set(candidates.candidates(read, ours, context.partition_key, published), policy)

    table = pl.concat(decided(shard) for shard in sorted(SHARD_KEYS))
    fates = figures.fates(table)
    rates = figures.pass_rates(table, ["category"])
    return table, {
        "kept": int(table["kept"].sum()),
        "min_reward": policy.min_reward,
        **_verdict_counts(table),
        "drop_reasons": dict(fates.filter(pl.col("fate") != "kept").rows()),
        "fates": picture(plots.bar_chart_png(fates, "fate", "responses", "What became of the responses")),
        "pass_rate_by_category": picture(plots.bar_chart_png(rates, "category", "pass_rate", "Pass rate")),
        FIGURES: figures.figures(table),
        "pass_rates": {by: figures.pass_rates(table, [by]).to_dicts() for by in figures.BY},
    }


def _verdict_counts(table: pl.DataFrame) -> dict:
    return {"verdicts": dict(table["verdict"].cast(pl.String).value_counts(sort=True).rows())}
