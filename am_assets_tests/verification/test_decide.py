"""Which responses stay: every row one fate, and the reason a person can read."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.recipe import Recipe, RewardMinima, VerificationPolicy
from am_assets.config.vocabulary import OUTCOMES, RESPONSE_DROPS, REWARD_DIMENSIONS, TEMPLATES, VERDICTS
from am_assets.storage.schemas import VerifiedSet
from am_assets.verification.decide import MALFORMED, verified_set

SOUND = {
    "response_id": "r", "question_id": "q", "shard": "s", "source": "s", "category": "math", "difficulty": "easy",
    "teacher": "t", "origin": "distilled", "sample_index": 0, "has_reference": True, "has_tests": False,
    "has_constraints": False, "instruction_verdict": None, "instruction_reason": None,
    "template": "paper", "well_formed": True, "truncated": False, "repetition": 0.0, "consecutive": 0.0,
    "prompt_share": 0.0, "answer_language": "en", "response_chars": 100, "math_verdict": "pass",
    "math_reason": "equal", "judged_equal": None, "code_verdict": None, "code_reason": None,
    "outcomes": None, **dict.fromkeys(REWARD_DIMENSIONS),
}  # fmt: skip
TYPES = {
    "sample_index": pl.UInt16, "has_reference": pl.Boolean, "has_tests": pl.Boolean, "has_constraints": pl.Boolean,
    "instruction_verdict": pl.Enum(VERDICTS), "well_formed": pl.Boolean,
    "truncated": pl.Boolean, "repetition": pl.Float32, "consecutive": pl.Float32, "prompt_share": pl.Float32,
    "template": pl.Enum(TEMPLATES), "response_chars": pl.UInt32, "judged_equal": pl.Boolean,
    "math_verdict": pl.Enum(VERDICTS), "code_verdict": pl.Enum(VERDICTS), "outcomes": pl.List(pl.Enum(OUTCOMES)),
    **dict.fromkeys(REWARD_DIMENSIONS, pl.Float32),
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
        ({"answer_language": "zh"}, {"languages": ["en", "de"]}, "other_language: answer in zh"),
        ({"answer_language": "und"}, {"languages": ["en"]}, None),
        ({"answer_language": "zh"}, {}, None),
        ({"prompt_share": 1.0}, {}, None),
        ({"prompt_share": 0.75}, {"max_prompt_share": 0.5}, "leaked: prompt_share 0.75 > 0.5"),
        ({"consecutive": 0.5}, {"max_consecutive": 0.5}, None),
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
        ({"repetition": 0.4}, {}, "verification.max_repetition"),
        ({"consecutive": 0.4}, {}, "verification.max_consecutive"),
        ({"answer_language": "zh"}, {"languages": ["en"]}, "verification.languages"),
        ({"prompt_share": 0.75}, {"max_prompt_share": 0.5}, "verification.max_prompt_share"),
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


candidates = st.lists(
    st.fixed_dictionaries(
        {
            "question_id": st.sampled_from("abc"),
            "sample_index": st.integers(0, 3),
            "response_chars": st.integers(0, 3),
            "has_reference": st.booleans(),
            "has_tests": st.booleans(),
            "has_constraints": st.booleans(),
            "instruction_verdict": st.sampled_from([None, *VERDICTS]),
            "well_formed": st.booleans(),
            "truncated": st.booleans(),
            "repetition": st.floats(0, 1, width=32),
            "consecutive": st.floats(0, 1, width=32),
            "prompt_share": st.floats(0, 1, width=32),
            "template": st.sampled_from(TEMPLATES),
            "answer_language": st.sampled_from(["en", "zh", "und"]),
            "math_verdict": st.sampled_from([*VERDICTS, None]),
            "judged_equal": st.sampled_from([True, False, None]),
            "code_verdict": st.sampled_from([*VERDICTS, None]),
            "outcomes": st.none() | st.lists(st.sampled_from(OUTCOMES[:3]), max_size=3),
            **dict.fromkeys(REWARD_DIMENSIONS, st.none() | st.integers(0, 4)),
        }
    ),
    max_size=12,
)
ACCEPT = ["best", "verified", "reward", "all"]
LAX_AND_STRICT = {
    "max_repetition": (1, 0),
    "max_consecutive": (1, 0),
    "max_prompt_share": (1, 0),
    "min_reward": (0, 1),
    "keep_unverifiable": (True, False),
    "languages": (None, ["en"]),
    "templates": (TEMPLATES, ["paper"]),
    "minima": (RewardMinima(), RewardMinima(correctness=3)),
    "min_tests_passed": (0.5, 0.9),
    "accept": ("best", "verified"),
}
policies = st.builds(
    VerificationPolicy,
    accept=st.sampled_from(ACCEPT),
    max_repetition=st.floats(0, 1),
    max_consecutive=st.floats(0, 1),
    max_prompt_share=st.floats(0, 1),
    minima=st.builds(RewardMinima, correctness=st.integers(0, 4), verbosity=st.integers(0, 4)),
    keep_unverifiable=st.booleans(),
    first_tests=st.none() | st.integers(1, 3),
    min_tests_passed=st.floats(0, 1),
    split=st.sampled_from(["verifier", "judge", "either", "both"]),
    min_reward=st.floats(0, 1),
    keep=st.sampled_from(["all", "first", "shortest", "best_reward"]),
)


def paths(content: dict, within: str = "") -> set[str]:
    below = [paths(value, f"{within}{name}.") for name, value in content.items() if isinstance(value, dict)]
    return {f"{within}{name}" for name in content}.union(*below)


RECIPE_FIELDS = paths(Recipe(teacher={"model": "m"}, training={"student": "s"}).model_dump())


@given(candidates, policies)
def test_every_row_has_exactly_one_fate(rows, policy):
    table = verified_set(frame(rows), policy)
    assert sorted(table["response_id"]) == sorted(frame(rows)["response_id"])
    assert (table["kept"] == table["drop_reason"].is_null()).all()
    assert (table["kept"] == table["detail"].is_null()).all()
    assert (table["kept"] == table["decided_by"].is_null()).all()
    assert set(table["decided_by"].drop_nulls()) <= RECIPE_FIELDS
    drops = table["drop_reason"].drop_nulls()
    assert set(drops) <= set(RESPONSE_DROPS) and drops.len() + table["kept"].sum() == len(rows)


@given(candidates, policies, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rows, policy, random):
    table = frame(rows)
    order = list(range(table.height))
    random.shuffle(order)
    assert verified_set(table[order], policy).equals(verified_set(table, policy))


@given(candidates, policies)
def test_choosing_keeps_one_response_of_each_question_that_has_a_good_one(rows, policy):
    everything = verified_set(frame(rows), policy.model_copy(update={"keep": "all"})).filter("kept")
    chosen = verified_set(frame(rows), policy).filter("kept")
    if policy.keep != "all":
        assert sorted(chosen["question_id"]) == sorted(everything["question_id"].unique())
    assert set(chosen["response_id"]) <= set(everything["response_id"])


@given(candidates, policies, st.sampled_from(list(LAX_AND_STRICT)))
def test_stricter_settings_keep_a_subset(rows, policy, field):
    every = policy.model_copy(update={"keep": "all"})
    policies = [every.model_copy(update={field: value}) for value in LAX_AND_STRICT[field]]
    lax, strict = (set(verified_set(frame(rows), p).filter("kept")["response_id"]) for p in policies)
    assert strict <= lax


@given(candidates, policies)
def test_accepting_all_keeps_whatever_any_evidence_keeps(rows, policy):
    every = policy.model_copy(update={"keep": "all"})
    kept = {
        accept: set(
            verified_set(frame(rows), every.model_copy(update={"accept": accept})).filter("kept")["response_id"]
        )
        for accept in ACCEPT
    }
    assert kept["verified"] <= kept["best"]
    assert kept["best"] | kept["reward"] <= kept["all"]


def test_no_candidates_give_an_empty_set():
    assert decide() == []
