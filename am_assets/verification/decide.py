"""Which candidate responses a recipe keeps, and why each of the others goes.

A decision: it reads evidence and one policy and knows nothing else. No measuring here, no texts, no model.
"""

import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.config.vocabulary import RESPONSE_DROPS, VERDICTS
from am_assets.storage.schemas import VerifiedSet
from am_assets.verification.reward import aggregate
from am_assets.verification.tests_passed import settle_tests

VERSION = "4"  # raise when a rule here changes what is kept, or why
CHECKS = ["math", "code", "instructions", "reward"]
NO_VERDICT = "no verdict"
MALFORMED = "not <think>…</think> and an answer"
# What `keep` prefers among the responses of a question that passed; ties end at the response id.
PREFERENCE = {
    "first": pl.col("sample_index"),
    "shortest": pl.col("response_chars"),
    "best_reward": -pl.col("reward"),
}
EVIDENCE, VERDICT, REASON, REWARD = pl.col("evidence"), pl.col("verdict"), pl.col("reason"), pl.col("reward")
Rules = dict[str, tuple[pl.Expr, pl.Expr]]  # by drop reason: whether a row breaks the rule, and what its detail says


def verified_set(candidates: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """VerifiedSet: every candidate with its verdict and fate, sorted by response_id.

    `candidates` has one row a response: response_id, question_id, shard, source, category, difficulty, teacher, origin,
    sample_index, has_reference, has_tests, has_constraints, template, well_formed, truncated, repetition, consecutive,
    prompt_share, answer_language, response_chars, math_verdict, math_reason, judged_equal, code_verdict, code_reason,
    outcomes, instruction_verdict, instruction_reason and the five reward dimensions; what was not measured is null. A
    question with tests is verified by them, else with a reference by that; one with constraints by these too, and the
    worse of the two verdicts decides. Which kind of evidence counts is the policy's to say. A missing verdict is
    unverifiable. The first rule of RESPONSE_DROPS that holds is the reason, its `detail` the figure and the threshold.
    """
    judged = _judged(candidates, policy)
    ruled = _rule(judged, _form_rules(policy) | _evidence_rules(policy))
    if policy.keep != "all":
        ruled = _choose(ruled, policy.keep)
    return (
        ruled.with_columns(kept=pl.col("drop_reason").is_null(), reward=REWARD.cast(pl.Float32))
        .select(VerifiedSet.column_names())
        .sort("response_id")
    )


def _judged(candidates: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """`candidates` with reward, evidence, verdict, second_verdict, reason, and repetitive."""
    decides = pl.lit("reward") if policy.accept == "reward" else pl.col("verifier").fill_null("reward")
    by_reward = EVIDENCE == "reward"
    verified, reason = (
        pl.when(pl.col("verifier") == "code")
        .then(f"code_{column}")
        .when(pl.col("verifier") == "math")
        .then(f"math_{column}")
        .when(pl.col("verifier") == "instructions")
        .then(f"instruction_{column}")
        for column in ("verdict", "reason")
    )
    rewarded = _reward_verdict(policy)
    repetitive = (pl.col("repetition") > policy.max_repetition) | (pl.col("consecutive") > policy.max_consecutive)
    return (
        settle_tests(_settle_splits(candidates, policy.split), policy)
        .with_columns(verifier=_verifier())
        .with_columns(
            decides.cast(pl.Enum(CHECKS)).alias("evidence"),
            aggregate(policy.weights).cast(pl.Float64).round(6).alias("reward"),  # rounded: 0.7 from thirds is 0.7
            repetitive.fill_null(False).alias("repetitive"),
        )
        .with_columns(
            pl.when(by_reward).then(rewarded).otherwise(verified).fill_null("unverifiable").alias("verdict"),
            pl.when(by_reward).then(verified).otherwise(rewarded).alias("second_verdict"),
            pl.when(~by_reward).then(reason).fill_null(NO_VERDICT).alias("reason"),
        )
        .with_columns(pl.col("verdict", "second_verdict").cast(pl.Enum(VERDICTS)))
    )


def _verifier() -> pl.Expr:
    """What verifies a response: its tests, else its reference; its constraints where there is neither or where they say
    worse. Null where there is none of them."""
    answer = pl.when("has_tests").then(pl.lit("code")).when("has_reference").then(pl.lit("math"))
    verdict = pl.when("has_tests").then("code_verdict").otherwise("math_verdict")
    said, kept = (
        column.cast(pl.String).fill_null("unverifiable") for column in (verdict, pl.col("instruction_verdict"))
    )
    worse = (kept == "fail") & (said != "fail") | (kept != "pass") & (said == "pass")
    alone = ~pl.col("has_tests") & ~pl.col("has_reference")
    return pl.when(pl.col("has_constraints") & (alone | worse)).then(pl.lit("instructions")).otherwise(answer)


def _settle_splits(judged: pl.DataFrame, split: str) -> pl.DataFrame:
    """`judged` with the math verdict that counts where the verifier and the judge each have one, and whose it is.

    Where no opinion could be had the verifier's counts, but for a pass that both are to give: that is unverifiable.
    """
    verdict, reason, agrees = pl.col("math_verdict").cast(pl.String), pl.col("math_reason"), pl.col("judged_equal")
    opinion = pl.when(agrees).then(pl.lit("pass")).otherwise(pl.lit("fail"))
    overruled = {
        "verifier": pl.lit(False),
        "judge": agrees.is_not_null(),
        "either": agrees & (verdict != "pass"),
        "both": ~agrees & (verdict != "fail"),
    }[split]
    overruled = (overruled & (verdict != opinion)).fill_null(False)
    unseconded = pl.lit(split == "both") & agrees.is_null() & (verdict == "pass")
    says = pl.when(agrees).then(pl.lit("judge: agrees")).otherwise(pl.lit("judge: disagrees"))
    settled = pl.when(overruled).then(opinion).when(unseconded).then(pl.lit("unverifiable")).otherwise(verdict)
    return judged.with_columns(
        math_verdict=settled.cast(pl.Enum(VERDICTS)),
        math_reason=pl.when(overruled).then(says).when(unseconded).then(pl.lit("judge: no opinion")).otherwise(reason),
    )


def _minima(policy: VerificationPolicy) -> dict[str, int]:
    return {name: least for name, least in policy.minima.model_dump().items() if least}


def _reward_verdict(policy: VerificationPolicy) -> pl.Expr:
    """Null where there is no reward, or where nothing is known of a dimension that has a minimum."""
    enough = pl.all_horizontal(
        policy.min_reward <= REWARD, *(pl.col(name) >= least for name, least in _minima(policy).items())
    )
    verdict = pl.when(enough).then(pl.lit("pass")).when(~enough).then(pl.lit("fail"))
    return pl.when(REWARD.is_not_null()).then(verdict).cast(pl.Enum(VERDICTS))


def _form_rules(policy: VerificationPolicy) -> Rules:
    """What a response must be whatever its answer is worth."""
    template, language = pl.col("template").cast(pl.String), pl.col("answer_language")
    told = pl.col("well_formed").fill_null(False)
    repeats = _first_broken(_above("repetition", policy.max_repetition), _above("consecutive", policy.max_consecutive))
    unwanted = pl.lit(False) if policy.languages is None else ~language.is_in([*policy.languages, "und"])
    return {
        "truncated": (pl.col("truncated"), pl.lit("ended by the token limit")),
        "malformed": (
            ~told | ~template.is_in(policy.templates),
            pl.when(told).then(pl.format("template {}", template)).otherwise(pl.lit(MALFORMED)),
        ),
        "repetitive": (pl.col("repetitive"), repeats),
        "other_language": (unwanted, pl.format("answer in {}", language)),
        "leaked": _above("prompt_share", policy.max_prompt_share),
    }


def _evidence_rules(policy: VerificationPolicy) -> Rules:
    """What the evidence that the policy accepts must say."""
    if policy.accept == "all":
        return {}
    failed, by_reward = VERDICT == "fail", EVIDENCE == "reward"
    low = [_below("reward", policy.min_reward), *(_below(name, least) for name, least in _minima(policy).items())]
    return {
        "unchecked": (
            by_reward if policy.accept == "verified" else pl.lit(False),
            pl.lit("no reference answer, tests or constraints"),
        ),
        "wrong_answer": (failed & (EVIDENCE == "math"), pl.format("math: {}", REASON)),
        "failed_tests": (failed & (EVIDENCE == "code"), pl.format("code: {}", REASON)),
        "broken_constraints": (failed & (EVIDENCE == "instructions"), REASON),
        "unverifiable": (
            (VERDICT == "unverifiable") & (not policy.keep_unverifiable),
            pl.format("{}: {}", EVIDENCE.cast(pl.String), REASON),
        ),
        "low_reward": (failed & by_reward, _first_broken(*low)),
    }


def _above(name: str, most: float) -> tuple[pl.Expr, pl.Expr]:
    value = pl.col(name).cast(pl.Float64)
    return value > most, pl.format(f"{name} {{}} > {most:g}", value.round(4))


def _below(name: str, least: float) -> tuple[pl.Expr, pl.Expr]:
    value = pl.col(name)
    return value < least, pl.format(f"{name} {{}} < {least:g}", value.round(4))


def _first_broken(*rules: tuple[pl.Expr, pl.Expr]) -> pl.Expr:
    return pl.coalesce(pl.when(broken).then(detail) for broken, detail in rules)


def _rule(judged: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """`judged` with the first rule each row breaks as drop_reason, and what it says as detail."""
    reasons = {name: (broken, pl.lit(name)) for name, (broken, _) in rules.items()}
    return judged.with_columns(
        _first_broken(*reasons.values()).cast(pl.Enum(RESPONSE_DROPS)).alias("drop_reason"),
        _first_broken(*rules.values()).alias("detail"),
    )


def _choose(ruled: pl.DataFrame, keep: str) -> pl.DataFrame:
    """`ruled` with all but the preferred response of each question dropped as not_chosen."""
    left = pl.col("drop_reason").is_null()
    order = [left.not_(), pl.col("question_id"), PREFERENCE[keep], pl.col("response_id")]
    first = pl.col("response_id").first().over("question_id")
    lost = left & (pl.col("response_id") != first)
    return ruled.sort(order, nulls_last=True).with_columns(
        pl.when(lost).then(pl.lit("not_chosen", pl.Enum(RESPONSE_DROPS))).otherwise("drop_reason").alias("drop_reason"),
        pl.when(lost).then(pl.format(f"keep: {keep} is {{}}", first)).otherwise("detail").alias("detail"),
    )
