from fractions import Fraction
from itertools import product
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.evaluation.paired import compare, of_differences, p_value, sentence, sign_flip_p

share = st.integers(0, 16).map(lambda passed: passed / 16)
pairs = st.lists(st.tuples(share, share), min_size=1, max_size=40)


def scores(values, ids=None) -> pl.DataFrame:
    ids = [f"q{at}" for at in range(len(values))] if ids is None else ids
    return pl.DataFrame({"item_id": ids, "score": values}, schema={"item_id": pl.String, "score": pl.Float64})


def both(rows):
    return [scores([row[at] for row in rows]) for at in (0, 1)]


def p_by_listing(differences: list[float]) -> float:
    """The p-value of the sign-flip test by its definition: every assignment of signs, in exact fractions."""
    exact = [Fraction(value).limit_denominator(64) for value in differences]
    sums = [abs(sum(sign * value for sign, value in zip(signs, exact, strict=True))) for signs in
            product((1, -1), repeat=len(exact))]  # fmt: skip
    return sum(one >= abs(sum(exact)) for one in sums) / len(sums)


@given(pairs)
def test_the_other_way_round_everything_has_the_other_sign_and_nothing_else_changes(rows):
    there, back = compare(*both(rows)), compare(*both(rows)[::-1])
    assert (back.difference, back.low, back.high) == (-there.difference, -there.high, -there.low)
    assert (back.p, back.detectable, back.needed) == (there.p, there.detectable, there.needed)
    assert back.told_apart == there.told_apart


@given(st.lists(share, min_size=1, max_size=40))
def test_a_student_is_not_told_apart_from_itself(values):
    found = compare(scores(values), scores(values))
    assert (found.difference, found.p, found.needed, found.detectable) == (0, 1, None, None)
    assert not found.told_apart and found.low <= 0 <= found.high


@given(pairs)
def test_the_interval_holds_the_difference_and_stays_within_its_bounds(rows):
    found = compare(*both(rows))
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert found.difference == pytest.approx(np.mean([second - first for first, second in rows]), abs=1e-8)


@given(st.lists(st.tuples(share, share), min_size=1, max_size=9))
def test_p_is_that_of_listing_every_assignment_of_signs(rows):
    differences = [second - first for first, second in rows]
    assert sign_flip_p(np.array(differences)) == pytest.approx(p_by_listing(differences), abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3)), min_size=1, max_size=9))
def test_students_may_have_different_numbers_of_samples(rows):
    differences = [passed / 7 - other / 3 for passed, other in rows]
    assert sign_flip_p(np.array(differences)) == pytest.approx(p_by_listing(differences), abs=1e-9)


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_questions_is_nothing(rows, random):
    first, second = both(rows)
    order = random.sample(range(len(rows)), len(rows))
    assert compare(first[order], second) == compare(first, second)


def test_questions_that_only_one_answered_do_not_count():
    found = compare(scores([0, 1, 0], ["a", "b", "c"]), scores([1, 1, 0.5], ["b", "c", "d"]))
    assert (found.questions, found.difference) == (2, 0.5)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (scores([1.0], ["a"]), scores([1.0], ["b"]), "no item in common"),
        (scores([1.0, 0.0], ["a", "a"]), scores([1.0], ["a"]), "several scores"),
        (scores([1.5]), scores([1.0]), "between 0 and 1"),
        (scores([1.0]), scores([None]), "between 0 and 1"),
    ],
)
def test_what_can_not_be_compared_is_an_error(first, second, why):
    with pytest.raises(ValueError, match=why):
        compare(first, second)


def test_a_student_that_gains_on_every_question_is_told_apart_from_six_questions_on():
    assert not of_differences(np.ones(5)).told_apart
    six = of_differences(np.ones(6))
    assert six.told_apart and six.p == pytest.approx(2 / 2**6)
    assert (six.difference, six.high, six.needed) == (1, 1, 6) and 0 < six.low < 0.1


def test_one_question_tells_hardly_anything_of_others():
    found = of_differences(np.array([0.5]))
    assert (found.low, found.high, found.p) == (pytest.approx(-1, abs=0.05), pytest.approx(1, abs=0.05), 1)
    assert found.detectable is None and found.needed is None


def test_four_times_the_questions_show_half_the_difference():
    few = of_differences(np.tile([0.5, -0.25, 0.0, 0.25], 10))
    many = of_differences(np.tile([0.5, -0.25, 0.0, 0.25], 40))
    assert many.detectable == pytest.approx(few.detectable / 2, rel=0.02)
    assert many.needed == pytest.approx(few.needed, rel=0.05)  # hardly a matter of how many were asked


def answered(random, questions: int, gain: float) -> np.ndarray:
    """Differences of two students with 4 samples of questions of very different difficulty; the second is right more
    often by `gain`."""
    chance = 0.7 * random.beta(0.6, 0.8, questions)
    return (random.binomial(4, chance + gain) - random.binomial(4, chance)) / 4


def test_the_detectable_difference_is_found_four_times_in_five():
    random = np.random.default_rng(0)
    detectable = of_differences(answered(random, 5_000, 0.05)).detectable * np.sqrt(5_000 / 120)
    told = [of_differences(answered(random, 120, detectable)).told_apart for _ in range(150)]
    assert 0.7 <= np.mean(told) <= 0.9


def test_students_that_are_alike_are_told_apart_once_in_twenty_times_at_most():
    random = np.random.default_rng(0)
    assert 0.02 <= np.mean([sign_flip_p(answered(random, 120, 0.0)) < 0.05 for _ in range(2_000)]) <= 0.06


def test_where_shares_have_no_common_unit_p_is_close_to_that_of_a_normal_sum():
    random = np.random.default_rng(0)
    differences = random.random(3_000) - random.random(3_000)
    away = abs(differences.sum()) / np.sqrt((differences**2).sum())
    assert sign_flip_p(differences) == pytest.approx(2 * NormalDist().cdf(-away), abs=0.002)


def test_a_sentence_says_what_is_better_or_what_it_would_take():
    better = sentence(of_differences(np.array([1.0] * 30 + [0.0] * 30)), "untrained", "trained")
    assert better.startswith("trained is better than untrained by 50.0 points (95 % interval ")
    assert better.endswith(", p < 0.001; 60 questions)")
    worse = sentence(of_differences(np.array([-1.0] * 30 + [0.0] * 30)), "untrained", "trained")
    assert worse == better.replace("better", "worse")
    alike = of_differences(np.array([0.5, -0.5] * 20 + [0.5]))
    said = sentence(alike, "a", "b")
    assert said.startswith("a and b can't be told apart: +1.2 points (95 % interval -") and "p = 1.000" in said
    assert f"41 questions could have shown {100 * alike.detectable:.1f} points" in said
    assert said.endswith(f"this difference would take about {alike.needed:,}")
    few = sentence(of_differences(np.zeros(4)), "a", "b")
    assert few.endswith("4 questions, of which 0 differ, are too few to show any")


def test_a_p_value_is_never_said_to_be_0():
    assert (p_value(0.03), p_value(1e-9), p_value(1)) == ("p = 0.030", "p < 0.001", "p = 1.000")
