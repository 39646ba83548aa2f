"""What a recipe makes of answers that agree: verdicts by consensus, doubtful references, and pass rates of questions.

Decisions only, over candidates of one recipe; part of `decide.py` and versioned with it. Which results are equal is
measured in `consensus.py`. A consensus exists where a question has `min_samples` answers and its leading class holds
`min_share` of them; of two classes of the same size none leads, so a tie is no consensus.
"""

import polars as pl

from am_assets.config.agreement import Agreement, ReferencePolicy
from am_assets.config.recipe import VerificationPolicy
from am_assets.config.vocabulary import VERDICTS
from am_assets.verification.consensus import counted

EXACT = 1e-9  # a share of 0.9 is nine of ten
SHOWN = 60  # characters of a result in a reason
LEADING, ANSWERS, LARGEST = pl.col("leading"), pl.col("answers"), pl.col("largest")
STATES_ONE = pl.col("equal_to").is_not_null()


def with_classes(candidates: pl.DataFrame) -> pl.DataFrame:
    """`candidates` (question_id, consensus_answers, result, equal_to) with answers, agreeing, most, share and leading,
    as these candidates alone count; by question `largest`, the size of the leading class (null without one), and
    `agreed`, its result as the plainest of these candidates writes it."""
    rows = counted(candidates.with_columns(compared=pl.col("consensus_answers").is_not_null()))
    plainest = rows.filter("leading").sort("question_id", pl.col("result").str.len_chars(), "result")
    leading = plainest.unique("question_id", keep="first").select("question_id", largest="agreeing", agreed="result")
    return rows.join(leading, on="question_id", how="left", maintain_order="left")


def exists(agreement: Agreement) -> pl.Expr:
    """Whether the question has a consensus."""
    return ((agreement.min_samples <= ANSWERS) & _large_enough(agreement.min_share)).fill_null(False)


def _large_enough(min_share: float) -> pl.Expr:
    return min_share - EXACT <= LARGEST / ANSWERS


def agree_on() -> pl.Expr:
    """How many answers agree, and on what, in words."""
    return pl.format("{} of {} answers agree on {}", LARGEST, ANSWERS, _shown("agreed"))


def _shown(column: str) -> pl.Expr:
    return pl.col(column).str.head(SHOWN)


def by_consensus(policy: VerificationPolicy) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Verdict, reason and the field that settled it, of candidates with classes. fail: another result than the one
    agreed on. unverifiable: no consensus, or no result to hold against it."""
    stated = exists(Agreement(min_share=policy.min_share, min_samples=policy.min_samples)) & STATES_ONE
    verdict = pl.when(stated & LEADING).then(pl.lit("pass")).when(stated).then(pl.lit("fail"))
    most = pl.col("most")
    few, apart = policy.min_samples > ANSWERS, ~_large_enough(policy.min_share).fill_null(False)
    ends = {
        "min_samples": [(few, pl.format(f"{{}} answers to compare < {policy.min_samples}", ANSWERS))],
        "min_share": [
            (most == 0, pl.lit("no answer states a result that can be compared")),
            (LARGEST.is_null(), pl.format("no result leads: {} of {} answers agree on each of several", most, ANSWERS)),
            (apart, pl.format(f"{{}} < {policy.min_share:g} of the answers", agree_on())),
        ],
        "accept": [
            (STATES_ONE, pl.format("{} where {}", _shown("result"), agree_on())),
            (pl.lit(True), pl.lit("states no result that can be compared")),
        ],
    }
    reason = pl.coalesce(pl.when(holds).then(said) for cases in ends.values() for holds, said in cases)
    field = pl.coalesce(
        pl.when(pl.any_horizontal(holds for holds, _ in cases)).then(pl.lit(f"verification.{name}"))
        for name, cases in ends.items()
    )
    return verdict.otherwise(pl.lit("unverifiable")).cast(pl.Enum(VERDICTS)), reason, field


def with_doubt(candidates: pl.DataFrame, policy: ReferencePolicy) -> pl.DataFrame:
    """`candidates` with classes and the verdicts that count, and `reference_doubtful`: the question has a consensus,
    and every answer of it fails against the reference. Where the policy repairs, `repaired_reference` is that result,
    and the verdicts are those against it."""
    of_math = pl.col("verifiers").list.contains("math")
    fails = (pl.col("math_verdict").cast(pl.String) == "fail").fill_null(False)
    against = candidates.filter(LEADING).group_by("question_id").agg(against=fails.all())
    doubted = candidates.join(against, on="question_id", how="left", maintain_order="left").with_columns(
        reference_doubtful=exists(policy.agreement) & of_math & pl.col("against").fill_null(False)
    )
    repaired = pl.col("reference_doubtful") & pl.lit(policy.repair is not None)
    settled = pl.when(LEADING).then(pl.lit("pass")).when(STATES_ONE).then(pl.lit("fail"))
    reason = (
        pl.when(LEADING)
        .then(pl.format("equal to the repaired reference {}", _shown("agreed")))
        .when(STATES_ONE)
        .then(pl.format("different from the repaired reference {}", _shown("agreed")))
        .otherwise(pl.lit("no result to compare with the repaired reference"))
    )
    return doubted.with_columns(
        repaired_reference=pl.when(repaired).then("agreed"),
        math_verdict=pl.when(repaired)
        .then(settled.otherwise(pl.lit("unverifiable")))
        .otherwise(pl.col("math_verdict").cast(pl.String))
        .cast(pl.Enum(VERDICTS)),
        math_reason=pl.when(repaired).then(reason).otherwise("math_reason"),
        math_decided_by=pl.when(repaired).then(pl.lit("verification.reference.repair")).otherwise("math_decided_by"),
    )


def with_pass_rates(judged: pl.DataFrame) -> pl.DataFrame:
    """`judged` (question_id, verified: the verdict of the verifier) with `passed`, and by question `attempts`, those
    that passed or did not, and `pass_rate`, whatever rule drops the rows."""
    told = judged.with_columns(
        passed=pl.when(pl.col("verified") == "pass").then(True).when(pl.col("verified") == "fail").then(False)
    )
    attempts = told.drop_nulls("passed").group_by("question_id")
    rates = attempts.agg(attempts=pl.len(), pass_rate=pl.col("passed").mean())
    return told.join(rates, on="question_id", how="left", maintain_order="left")
