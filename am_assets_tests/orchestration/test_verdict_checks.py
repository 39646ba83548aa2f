"""What a team is told of verdicts and of the judge."""

import dagster as dg
import polars as pl
import pytest

from am_assets.config.vocabulary import REWARD_DIMENSIONS, VERDICTS
from am_assets_tests.desk import MODEL, Desk


def verified(*verdicts: tuple[str, str | None], repetitive: int = 0, screened: int = 0) -> pl.LazyFrame:
    names = {"verdict": pl.Enum(VERDICTS), "second_verdict": pl.Enum(VERDICTS)}
    table = pl.LazyFrame(verdicts, names, orient="row").with_row_index("at")
    screens = pl.when(pl.col("at") < screened).then(["refusal"]).otherwise([])
    return table.with_columns(
        screens=screens, kept=pl.lit(True), source=pl.lit("s"), repetitive=pl.col("at") < repetitive
    )


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
        ("screened_share", verified(*[("pass", None)] * 2, screened=1), {"max_screened": 0.5}, True, "WARN"),
        ("screened_share", verified(*[("pass", None)] * 2, screened=1), {"max_screened": 0.4}, False, "WARN"),
        ("verifier_disagreement", verified(("pass", "fail")), {"max_disagreement": 0.5}, False, "WARN"),
        ("verifier_disagreement", verified(("pass", "pass")), {"max_disagreement": 0.5}, True, "WARN"),
        ("verifier_disagreement", verified(("pass", None)), {"max_disagreement": 0}, True, "ERROR"),
    ],
)
def test_the_recipes_limits_decide_whether_a_share_is_told_of(name, table, settings, passed, severity):
    from am_assets.orchestration.checks import verdicts

    result = getattr(verdicts, name)(table, policy(**settings))
    assert (result.passed, result.severity.value) == (passed, severity)


def test_a_judge_that_says_the_same_of_everything_is_told_of_once_it_has_said_it_often():
    from am_assets.orchestration.checks.verdicts import judge_tells_apart
    from am_assets.project import project

    here = project()
    assert not judge_tells_apart(scores(*[1] * 40), here).passed
    assert judge_tells_apart(scores(*range(5), *[1] * 20), here).passed
    assert judge_tells_apart(scores(1, 1), here).passed


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


@pytest.mark.model
@pytest.mark.slow
def test_a_recipe_by_reward_alone_has_every_response_judged_and_the_judge_asked_again(applied: Desk) -> None:
    applied.write("sources.yaml", {name: applied.source(name, rank) for rank, name in enumerate(("sums", "open"))})
    judge = {"model": MODEL, "judges": "every", "audit": 1, "min_agreement": 0}
    applied.write("instruments.yaml", {"labels": {"model": MODEL}, "reward": judge, "embeddings": {"model": "static"}})
    applied.edit("other", "verification", accept="reward", min_reward=0)
    applied.apply("other", "plain", select="+verified_set")
    tables = applied.folder / "assets"
    judged = pl.read_parquet(tables / "reward_scores" / "sums.parquet")
    features = pl.read_parquet(tables / "response_features" / "sums.parquet")
    assert judged["response_id"].to_list() == features.filter("well_formed")["response_id"].to_list()
    by_reward, best = (pl.read_parquet(tables / "verified_set" / f"{name}.parquet") for name in ("other", "plain"))
    assert set(by_reward["evidence"]) == {"reward"}
    assert set(best["evidence"]) == {"math", "reward"}
    assert set(by_reward["drop_reason"].drop_nulls()) <= {"malformed", "truncated", "repetitive", "unverifiable"}
    record = dg.DagsterInstance.get().get_latest_data_version_record(dg.AssetKey("reward_scores"), False, "sums")
    told = record.asset_materialization.metadata
    assert told["requests"].value == 3 * judged.height
    assert told["agreement"].value["again"] > 0.5  # at temperature 0, from one server
    assert 0 <= told["agreement"].value["swapped"] <= 1
