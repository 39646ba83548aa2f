"""How far judges agree with the verifiers, on the responses of a recipe that both have judged. Counting only.

A judge is whatever says pass or fail without a reference: a language model's opinion of math, the judge or reward
model by the recipe's thresholds, and the consensus of the answers. The verifiers' word is taken for the truth, which it
is not always: see `reference_doubtful`.
"""

import polars as pl

from am_assets.config.agreement import ReferencePolicy
from am_assets.config.recipe import VerificationPolicy
from am_assets.verification.agreement import by_consensus
from am_assets.verification.decide import judged

EVERY = "all"
JUDGES = ["opinion", "reward", "consensus"]
NONE = {"category": pl.String, "judge": pl.String, "truth": pl.Boolean, "says": pl.Boolean}
JUDGED = pl.Schema(NONE)  # a row for each judge of a response; what it and the verifier say


def both_judged(candidates: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """JUDGED of `candidates`, the input of `decide.verified_set`. The verdicts of verifiers are those as measured: no
    judge has a word in them, and no reference is repaired."""
    alone = {"accept": "verified", "split": "verifier", "reference": ReferencePolicy()}
    rows = judged(candidates, policy.model_copy(update=alone)).filter(pl.col("passed").is_not_null())
    says = {
        "opinion": pl.when(pl.col("evidence") == "math").then("math_judged_equal"),
        "reward": _passes(pl.col("second_verdict")),
        "consensus": _passes(by_consensus(policy)[0]),
    }
    return pl.concat(
        rows.select(pl.col("category").cast(pl.String), truth="passed", says=expression)
        .drop_nulls("says")
        .select("category", pl.lit(name).alias("judge"), "truth", "says")
        for name, expression in says.items()
    )


def _passes(verdict: pl.Expr) -> pl.Expr:
    return pl.when(verdict != "unverifiable").then(verdict == "pass")


def agreement(rows: pl.DataFrame) -> pl.DataFrame:
    """(judge, category, rows, right, wrong, accuracy, false_pass, false_fail) of JUDGED, for all categories together
    and each. `right` and `wrong` are the rows that the verifiers passed and failed; `accuracy` is the share of the rows
    on which the judge says the same, `false_pass` of the wrong ones those that it passes, `false_fail` of the right
    ones those that it fails; null where there are none."""
    counted = pl.concat([rows.with_columns(category=pl.lit(EVERY)), rows])
    table = figures(counted, "judge", "category")
    order = [pl.col("judge").replace_strict(JUDGES, range(len(JUDGES))), pl.col("category") != EVERY, "category"]
    return table.sort(order)


def figures(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """The counts and shares of `agreement` of rows with `truth` and `says`, grouped."""
    right, says = pl.col("truth"), pl.col("says")
    return rows.group_by(by).agg(
        rows=pl.len(),
        right=right.sum(),
        wrong=(~right).sum(),
        accuracy=(right == says).mean(),
        false_pass=says.filter(~right).mean(),
        false_fail=(~says).filter(right).mean(),
    )
