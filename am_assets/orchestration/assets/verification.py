"""Assets of verification: verdicts and reward scores, and `verified_set`, which decides on responses."""

import dagster as dg
import polars as pl

from am_assets.config.instruments import Opinion
from am_assets.config.recipe import TeacherPolicy, VerificationPolicy
from am_assets.engines import plots
from am_assets.engines.models import reward_model
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.partitions import all_of
from am_assets.orchestration.resources import Answers, usage
from am_assets.orchestration.tables import picture
from am_assets.storage.memo import with_keys
from am_assets.storage.stored import StoredTables, read_policy
from am_assets.verification import candidates, code, decide, figures, instructions, jobs, math, opinion, reward

AGREEMENT = "agreement"  # metadata of reward scores: agreement of the judge with itself
FIGURES = "figures"  # metadata of a verified set that the next one is compared with
NOBODY = pl.DataFrame(schema=dict.fromkeys(["response_id", "model", "text"], pl.String))


@tables.evidence(
    "verification",
    "shards",
    pool=lambda instruments: "judge" if instruments.math.opinion else None,
    reads=Reads((math, opinion), ("math",)),
)
def math_verdicts(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Whether the final answer equals the reference, for questions with a reference answer and no tests; by
    math-verify, and in addition by a language model where the instruments name one."""
    limits = here.instruments.math
    wanted = jobs.math_jobs(jobs.answers_with_checks(response_features, raw_pool), limits)
    filled = answers.fill("math", wanted, lambda missing: math.verify(missing, limits), math.MEASURED)
    table, metadata = _with_opinions(filled.table.sort("response_id"), limits.opinion, answers)
    return table, _verdict_counts(table) | {"verified": filled.new.height} | metadata


def _with_opinions(table: pl.DataFrame, instrument: Opinion | None, answers: Answers) -> tuple[pl.DataFrame, dict]:
    """Verdicts with the second opinion of a model, where the instruments name one."""
    if instrument is None:
        return opinion.opinions(table, NOBODY), {}
    filled = answers.get("opinions", opinion.requests(opinion.rows_to_ask(table, instrument), instrument))
    return opinion.opinions(table, filled.table.select("response_id", "model", "text")), usage(filled)


@tables.evidence(
    "verification", "shards", pool="sandbox", reads=Reads((code,), ("code",)), unfinished=code.without_sandbox
)
def code_verdicts(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Whether the program passes its tests in the sandbox, for questions with tests. Where the sandbox can't be
    reached the verdict is `unverifiable` and not memoized: the next run tries those rows again."""
    limits = here.instruments.code
    wanted = jobs.code_jobs(jobs.answers_with_checks(response_features, raw_pool), limits)
    filled, again = code.fill(wanted, limits, lambda measure: answers.fill("code", wanted, measure, code.MEASURED))
    table = pl.concat([filled.table, again.select(filled.table.columns)]).sort("response_id")
    return table, _verdict_counts(table) | {"executed": filled.new.height, code.UNREACHED: code.unreached(again)}


@tables.evidence("verification", "shards", reads=Reads((instructions,), ("instructions",)))
def instruction_verdicts(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Whether the answer satisfies every constraint of its question, and which it violates, for questions with
    constraints, whatever else they can be checked by."""
    limits = here.instruments.instructions
    wanted = jobs.instruction_jobs(jobs.answers_with_checks(response_features, raw_pool), limits)
    filled = answers.fill(
        "instructions", wanted, lambda missing: instructions.verify(missing, limits), instructions.MEASURED
    )
    return filled.table.sort("response_id"), _verdict_counts(filled.table) | {"verified": filled.new.height}


@tables.evidence(
    "verification",
    "shards",
    pool="judge",
    reads=Reads((reward, reward_model), tuple(f"reward.{name}" for name in ("model", "max_tokens", "judges", "audit"))),
)
def reward_scores(
    response_features: pl.DataFrame, raw_pool: pl.DataFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Five dimensions by a judge or a reward model, on the answer part alone, for responses that no reference, tests
    or constraints can check, or for all where the instruments say so. An audit asks the judge about a sample again to
    measure its agreement with itself; a reward model is deterministic and not audited."""
    instrument = here.instruments.reward
    judged = jobs.to_judge(jobs.answers_with_checks(response_features, raw_pool), instrument)
    if instrument.local:
        return _by_model(judged, instrument.local, here, answers)
    filled = answers.get("rewards", jobs.judge_requests(judged, instrument))
    replies = filled.table.select("response_id", "question_id", "ask", "text")
    table = reward.reward_table(replies.filter(ask="first"), instrument.model)
    return table, usage(filled) | {AGREEMENT: reward.agreement(replies)}


def _by_model(judged: pl.DataFrame, name: str, here: Declared, answers: Answers) -> tuple[pl.DataFrame, dict]:
    model = here.instruments.reward.model
    wanted = with_keys(judged, "question", "answer", identity=[name, reward_model.VERSION])
    at_once = here.endpoints_of(model)[0].concurrency
    filled = answers.fill(
        "reward_models", wanted, lambda missing: reward_model.score(missing, name, at_once), reward_model.SCORED
    )
    table = reward.reward_model_table(filled.table, model)
    return table, {"scored": filled.new.height, AGREEMENT: {}}


@tables.decision(
    "verification",
    "recipes",
    deps=lambda _: all_of(*candidates.READ),
    reads=Reads((decide,), facts=("shards",)),
    read_below=("min_reward",),
)
def verified_set(
    context: dg.AssetExecutionContext,
    here: Declared,
    verification_policy: pl.DataFrame,
    teacher_policy: pl.DataFrame,
    selected_questions: pl.LazyFrame,
    tables: dg.ResourceParam[StoredTables],
) -> tuple[pl.DataFrame, dict]:
    """Every candidate response of the recipe, kept or dropped with the reason. Candidates are the answers to the
    recipe's own requests and, where its teacher policy says so, published responses."""
    published = read_policy(TeacherPolicy, teacher_policy).published
    policy = read_policy(VerificationPolicy, verification_policy)
    asked = ["question_id", "shard", "source", "category", "difficulty"]
    selected = selected_questions.filter("kept").select(asked).collect()

    def decided(shard: str) -> pl.DataFrame:
        def read(name: str, columns: list[str]) -> pl.DataFrame:
            return tables.read(name, shard, columns)

        ours = selected.filter(pl.col("shard") == shard)
        return decide.verified_set(candidates.candidates(read, ours, context.partition_key, published), policy)

    table = pl.concat(decided(shard) for shard in sorted(here.shards))
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
