"""A recipe's verdict on a program from its stored test outcomes: by the first tests only, or by the share that passed.

A decision; the outcomes are measured in `verifiers/code.py`.
"""

import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.config.vocabulary import UNKNOWN_OUTCOMES, VERDICTS

PASSED = "tests_passed"


def settle_tests(judged: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """`judged` (code_verdict, code_reason, code_outcomes: a status per test) with the verdict under `policy`.

    Without outcomes (empty or null) the verdict stays as measured. It is unverifiable if one of the first
    `policy.first_tests` tests could not be run, else a pass if at least `policy.min_tests_passed` of them passed.
    """
    if policy.first_tests is None and policy.min_tests_passed == 1:
        return judged
    counted = pl.col("code_outcomes").cast(pl.List(pl.String))
    if policy.first_tests is not None:
        counted = counted.list.head(policy.first_tests)
    passed, count = counted.list.count_matches("pass"), counted.list.len()
    first_failure = counted.list.eval(pl.element().filter(pl.element() != "pass")).list.first()
    unknown = counted.list.eval(pl.element().is_in(UNKNOWN_OUTCOMES)).list.any()
    enough = passed >= policy.min_tests_passed * count - 1e-9
    verdict = pl.when(unknown).then(pl.lit("unverifiable")).when(enough).then(pl.lit("pass")).otherwise(pl.lit("fail"))
    reason = (
        pl.when(unknown)
        .then("code_reason")
        .when(passed == count)
        .then(pl.lit(PASSED))
        .otherwise(pl.format("{} of {} tests passed, first {}", passed, count, first_failure))
    )
    field = "min_tests_passed" if policy.min_tests_passed < 1 else "first_tests"
    ran = count > 0
    return judged.with_columns(
        code_verdict=pl.when(ran)
        .then(verdict)
        .otherwise(pl.col("code_verdict").cast(pl.String))
        .cast(pl.Enum(VERDICTS)),
        code_reason=pl.when(ran).then(reason).otherwise("code_reason"),
        code_decided_by=pl.when(ran & ~unknown).then(pl.lit(f"verification.{field}")),
    )
