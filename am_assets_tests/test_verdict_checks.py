"""What a team is told of verdicts and of the judge."""

import dagster as dg
import polars as pl
import pytest

from am_assets.schema import REWARD_DIMENSIONS, VERDICTS
from am_assets_tests.desk import Desk


def verified(*verdicts: tuple[str, str | None], repetitive: int = 0) -> pl.LazyFrame:
    names = {"verdict": pl.Enum(VERDICTS), "second_verdict": pl.Enum(VERDICTS)}
    table = pl.LazyFrame(verdicts, names, orient="row").with_row_index("at")
    return table.with_columns(kept=pl.lit(True), source=pl.lit("s"), repetitive=pl.col("at") < repetitive)


def policy(**settings: float) -> pl.DataFrame:
    return pl.DataFrame([(name, str(value)) for name, value in settings.items()], ["setting", "value"], orient="row")


def scores(*rows: int) -> pl.DataFrame:
    return pl.DataFrame({name: pl.Series(rows, dtype=pl.UInt8) for name in REWARD_DIMENSIONS})


@pytest.mark.parametrize(
    ("name", "table", "settings", "passed", "severity"),
    [
        ("verification_pass_rate", verified(("pass", None), ("fail", None)), {"min_pass_rate": 0.5}, True, "ERROR"),
        ("verification_pass_rate", verified(("pass", None), ("fail", None)), {"min_pass_rate": 0.6}, False, "ERROR"),
        ("verification_pass_rate", verified(("unverifiable", None)), {"min_pass_rate": 0}, False, "ERROR"),
        ("unverifiable_share", verified(("unverifiable", None)), {"max_unverifiable": 0.9}, False, "WARN"),
        ("repetition_share", verified(("pass", None), ("pass", None)), {"max_repetitive": 0.4}, True, "WARN"),
        ("repetition_share", verified(*[("pass", None)] * 2, repetitive=1), {"max_repetitive": 0.4}, False, "WARN"),
        ("verifier_disagreement", verified(("pass", "fail")), {"max_disagreement": 0.5}, False, "WARN"),
        ("verifier_disagreement", verified(("pass", "pass")), {"max_disagreement": 0.5}, True, "WARN"),
        ("verifier_disagreement", verified(("pass", None)), {"max_disagreement": 0}, True, "ERROR"),
    ],
)
def test_the_recipes_limits_decide_whether_a_share_is_told_of(name, table, settings, passed, severity):
    from am_assets import verdict_checks

    result = getattr(verdict_checks, name)(table, policy(**settings))
    assert (result.passed, result.severity.value) == (passed, severity)


def test_a_judge_that_says_the_same_of_everything_is_told_of_once_it_has_said_it_often():
    from am_assets.verdict_checks import judge_tells_apart

    assert not judge_tells_apart(scores(*[1] * 40)).passed
    assert judge_tells_apart(scores(*range(5), *[1] * 20)).passed
    assert judge_tells_apart(scores(1, 1)).passed


@pytest.mark.model
@pytest.mark.slow
def test_a_recipe_that_keeps_other_responses_than_last_time_has_drifted(applied: Desk) -> None:
    def told() -> dg.AssetCheckEvaluation:
        key = dg.AssetCheckKey(dg.AssetKey("verified_set"), "verification_drift")
        storage = dg.DagsterInstance.get().event_log_storage
        history = storage.get_asset_check_execution_history(key, limit=20)
        evaluations = [e.event.asset_check_evaluation for e in history if e.event]
        return next(e for e in evaluations if e and e.partition == "plain")

    assert told().passed  # there was nothing before
    assert told().metadata["moved"].value == {}
    before = pl.read_parquet(applied.folder / "assets" / "verified_set" / "plain.parquet")["kept"].mean()
    applied.edit("plain", "verification", accept="all", max_drift=0.01)
    applied.apply("plain", select="+verified_set")
    after = pl.read_parquet(applied.folder / "assets" / "verified_set" / "plain.parquet")["kept"].mean()
    assert after > before + 0.01
    assert not told().passed
    assert told().metadata["moved"].value["kept_share"] == pytest.approx(after - before)
