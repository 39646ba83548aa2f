"""A recipe's verdict where the verifier of math and a language model disagree about an answer.

A decision; verdicts are measured in `verifiers/math.py`, opinions in `opinion.py`.
"""

import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.config.vocabulary import VERDICTS


def settle_splits(judged: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """`judged` (math_verdict, math_reason, math_judged_equal) with the verdict that counts under `policy.split`.

    Without an opinion the verifier's verdict counts; under `both` a pass is then unverifiable.
    """
    split, agrees = policy.split, pl.col("math_judged_equal")
    verdict, reason = pl.col("math_verdict").cast(pl.String), pl.col("math_reason")
    opinion = pl.when(agrees).then(pl.lit("pass")).otherwise(pl.lit("fail"))
    overruled = {
        "verifier": pl.lit(False),
        "judge": agrees.is_not_null(),
        "either": agrees & (verdict != "pass"),
        "both": ~agrees & (verdict != "fail"),
    }[split]
    overruled = (overruled & (verdict != opinion)).fill_null(False)
    unseconded = (pl.lit(split == "both") & agrees.is_null() & (verdict == "pass")).fill_null(False)
    opinion_reason = pl.when(agrees).then(pl.lit("judge: agrees")).otherwise(pl.lit("judge: disagrees"))
    no_opinion = pl.lit("judge: no opinion")
    settled = pl.when(overruled).then(opinion).when(unseconded).then(pl.lit("unverifiable")).otherwise(verdict)
    return judged.with_columns(
        math_verdict=settled.cast(pl.Enum(VERDICTS)),
        math_reason=pl.when(overruled).then(opinion_reason).when(unseconded).then(no_opinion).otherwise(reason),
        math_decided_by=pl.when(overruled | unseconded).then(pl.lit("verification.split")),
    )
