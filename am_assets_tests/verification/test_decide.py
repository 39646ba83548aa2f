"""Which responses stay: every row one fate, and the reason a person can read."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.recipe import VerificationPolicy
from am_assets.schema import RESPONSE_DROPS, REWARD_DIMENSIONS, VERDICTS, VerifiedSet
from am_assets.verification.decide import pass_rates, verified_set

SOUND = {
    "response_id": "r", "question_id": "q", "shard": "s", "source": "s", "category": "math", "difficulty": "easy",
    "teacher": "t", "origin": "distilled", "sample_index": 0, "has_reference": True, "has_tests": False,
    "well_formed": True, "truncated": False, "repetition": 0.0, "response_chars": 100, "math_verdict": "pass",
    "math_reason": "equal", "judged_equal": None, "code_verdict": None, "code_reason": None,
    **dict.fromkeys(REWARD_DIMENSIONS),
}  # fmt: skip
TYPES = {
    "sample_index": pl.UInt16, "has_reference": pl.Boolean, "has_tests": pl.Boolean, "well_formed": pl.Boolean,
    "truncated": pl.Boolean, "repetition": pl.Float32, "response_chars": pl.UInt32,
    "judged_equal": pl.Boolean, "math_verdict": pl.Enum(VERDICTS), "code_verdict": pl.Enum(VERDICTS),
    **dict.fromkeys(REWARD_DIMENSIONS, pl.UInt8),
}  # fmt: skip


def frame(rows: list[dict]) -> pl.DataFrame:
    numbered = [SOUND | {"response_id": f"r{i}"} | row for i, row in enumerate(rows)]
    return pl.DataFrame(numbered, schema={name: TYPES.get(name, pl.String) for name in SOUND})


def decide(*rows: dict, **policy) -> list[dict]:
    return VerifiedSet.validate(verified_set(frame(list(rows)), VerificationPolicy(**policy))).to_dicts()


def rewarded(score: int | None, **more) -> dict:
    return {
        "has_reference": False,
        "math_verdict": None,
        "math_reason": None,
        **dict.fromkeys(REWARD_DIMENSIONS, score),
    } | more


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({}, None, None),
        ({"truncated": True, "well_formed": False}, "truncated", "ended by the token limit"),
        ({"well_formed": False}, "malformed", "not <think>…</think> and an answer"),
        ({"well_formed": None}, "malformed", "not <think>…</think> and an answer"),
        ({"repetition": 0.4567}, "repetitive", "repetition 0.4567 > 0.3"),
        ({"math_verdict": "fail", "math_reason": "different"}, "wrong_answer", "math: different"),
        ({"has_tests": True, "code_verdict": "fail", "code_reason": "test 2"}, "failed_tests", "code: test 2"),
        ({"math_verdict": "unverifiable", "math_reason": "timeout"}, "unverifiable", "math: timeout"),
        ({"math_verdict": None, "math_reason": None}, "unverifiable", "math: no verdict"),
        (rewarded(None), "unverifiable", "reward: no verdict"),
        (rewarded(2), "low_reward", "reward 0.5 < 0.7"),
        (rewarded(3), None, None),
    ],
)
def test_the_first_broken_rule_is_the_reason(row, reason, detail):
    (fate,) = decide(row)
    assert (fate["drop_reason"], fate["detail"], fate["kept"]) == (reason, detail, reason is None)


def test_tests_weigh_more_than_a_reference_and_a_reference_more_than_the_judge():
    tested = {"has_tests": True, "code_verdict": "pass", "math_verdict": "fail"}
    by_code, by_math, by_reward = decide(tested, {"correctness": 0}, rewarded(4))
    assert [row["evidence"] for row in (by_code, by_math, by_reward)] == ["code", "math", "reward"]
    assert by_code["kept"] and by_math["kept"] and by_reward["kept"]


def test_unverifiable_rows_stay_only_under_a_policy_that_keeps_them():
    row = {"math_verdict": "unverifiable", "math_reason": "timeout"}
    assert not decide(row)[0]["kept"]
    (kept,) = decide(row, keep_unverifiable=True)
    assert kept["kept"] and kept["verdict"] == "unverifiable"


@pytest.mark.parametrize(
    ("keep", "kept"), [("all", ["r0", "r1", "r2"]), ("first", ["r1"]), ("shortest", ["r2"]), ("best_reward", ["r0"])]
)
def test_of_several_good_responses_the_policy_chooses(keep, kept):
    wrong = {"math_verdict": "fail", "response_chars": 1, "sample_index": 0} | dict.fromkeys(REWARD_DIMENSIONS, 4)
    rows = [
        {"sample_index": 3, "response_chars": 30} | dict.fromkeys(REWARD_DIMENSIONS, 3),
        {"sample_index": 1, "response_chars": 20},
        {"sample_index": 2, "response_chars": 10} | dict.fromkeys(REWARD_DIMENSIONS, 1),
        wrong,
    ]
    fates = decide(*rows, keep=keep)
    assert [row["response_id"] for row in fates if row["kept"]] == kept
    assert fates[3]["drop_reason"] == "wrong_answer"
    losers = [row for row in fates if row["drop_reason"] == "not_chosen"]
    assert all(row["detail"] == f"keep: {keep} is {kept[0]}" for row in losers)


candidates = st.lists(
    st.fixed_dictionaries(
        {
            "question_id": st.sampled_from("abc"),
            "sample_index": st.integers(0, 3),
            "response_chars": st.integers(0, 3),
            "has_reference": st.booleans(),
            "has_tests": st.booleans(),
            "well_formed": st.booleans(),
            "truncated": st.booleans(),
            "repetition": st.floats(0, 1, width=32),
            "math_verdict": st.sampled_from([*VERDICTS, None]),
            "judged_equal": st.sampled_from([True, False, None]),
            "code_verdict": st.sampled_from([*VERDICTS, None]),
            **dict.fromkeys(REWARD_DIMENSIONS, st.none() | st.integers(0, 4)),
        }
    ),
    max_size=12,
)
policies = st.builds(
    VerificationPolicy,
    max_repetition=st.floats(0, 1),
    keep_unverifiable=st.booleans(),
    split=st.sampled_from(["verifier", "judge", "either", "both"]),
    min_reward=st.floats(0, 1),
    keep=st.sampled_from(["all", "first", "shortest", "best_reward"]),
)


@settings(deadline=None)
@given(candidates, policies)
def test_every_row_has_exactly_one_fate(rows, policy):
    table = verified_set(frame(rows), policy)
    assert sorted(table["response_id"]) == sorted(frame(rows)["response_id"])
    assert (table["kept"] == table["drop_reason"].is_null()).all()
    assert (table["kept"] == table["detail"].is_null()).all()
    drops = table["drop_reason"].drop_nulls()
    assert set(drops) <= set(RESPONSE_DROPS) and drops.len() + table["kept"].sum() == len(rows)


@settings(deadline=None)
@given(candidates, policies, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rows, policy, random):
    table = frame(rows)
    order = list(range(table.height))
    random.shuffle(order)
    assert verified_set(table[order], policy).equals(verified_set(table, policy))


@settings(deadline=None)
@given(candidates, policies)
def test_choosing_keeps_one_response_of_each_question_that_has_a_good_one(rows, policy):
    everything = verified_set(frame(rows), policy.model_copy(update={"keep": "all"})).filter("kept")
    chosen = verified_set(frame(rows), policy).filter("kept")
    if policy.keep != "all":
        assert sorted(chosen["question_id"]) == sorted(everything["question_id"].unique())
    assert set(chosen["response_id"]) <= set(everything["response_id"])


@settings(deadline=None)
@given(candidates, policies, st.floats(0, 1))
def test_a_higher_reward_threshold_never_keeps_more(rows, policy, higher):
    low, high = sorted([policy.min_reward, higher])
    policies = [policy.model_copy(update={"min_reward": value, "keep": "all"}) for value in (low, high)]
    lenient, strict = (set(verified_set(frame(rows), p).filter("kept")["response_id"]) for p in policies)
    assert strict <= lenient


def test_pass_rates_leave_out_what_could_not_be_told():
    untold = {"math_verdict": "unverifiable", "source": "a"}
    table = verified_set(
        frame([{"source": "a"}, {"source": "a", "math_verdict": "fail"}, untold, untold | {"source": "b"}]),
        VerificationPolicy(),
    )
    assert pass_rates(table, ["source"]).rows() == [("a", 3, 1, 0.5, pytest.approx(1 / 3)), ("b", 1, 0, None, 1.0)]
    assert pass_rates(table, []).rows() == [(4, 1, 0.5, 0.5)]


def test_no_candidates_give_an_empty_set():
    assert decide() == []
    assert pass_rates(verified_set(frame([]), VerificationPolicy()), []).rows() == [(0, 0, None, None)]
