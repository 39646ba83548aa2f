"""What a team is told of the sets beside the SFT dataset."""

import polars as pl
import pytest


def policy(**settings: float) -> pl.DataFrame:
    return pl.DataFrame([(name, str(value)) for name, value in settings.items()], ["setting", "value"], orient="row")


def questions(*ids: str, attempts: int = 0) -> pl.LazyFrame:
    return pl.LazyFrame({"question_id": ids}, {"question_id": pl.String}).with_columns(attempts=attempts)


@pytest.mark.parametrize(("least", "passed"), [(0.5, True), (0.51, False)])
def test_the_recipe_says_how_many_questions_have_to_give_a_pair(least: float, passed: bool) -> None:
    from am_assets.orchestration.checks.sets import questions_paired

    result = questions_paired(questions("a", "a"), questions("a", "b", "b"), policy(min_paired=least))
    assert (result.passed, result.severity.value, result.metadata["paired_share"].value) == (passed, "WARN", 0.5)


@pytest.mark.parametrize(("least", "passed"), [(0.5, True), (0.51, False)])
def test_the_recipe_says_how_many_pass_rates_have_to_be_measured(least: float, passed: bool) -> None:
    from am_assets.orchestration.checks.sets import pass_rates_measured

    table = pl.concat([questions("a", attempts=2), questions("b")])
    result = pass_rates_measured(table, policy(min_measured=least))
    assert (result.passed, result.severity.value, result.metadata["measured_share"].value) == (passed, "WARN", 0.5)


def test_sets_without_rows_pass_unless_the_recipe_asks_for_some() -> None:
    from am_assets.orchestration.checks.sets import pass_rates_measured, questions_paired

    for least in (0, 0.1):
        assert questions_paired(questions(), questions(), policy(min_paired=least)).passed == (least == 0)
        assert pass_rates_measured(questions(), policy(min_measured=least)).passed == (least == 0)
