import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from am_assets.evaluation.scores import bootstrap_interval, score_table
from am_assets.storage.schemas import EvalScores

shares = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(shares, st.integers(0, 2**32))
def test_an_interval_contains_the_mean_and_stays_between_0_and_1(per_question, seed):
    low, high = bootstrap_interval(per_question, seed=seed, resamples=50)
    assert 0 <= low <= sum(per_question) / len(per_question) + 1e-12
    assert sum(per_question) / len(per_question) - 1e-12 <= high <= 1


@given(shares, st.randoms(use_true_random=False))
def test_an_interval_does_not_depend_on_the_order_of_questions(per_question, random):
    shuffled = random.sample(per_question, len(per_question))
    assert bootstrap_interval(shuffled, resamples=50) == bootstrap_interval(per_question, resamples=50)


def test_more_questions_narrow_the_interval():
    def width(questions: int) -> float:
        low, high = bootstrap_interval([0, 1] * questions)
        return high - low

    assert width(400) < width(40) < width(4)


def test_an_interval_is_close_to_the_one_theory_gives():
    low, high = bootstrap_interval([1] * 200 + [0] * 200)
    assert (low, high) == pytest.approx((0.5 - 1.96 * 0.025, 0.5 + 1.96 * 0.025), abs=0.01)


@pytest.mark.parametrize("scores", [[], [0.5, 1.5], [-0.1], [float("nan")]])
def test_no_score_or_one_that_is_no_share_is_an_error(scores):
    with pytest.raises(ValueError, match="between 0 and 1"):
        bootstrap_interval(scores)


def verdicts(rows: list[tuple]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["student", "item_id", "sample_index", "verdict", "well_formed"], orient="row")


ROWS = [
    ("trained", "a", 0, "pass", True),
    ("trained", "a", 1, "pass", True),
    ("trained", "b", 0, "fail", True),
    ("trained", "b", 1, "pass", True),
    ("untrained", "a", 0, "unverifiable", False),
    ("untrained", "a", 1, "pass", True),
    ("untrained", "b", 0, "fail", False),
    ("untrained", "b", 1, "fail", False),
]


def test_pass_at_1_is_the_mean_over_questions_of_the_share_of_samples_that_passed():
    scores = score_table(verdicts(ROWS))
    EvalScores.validate(scores)
    assert scores.select("student", "questions", "samples", "pass_at_1", "well_formed", "unverifiable").rows() == [
        ("untrained", 2, 2, 0.25, 0.25, 0.25),
        ("trained", 2, 2, 0.75, 1.0, 0.0),
    ]


def test_a_question_counts_once_however_many_samples_it_has():
    rows = [("trained", "a", index, "fail", True) for index in range(9)] + [("trained", "b", 0, "pass", True)]
    assert score_table(verdicts(rows))["pass_at_1"].item() == 0.5


@given(st.permutations(ROWS))
def test_scores_do_not_depend_on_the_order_of_rows(rows):
    assert_frame_equal(score_table(verdicts(rows)), score_table(verdicts(ROWS)), check_exact=True)
