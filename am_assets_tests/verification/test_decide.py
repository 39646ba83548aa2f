"""Which responses stay: every row one fate, and the reason a person can read."""

import pytest

from am_assets.config.vocabulary import REWARD_DIMENSIONS
from am_assets.verification.decide import MALFORMED
from am_assets_tests.verification.candidate_rows import decide, found, rewarded


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({}, None, None),
        ({"truncated": True, "well_formed": False}, "truncated", "ended by the token limit"),
        ({"well_formed": False}, "malformed", "not <think>…</think> and an answer"),
        ({"well_formed": None}, "malformed", "not <think>…</think> and an answer"),
        ({"repetition": 0.4567}, "repetitive", "repetition 0.4567 > 0.3"),
        ({"consecutive": 0.5}, "repetitive", "consecutive 0.5 > 0.3"),
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


KEEPS = {"has_constraints": True, "instruction_verdict": "pass", "instruction_reason": "all hold"}
BREAKS = KEEPS | {"instruction_verdict": "fail", "instruction_reason": "broken: punctuation:no_comma"}
UNTOLD = KEEPS | {"instruction_verdict": "unverifiable", "instruction_reason": "unknown constraint: x"}
TWICE = found(
    ("secret", "question", "AWS Access Key, 20 characters"),
    ("secret", "think", "Service Key, 39 characters"),
    ("self_naming", "think", "I am Qwen"),
)
WRONG = {"math_verdict": "fail", "math_reason": "different"}


@pytest.mark.parametrize(
    ("row", "evidence", "fate"),
    [
        (KEEPS, "math", None),
        (BREAKS, "instructions", "broken_constraints: broken: punctuation:no_comma"),
        (UNTOLD, "instructions", "unverifiable: instructions: unknown constraint: x"),
        (KEEPS | WRONG, "math", "wrong_answer: math: different"),
        (BREAKS | WRONG, "math", "wrong_answer: math: different"),
        (UNTOLD | WRONG, "math", "wrong_answer: math: different"),
        (BREAKS | {"math_verdict": "unverifiable"}, "instructions", "broken_constraints: broken: punctuation:no_comma"),
        (BREAKS | {"has_tests": True, "code_verdict": "pass"}, "instructions", "broken_constraints: broken: "),
        (rewarded(0, **KEEPS), "instructions", None),
        (rewarded(4, **BREAKS), "instructions", "broken_constraints: broken: punctuation:no_comma"),
        (rewarded(4, **KEEPS | {"instruction_verdict": None}), "instructions", "unverifiable: instructions: "),
    ],
)
def test_constraints_have_to_hold_beside_the_tests_or_the_reference(row, evidence, fate):
    for accept in ("best", "verified"):
        (found,) = decide(row, accept=accept)
        assert found["evidence"] == evidence
        assert f"{found['drop_reason']}: {found['detail']}".startswith(fate or "None")


@pytest.mark.parametrize(
    ("ends", "policy", "verdict", "reason"),
    [
        ("pass wrong_answer pass", {}, "fail", "wrong_answer"),
        ("pass wrong_answer pass", {"first_tests": 1}, "pass", None),
        ("pass wrong_answer pass", {"first_tests": 9}, "fail", "2 of 3 tests passed, first wrong_answer"),
        ("pass wrong_answer pass", {"first_tests": 2, "min_tests_passed": 0.5}, "pass", None),
        ("pass wrong_answer pass", {"min_tests_passed": 0.6}, "pass", None),
        ("timeout memory pass", {"min_tests_passed": 0.6}, "fail", "1 of 3 tests passed, first timeout"),
        ("timeout pass", {"min_tests_passed": 0}, "pass", None),
        ("pass sandbox_error", {"first_tests": 1}, "pass", None),
        ("pass sandbox_error", {"first_tests": 2}, "unverifiable", "wrong_answer"),
        ("", {"first_tests": 1, "min_tests_passed": 0}, "fail", "wrong_answer"),
    ],
)
def test_how_many_tests_have_to_pass_is_the_recipes_to_say(ends, policy, verdict, reason):
    row = {"has_tests": True, "code_verdict": "fail", "code_reason": "wrong_answer", "outcomes": ends.split()}
    (fate,) = decide(row, **policy)
    assert (fate["verdict"], fate["detail"]) == (verdict, reason and f"code: {reason}")


@pytest.mark.parametrize(
    ("row", "policy", "detail"),
    [
        ({"template": "plain"}, {"templates": ["paper"]}, "malformed: template plain"),
        ({"template": None, "well_formed": False}, {"templates": ["paper"]}, f"malformed: {MALFORMED}"),
        ({"template": "plain"}, {}, None),
        ({"think_chars": 0}, {}, "unreasoned: think_chars 0 < 1"),
        ({"think_chars": 0}, {"min_think_chars": 0}, None),
        ({"think_chars": 80}, {"min_think_chars": 81}, "unreasoned: think_chars 80 < 81"),
        ({"answer_language": "zh"}, {"languages": ["en", "de"]}, "other_language: answer in zh"),
        ({"answer_language": "und"}, {"languages": ["en"]}, None),
        ({"answer_language": "zh"}, {}, None),
        ({"prompt_share": 1.0}, {}, None),
        ({"prompt_share": 0.75}, {"max_prompt_share": 0.5}, "leaked: prompt_share 0.75 > 0.5"),
        ({"consecutive": 0.5}, {"max_consecutive": 0.5}, None),
        (found(("refusal", "answer", "I cannot help")), {}, "refusal: I cannot help in the answer"),
        (found(("refusal", "answer", "I cannot help")), {"screens": ["secret"]}, None),
        (found(("refusal", "answer", "I cannot help")), {"screens": []}, None),
        (TWICE, {}, "secret: AWS Access Key, 20 characters in the question"),
        (TWICE, {"screens": ["self_naming"]}, "self_naming: I am Qwen in the think"),
        (found(("unsafe", "answer", "harm")), {}, None),
        (found(("unsafe", "answer", "harm")), {"screens": ["unsafe"]}, "unsafe: harm in the answer"),
        (TWICE | {"prompt_share": 0.75}, {"max_prompt_share": 0.5}, "leaked: prompt_share 0.75 > 0.5"),
        (TWICE | WRONG, {}, "secret: AWS Access Key, 20 characters in the question"),
    ],
)
def test_the_form_that_is_asked_for_is_the_recipes_to_say(row, policy, detail):
    (fate,) = decide(row, **policy)
    assert (None if fate["kept"] else f"{fate['drop_reason']}: {fate['detail']}") == detail


JUDGED_WRONG = {"math_verdict": "pass", "judged_equal": False}
UNSURE = {"math_verdict": "unverifiable", "math_reason": "timeout"}


@pytest.mark.parametrize(
    ("row", "policy", "field"),
    [
        ({}, {}, None),
        ({"truncated": True}, {}, "teacher.max_tokens"),
        ({"template": "plain"}, {"templates": ["paper"]}, "verification.templates"),
        ({"think_chars": 0}, {}, "verification.min_think_chars"),
        ({"repetition": 0.4}, {}, "verification.max_repetition"),
        ({"consecutive": 0.4}, {}, "verification.max_consecutive"),
        ({"answer_language": "zh"}, {"languages": ["en"]}, "verification.languages"),
        ({"prompt_share": 0.75}, {"max_prompt_share": 0.5}, "verification.max_prompt_share"),
        (found(("refusal", "answer", "I cannot help")), {}, "verification.screens"),
        (rewarded(4), {"accept": "verified"}, "verification.accept"),
        (WRONG | {"math_reason": "not equal"}, {}, "verification.accept"),
        (WRONG | {"judged_equal": False}, {"split": "judge"}, "verification.accept"),  # they agree
        (JUDGED_WRONG, {"split": "judge"}, "verification.split"),
        (JUDGED_WRONG, {"split": "verifier"}, None),
        ({"judged_equal": None}, {"split": "both"}, "verification.split"),
        (
            {"math_verdict": "unverifiable", "math_reason": "judge: a word of the answer"},
            {},
            "verification.keep_unverifiable",
        ),
        (UNSURE, {}, "verification.keep_unverifiable"),
        (rewarded(None), {}, "verification.keep_unverifiable"),
        ({"has_tests": True, "code_verdict": "fail", "code_reason": "test 2"}, {}, "verification.accept"),
        (BREAKS, {}, "verification.accept"),
        (BREAKS | JUDGED_WRONG, {"split": "either"}, "verification.accept"),
        (rewarded(2), {}, "verification.min_reward"),
        (rewarded(4, coherence=1), {"min_reward": 0.5, "minima": {"coherence": 2}}, "verification.minima.coherence"),
    ],
)
def test_a_dropped_response_names_the_field_that_decided(row, policy, field):
    (fate,) = decide(row, **policy)
    assert fate["decided_by"] == field
    assert fate["kept"] == (field is None)


def test_a_response_that_another_one_replaced_names_the_field_that_chose():
    fates = decide({"sample_index": 0}, {"sample_index": 1}, keep="first")
    assert [row["decided_by"] for row in fates] == [None, "verification.keep"]


WRONG_BUT_LIKED = {"math_verdict": "fail", "math_reason": "different", **dict.fromkeys(REWARD_DIMENSIONS, 4)}
RIGHT_BUT_DISLIKED = dict.fromkeys(REWARD_DIMENSIONS, 0)


@pytest.mark.parametrize(
    ("accept", "fates"),
    [
        ("best", ["wrong_answer", None, None, "low_reward", "failed_tests"]),
        ("verified", ["wrong_answer", None, "unchecked", "unchecked", "failed_tests"]),
        ("reward", [None, "low_reward", None, "low_reward", "unverifiable"]),
        ("all", [None, None, None, None, None]),
    ],
)
def test_a_recipe_says_which_evidence_decides(accept, fates):
    failed = {"has_tests": True, "code_verdict": "fail", "code_reason": "test 2"}
    rows = decide(WRONG_BUT_LIKED, RIGHT_BUT_DISLIKED, rewarded(4), rewarded(1), failed, accept=accept)
    assert [row["drop_reason"] for row in rows] == fates
    kinds = ["reward"] * 5 if accept == "reward" else ["math", "math", "reward", "reward", "code"]
    assert [row["evidence"] for row in rows] == kinds


def test_what_the_other_kind_of_evidence_says_stands_beside_the_verdict():
    rows = [WRONG_BUT_LIKED, RIGHT_BUT_DISLIKED, {}, rewarded(4)]
    assert [(r["verdict"], r["second_verdict"]) for r in decide(*rows)] == [
        ("fail", "pass"), ("pass", "fail"), ("pass", None), ("pass", None),
    ]  # fmt: skip
    swapped = [(r["verdict"], r["second_verdict"]) for r in decide(*rows, accept="reward")]
    assert swapped == [("pass", "fail"), ("fail", "pass"), ("unverifiable", "pass"), ("pass", None)]


def test_accepting_all_still_asks_for_the_form():
    rows = decide({"truncated": True}, {"well_formed": False}, {"repetition": 1.0}, WRONG_BUT_LIKED, accept="all")
    assert [row["drop_reason"] for row in rows] == ["truncated", "malformed", "repetitive", None]


def test_a_dimension_under_its_minimum_fails_whatever_the_others_are():
    good = rewarded(4, correctness=2)
    assert decide(good)[0]["kept"]
    (fate,) = decide(good, minima={"correctness": 3})
    assert (fate["drop_reason"], fate["detail"]) == ("low_reward", "correctness 2.0 < 3")
    (unread,) = decide(rewarded(4, verbosity=None), minima={"verbosity": 1})
    assert unread["drop_reason"] == "unverifiable"


def test_a_loop_counts_as_repetitive_even_where_it_was_cut_off():
    (row,) = decide({"truncated": True, "consecutive": 0.9})
    assert (row["drop_reason"], row["repetitive"]) == ("truncated", True)


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


def test_no_candidates_give_an_empty_set():
    assert decide() == []
