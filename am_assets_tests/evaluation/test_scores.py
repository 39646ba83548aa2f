"""Scores of made-up answers: what each metric is by its definition, and what its interval holds."""

from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from am_assets.evaluation.paired import compare
from am_assets.evaluation.scores import depths, gain, per_question, score_table, scores_of
from am_assets.storage.schemas import EvalScores

AT = {"student": pl.String, "item_id": pl.String, "sample_index": pl.UInt16}


def questions(answers: dict[str, list[tuple]], student: str = "trained") -> pl.DataFrame:
    """`per_question` of answers by item: (verdict, result that it states or None, finish reason, tokens)."""
    rows = [
        (student, item, nth, *answer, *("stop", 10)[len(answer) - 2 :])
        for item, given_to_it in answers.items()
        for nth, answer in enumerate(given_to_it)
    ]
    told = {"verdict": pl.String, "equal_to": pl.String, "finish_reason": pl.String, "completion_tokens": pl.UInt32}
    table = pl.DataFrame(rows, schema=AT | told, orient="row")
    table = table.with_columns(well_formed=pl.col("finish_reason") == "stop")
    return per_question(
        table.drop("equal_to", "finish_reason", "completion_tokens"), table, table.drop_nulls("equal_to")
    )


def passing(*shares: str) -> dict[str, list[tuple]]:
    """Items whose samples pass where a text has a 1."""
    return {f"q{at}": [("pass" if one == "1" else "fail", None) for one in share] for at, share in enumerate(shares)}


def value(table: pl.DataFrame, metric: str, student: str = "trained", items: str = "all") -> float:
    return table.filter(metric=metric, student=student, items=items)["value"].item()


@given(st.text("01", min_size=1, max_size=9))
def test_pass_at_k_is_the_share_of_all_choices_of_k_samples_that_hold_a_pass(samples):
    table = questions(passing(samples))
    for k in depths(len(samples)):
        chosen = [*combinations(samples, k)]
        assert table[f"pass@{k}"].item() == pytest.approx(sum("1" in one for one in chosen) / len(chosen))


def test_a_question_counts_once_however_many_samples_it_has():
    table = questions(passing("000000000", "1"))
    assert value(score_table(table), "pass@1") == 0.5
    assert [name for name in table.columns if "@" in name] == ["pass@1"]  # of one sample there are no two


VOTES = {
    "a majority that passes": ([("pass", "7"), ("fail", "8"), ("pass", "7"), ("fail", "9")], 1.0),
    "a majority that fails": ([("pass", "7"), ("fail", "8"), ("fail", "8"), ("fail", None)], 0.0),
    "a tie": ([("pass", "7"), ("fail", "8"), ("pass", "7"), ("fail", "8")], 0.5),
    "all differ": ([("pass", "7"), ("fail", "8"), ("fail", "9"), ("fail", "1")], 0.25),
    "one vote": ([("fail", None), ("pass", "7"), ("fail", None), ("unverifiable", None)], 1.0),
    "a pass without a vote": ([("pass", None), ("fail", "8"), ("fail", None), ("fail", None)], 0.0),
    "an eighth answer": ([("pass", "7")] * 4 + [("fail", "8")] * 4, 0.5),
}


@pytest.mark.parametrize(("answers", "share"), VOTES.values(), ids=VOTES)
def test_a_majority_is_of_the_answers_that_state_a_result(answers, share):
    assert questions({"q": answers})["maj@4"].item() == share


def test_no_vote_at_all_is_no_metric_and_a_question_without_one_does_not_pass():
    assert not [name for name in questions(passing("0110")).columns if name.startswith("maj")]
    table = questions({"a": [("pass", "7")] * 3, "b": [("fail", "1")] * 3})
    assert value(score_table(table), "maj@3") == 0.5
    mixed = score_table(questions({"a": [("pass", "7")] * 3, "program": [("pass", None)] * 3}))
    rows = mixed.filter(metric="maj@3")
    assert (rows["questions"].item(), rows["value"].item()) == (1, 1.0)  # a program has no majority


def test_what_became_of_the_answers_is_told_by_share_and_mean():
    answers = {"a": [("fail", None, "length", 90), ("unverifiable", None, "stop", 10)], "b": [("pass", None)] * 2}
    table = score_table(questions(answers))
    shares = {"truncated": 0.25, "malformed": 0.25, "unverifiable": 0.25, "tokens": 30.0}
    assert {name: value(table, name) for name in shares} == shares


@given(st.lists(st.text("01", min_size=4, max_size=4), min_size=1, max_size=20))
def test_every_interval_holds_its_figure_and_every_row_is_valid(samples):
    table = EvalScores.validate(score_table(questions(passing(*samples))))
    assert table.filter(~pl.col("value").is_between("ci_low", "ci_high")).is_empty()
    assert (
        table.filter(pl.col("metric") != "tokens").filter((pl.col("ci_low") < 0) | (pl.col("ci_high") > 1)).is_empty()
    )


def test_more_questions_narrow_an_interval_and_more_samples_do_not():
    def width(*samples: str) -> float:
        row = score_table(questions(passing(*samples))).filter(metric="pass@1").row(0, named=True)
        return row["ci_high"] - row["ci_low"]

    few, many = width(*["1", "0"] * 15), width(*["1", "0"] * 60)
    assert few == pytest.approx(2 * 1.96 * 0.5 / 29**0.5, rel=0.08)  # what theory gives
    assert few / many == pytest.approx(2, rel=0.1)
    assert width(*["1" * 16, "0" * 16] * 15) == few


def test_none_of_a_few_questions_is_no_proof_of_none():
    def ends(*samples: str) -> tuple[float, float]:
        return score_table(questions(passing(*samples))).filter(metric="pass@1").select("ci_low", "ci_high").row(0)

    assert ends(*["0"] * 50) == (0, pytest.approx(1 - 0.025 ** (1 / 50)))  # the exact binomial interval
    assert ends(*["1"] * 10) == (pytest.approx(0.025 ** (1 / 10)), 1)
    low, high = ends(*["10"] * 20)
    assert low < 0.5 < high


def test_the_gain_is_the_paired_comparison_of_the_two_students():
    before, after = questions(passing(*["00"] * 10, *["10"] * 10), "untrained"), questions(passing(*["11"] * 20))
    both = pl.concat([before, after])
    table = score_table(both)
    assert table["student"].unique(maintain_order=True).to_list() == ["untrained", "trained", "gain"]
    found = gain(table)
    assert found == compare(scores_of(both, "untrained"), scores_of(both, "trained"))
    assert found.difference == 0.75 and found.told_apart
    assert gain(score_table(after)) is None


def test_items_that_are_touched_are_left_out_of_a_second_set_of_scores():
    rows = pl.concat([questions(passing("1", "1", "0", "0"), name) for name in ("untrained", "trained")])
    table = score_table(rows, pl.Series(["q0", "q1", "unknown"]))
    assert (value(table, "pass@1"), value(table, "pass@1", items="untouched")) == (0.5, 0)
    assert table.filter(items="untouched")["questions"].unique().to_list() == [2]
    assert gain(table, "untouched").questions == 2
    assert score_table(rows, pl.Series([], dtype=pl.String)).filter(items="untouched")["value"].to_list() == (
        score_table(rows).filter(items="all")["value"].to_list()
    )
    assert score_table(rows, pl.Series([f"q{at}" for at in range(4)])).filter(items="untouched").is_empty()


@given(st.permutations(["1100", "0000", "1111", "0110"]))
def test_scores_do_not_depend_on_the_order_of_questions(samples):
    assert_frame_equal(
        score_table(questions(passing(*samples))), score_table(questions(passing("1100", "0000", "1111", "0110"))),
        check_exact=True,
    )  # fmt: skip
