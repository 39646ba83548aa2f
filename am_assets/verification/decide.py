"""Which candidate responses a recipe keeps, and why each of the others goes.

A decision: it reads evidence and one policy and knows nothing else. No measuring here, no texts, no model.
"""

import polars as pl

from am_assets.recipe import VerificationPolicy
from am_assets.schema import RESPONSE_DROPS, VERDICTS
from am_assets.verification.reward import aggregate

CHECKS = ["math", "code", "reward"]
NO_VERDICT = "no verdict"
# What `keep` prefers among the responses of a question that passed; ties end at the response id.
PREFERENCE = {
    "first": pl.col("sample_index"),
    "shortest": pl.col("response_chars"),
    "best_reward": -pl.col("reward"),
}


def verified_set(candidates: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """VerifiedSet: every candidate with its verdict and fate, sorted by response_id.

    `candidates` has one row a response: response_id, question_id, shard, source, category, difficulty, teacher, origin,
    sample_index, has_reference, has_tests, well_formed, truncated, repetition, response_chars, math_verdict,
    math_reason, judged_equal, code_verdict, code_reason and the five reward dimensions; what was not measured is null.
    A question with tests is judged by them, else with a reference by that, else by the reward; a missing verdict is
    unverifiable. The first rule of RESPONSE_DROPS that holds is the reason, its `detail` the figure and the threshold.
    """
    judged = candidates.with_columns(
        pl.when("has_tests")
        .then(pl.lit("code"))
        .when("has_reference")
        .then(pl.lit("math"))
        .otherwise(pl.lit("reward"))
        .cast(pl.Enum(CHECKS))
        .alias("evidence"),
        aggregate(policy.weights).cast(pl.Float64).round(6).alias("reward"),  # rounded: 0.7 from thirds is 0.7
    )
    judged = _settle_splits(judged, policy.split)
    judged = judged.with_columns(
        _by_evidence("verdict", _reward_verdict(policy)), _by_evidence("reason", pl.lit(None, pl.String))
    )
    judged = judged.with_columns(
        pl.col("verdict").cast(pl.Enum(VERDICTS)).fill_null("unverifiable"), pl.col("reason").fill_null(NO_VERDICT)
    )
    ruled = _rule(judged, policy)
    if policy.keep != "all":
        ruled = _choose(ruled, policy.keep)
    return (
        ruled.with_columns(kept=pl.col("drop_reason").is_null(), reward=pl.col("reward").cast(pl.Float32))
        .select(
            *("response_id", "question_id", "shard", "source", "category", "difficulty", "teacher", "origin"),
            *("evidence", "verdict", "kept", "drop_reason", "detail", "reward"),
        )
        .sort("response_id")
    )


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
    return judged.with_columns(
        math_verdict=pl.when(overruled).then(opinion).when(unseconded).then(pl.lit("unverifiable")).otherwise(verdict),
        math_reason=pl.when(overruled).then(says).when(unseconded).then(pl.lit("judge: no opinion")).otherwise(reason),
    )


def _by_evidence(column: str, for_reward: pl.Expr) -> pl.Expr:
    kinds = {kind: pl.col(f"{kind}_{column}").cast(pl.String) for kind in ("math", "code")} | {"reward": for_reward}
    return pl.coalesce(pl.when(pl.col("evidence") == kind).then(value) for kind, value in kinds.items()).alias(column)


def _reward_verdict(policy: VerificationPolicy) -> pl.Expr:
    reward = pl.col("reward")
    enough = pl.when(reward >= policy.min_reward).then(pl.lit("pass")).otherwise(pl.lit("fail"))
    return pl.when(reward.is_not_null()).then(enough)


def _rule(judged: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """`judged` with the first rule each row breaks as drop_reason, and what it says as detail."""
    evidence, reason = pl.col("evidence"), pl.col("reason")
    failed, unverifiable = pl.col("verdict") == "fail", pl.col("verdict") == "unverifiable"
    repetition = pl.col("repetition").cast(pl.Float64)
    rules = {
        "truncated": (pl.col("truncated"), pl.lit("ended by the token limit")),
        "malformed": (~pl.col("well_formed").fill_null(False), pl.lit("not <think>…</think> and an answer")),
        "repetitive": (
            repetition > policy.max_repetition,
            _figure("repetition", repetition, ">", policy.max_repetition),
        ),
        "wrong_answer": (failed & (evidence == "math"), pl.format("math: {}", reason)),
        "failed_tests": (failed & (evidence == "code"), pl.format("code: {}", reason)),
        "unverifiable": (
            unverifiable & (not policy.keep_unverifiable),
            pl.format("{}: {}", evidence.cast(pl.String), reason),
        ),
        "low_reward": (
            failed & (evidence == "reward"),
            _figure("reward", pl.col("reward"), "<", policy.min_reward),
        ),
    }
    return judged.with_columns(
        pl.coalesce(pl.when(broken).then(pl.lit(name)) for name, (broken, _) in rules.items())
        .cast(pl.Enum(RESPONSE_DROPS))
        .alias("drop_reason"),
        pl.coalesce(pl.when(broken).then(detail) for broken, detail in rules.values()).alias("detail"),
    )


def _figure(name: str, value: pl.Expr, sign: str, threshold: float) -> pl.Expr:
    return pl.format(f"{name} {{}} {sign} {threshold:g}", value.round(4))


def _choose(ruled: pl.DataFrame, keep: str) -> pl.DataFrame:
    """`ruled` with all but the preferred response of each question dropped as not_chosen."""
    left = pl.col("drop_reason").is_null()
    order = [left.not_(), pl.col("question_id"), PREFERENCE[keep], pl.col("response_id")]
    lost = left & (pl.col("response_id") != pl.col("response_id").first().over("question_id"))
    ordered = ruled.sort(order, nulls_last=True)
    return ordered.with_columns(
        pl.when(lost).then(pl.lit("not_chosen", pl.Enum(RESPONSE_DROPS))).otherwise("drop_reason").alias("drop_reason"),
        pl.when(lost)
        .then(pl.format(f"keep: {keep} is {{}}", pl.col("response_id").first().over("question_id")))
        .otherwise("detail")
        .alias("detail"),
    )


def pass_rates(verified: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """(*by, responses, passed, pass_rate, unverifiable_share) of a VerifiedSet frame, sorted by `by`.

    Verdicts as the verifiers gave them, whatever rule dropped the row. `pass_rate` is passed over the candidates
    whose verdict is not unverifiable, null where there are none; `unverifiable_share` is over all candidates.
    With an empty `by`: one row for the whole set.
    """
    verdict = pl.col("verdict")
    unverifiable = (verdict == "unverifiable").sum()
    told = pl.len() - unverifiable
    passed = (verdict == "pass").sum()
    figures = [
        pl.len().alias("responses"),
        passed.alias("passed"),
        pl.when(told > 0).then(passed / told).alias("pass_rate"),
        pl.when(pl.len() > 0).then(unverifiable / pl.len()).alias("unverifiable_share"),
    ]
    return verified.group_by(by).agg(figures).sort(by) if by else verified.select(figures)
