"""Which requests are due by the answers so far, and how likely the others are."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.recipe import TeacherPolicy
from am_assets.datasets.due import ANSWERED, due, likely, verified
from am_assets.distillation.prompts import requests_table

QUESTION = {"question_id": ["q"], "question": ["What?"], "has_reference": [True], "has_tests": [False]}
FELL_SHORT, PASSED, UNTOLD = (False, False), (False, True), (False, None)
CUT = (True, False)


def requests(count: int, recipe: str = "ours", **policy) -> pl.DataFrame:
    selected = pl.DataFrame(QUESTION).with_columns(samples=count)
    table = requests_table(selected, TeacherPolicy.model_validate({"model": "t", "max_tokens": 8, **policy}))
    return table.with_columns(recipes=pl.lit([recipe]))


def until(most: int, least: int = 1, **policy) -> pl.DataFrame:
    return requests(most, **{"samples": {"least": least, "most": most, "until": "pass"}}, **policy)


def answered(asked: pl.DataFrame, *found: tuple[bool, bool | None], longer: bool = False) -> pl.DataFrame:
    """The answers to the first samples, at the longer limit where it is said."""
    limits = asked["sampling"].str.json_path_match("$.max_tokens").cast(pl.Int64)
    keys = asked.filter((limits > 8) == longer).unique("request_key").sort("sample_index")["request_key"]
    return pl.DataFrame([(key, *how) for key, how in zip(keys, found, strict=False)], ANSWERED, orient="row")


def samples(asked: pl.DataFrame, answers: pl.DataFrame, recipe: str = "ours") -> list[int]:
    wanted = due(asked, answers).filter(pl.col("recipes").list.contains(recipe))
    return asked.unique("request_key").join(wanted, on="request_key", how="semi")["sample_index"].sort().to_list()


def test_a_number_of_samples_is_due_at_once() -> None:
    asked = requests(3)
    assert verified(asked).is_empty()
    assert samples(asked, answered(asked)) == [0, 1, 2]
    assert samples(asked, answered(asked, PASSED)) == [0, 1, 2]


@given(st.integers(1, 4), st.integers(0, 4), st.lists(st.sampled_from([FELL_SHORT, PASSED, UNTOLD, CUT]), max_size=8))
def test_a_sample_is_due_once_all_before_it_fell_short(least: int, more: int, found: list[tuple]) -> None:
    asked = until(least + more, least)
    reached = next((n for n, how in enumerate(found) if how[1] is not False), len(found))
    assert samples(asked, answered(asked, *found)) == list(range(min(least + more, max(least, reached + 1))))


def test_a_further_try_comes_before_the_next_sample_and_its_pass_ends_it() -> None:
    asked = until(3, retry_max_tokens=16)
    cut = answered(asked, CUT)
    assert samples(asked, answered(asked, FELL_SHORT)) == [0, 1]
    assert samples(asked, cut) == [0, 0]
    assert samples(asked, pl.concat([cut, answered(asked, PASSED, longer=True)])) == [0, 0]
    assert samples(asked, pl.concat([cut, answered(asked, FELL_SHORT, longer=True)])) == [0, 0, 1]


def test_the_answers_of_another_recipe_move_nothing_for_this_one() -> None:
    both = pl.concat([until(3, retry_max_tokens=16), requests(3, "theirs")])
    answers = answered(both, PASSED, CUT, FELL_SHORT)
    assert samples(both, answers) == [0]  # nor is a further try of the second sample due
    assert samples(both, answers, "theirs") == [0, 1, 2]


def test_an_answer_of_another_recipe_counts_when_its_turn_comes() -> None:
    both = pl.concat([until(4), requests(2, "theirs")])
    assert samples(both, answered(both, FELL_SHORT, FELL_SHORT)) == [0, 1, 2]
    assert samples(both, answered(both, FELL_SHORT, PASSED)) == [0, 1]


@pytest.mark.parametrize("rate", [0.0, 0.4, 1.0])
def test_how_likely_a_sample_is_follows_from_the_pass_rate_and_from_what_is_known(rate: float) -> None:
    def chances(asked: pl.DataFrame, *found: tuple) -> list[float]:
        table = likely(asked.with_columns(pass_rate=rate), answered(asked, *found))
        joined = asked.unique("request_key").join(table, on="request_key").sort("sample_index")
        return joined["likely"].to_list()

    short = 1 - rate
    assert chances(until(4)) == pytest.approx([1, short, short**2, short**3])
    assert chances(until(4, least=2)) == pytest.approx([1, 1, short**2, short**3])
    assert chances(until(4), FELL_SHORT) == pytest.approx([1, 1, short, short**2])
    assert chances(until(4), FELL_SHORT, PASSED) == pytest.approx([1, 1, 0, 0])
    assert chances(until(3), UNTOLD) == pytest.approx([1, short, short**2])
    assert chances(until(3, retry_max_tokens=16)) == pytest.approx([1, short, short**2])
    assert chances(pl.concat([until(3), requests(2, "theirs")])) == pytest.approx([1, 1, short**2])


def test_what_is_expected_is_the_mean_over_all_that_may_happen() -> None:
    asked, rate = until(3), 0.4
    expected = 0.0
    for found in product([PASSED, FELL_SHORT], repeat=3):
        passes = sum(how == PASSED for how in found)
        chance = rate**passes * (1 - rate) ** (3 - passes)
        expected += chance * len(samples(asked, answered(asked, *found)))
    chances = likely(asked.with_columns(pass_rate=rate), answered(asked))
    assert chances["likely"].sum() == pytest.approx(expected)
