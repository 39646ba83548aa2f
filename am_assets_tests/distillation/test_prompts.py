"""What a teacher is asked, and when two requests are the same one."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.recipe import Example, TeacherPolicy
from am_assets.distillation.prompts import request_key, requests_table, sampling_of, teacher_messages
from am_assets.storage.schemas import TeacherRequests

POLICY = TeacherPolicy(
    model="some/teacher",
    system_prompt="Think, then answer.",
    math_suffix="Box the answer.",
    code_suffix="Fence the code.",
    examples=[Example(user="1 + 1?", assistant="<think>1 + 1 = 2.</think> <answer>2</answer>")],
)
SELECTED = pl.DataFrame(
    {
        "question_id": ["m", "c", "o", "none"],
        "question": ["2 + 2?", "Write f.", "Why?", "3 + 3?"],
        "has_reference": [True, True, False, True],
        "has_tests": [False, True, False, False],
        "samples": [2, 1, 1, 0],
    }
)


def test_an_example_of_a_kind_is_sent_before_questions_of_that_kind_only():
    both = Example(user="any", assistant="any")
    code = Example(user="a program?", assistant="a program", kind="code")
    policy = POLICY.model_copy(update={"examples": [both, code]})
    assert [turn["content"] for turn in teacher_messages("q", "open", policy)][1:] == ["any", "any", "q"]
    asked = [turn["content"] for turn in teacher_messages("q", "code", policy)]
    assert asked[1:5] == ["any", "any", "a program?", "a program"]


def test_system_prompt_examples_and_question_come_in_this_order():
    assert teacher_messages("2 + 2?", "math", POLICY) == [
        {"role": "system", "content": "Think, then answer."},
        {"role": "user", "content": "1 + 1?"},
        {"role": "assistant", "content": "<think>1 + 1 = 2.</think> <answer>2</answer>"},
        {"role": "user", "content": "2 + 2?\nBox the answer."},
    ]


def test_what_a_policy_does_not_say_is_not_sent():
    bare = TeacherPolicy(model="some/teacher")
    assert teacher_messages("2 + 2?", "math", bare) == [{"role": "user", "content": "2 + 2?"}]
    assert "stop" not in sampling_of(bare)


def test_tests_make_a_question_code_a_reference_math_and_neither_open():
    table = requests_table(SELECTED, POLICY)
    said = {row["question_id"]: json.loads(row["messages"])[-1]["content"] for row in table.iter_rows(named=True)}
    assert said == {"m": "2 + 2?\nBox the answer.", "c": "Write f.\nFence the code.", "o": "Why?"}


def test_one_row_a_sample_wanted():
    table = requests_table(SELECTED, POLICY)
    assert sorted(table.select("question_id", "sample_index").rows()) == [("c", 0), ("m", 0), ("m", 1), ("o", 0)]
    assert TeacherRequests.is_valid(table.with_columns(recipes=pl.lit(["demo"], pl.List(pl.String))))
    assert requests_table(SELECTED.clear(), POLICY).schema == table.schema


@given(st.permutations(range(SELECTED.height)))
def test_the_order_of_the_questions_does_not_matter(order: list[int]):
    assert requests_table(SELECTED[order], POLICY).equals(requests_table(SELECTED, POLICY))


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other/teacher"},
        {"system_prompt": "Think hard."},
        {"math_suffix": "Answer."},
        {"examples": []},
        {"temperature": 0.7},
        {"top_p": 0.9},
        {"max_tokens": 100},
        {"stop": ["</answer>"]},
    ],
)
def test_whatever_changes_the_answer_makes_another_request(change: dict):
    asked = SELECTED.filter(pl.col("question_id") == "m")
    before, after = requests_table(asked, POLICY), requests_table(asked, POLICY.model_copy(update=change))
    assert set(before["request_key"]).isdisjoint(after["request_key"])


@pytest.mark.parametrize("change", [{"samples": 8}, {"published": False}, {"code_suffix": "Code only."}])
def test_what_does_not_change_the_answer_asks_nothing_again(change: dict):
    asked = SELECTED.filter(pl.col("question_id") == "m")
    assert requests_table(asked, POLICY.model_copy(update=change)).equals(requests_table(asked, POLICY))


def test_more_samples_keep_the_keys_of_those_already_asked_for():
    few, many = SELECTED.with_columns(samples=2), SELECTED.with_columns(samples=5)
    assert set(requests_table(few, POLICY)["request_key"]) < set(requests_table(many, POLICY)["request_key"])


@given(st.text(), st.floats(0, 2))
def test_a_key_does_not_depend_on_the_order_of_settings(text: str, temperature: float):
    messages, turned = [{"role": "user", "content": text}], [{"content": text, "role": "user"}]
    sampling = {"temperature": temperature, "max_tokens": 10}
    backwards = dict(reversed(sampling.items()))
    assert request_key("m", messages, sampling, 0) == request_key("m", turned, backwards, 0)
