"""The LLM engine against a real HTTP server whose faults are scripted: a simulated teacher, used here alone."""

import time

import polars as pl
import pytest

from am_assets.engines.llm import Endpoint, LlmError, ask
from am_assets.recipe import ConfigError
from am_assets_tests.scripted import Reply, Teacher, answer, refusal, requests


def collect(teacher: Teacher, *questions: str, **endpoint: object) -> pl.DataFrame:
    reach = Endpoint(api_base=teacher.url, api_key_env="TEST_TEACHER_KEY", **endpoint)
    return pl.concat(ask(requests(*questions), "openai/scripted", [reach]))


def test_every_request_gets_its_own_answer_with_usage_and_cost(teacher) -> None:
    server = teacher(lambda question, _: answer(question.upper()))
    answers = collect(server, "a", "b", "c", input_price=1, output_price=2).sort("key")
    assert answers["text"].to_list() == ["A", "B", "C"]
    assert answers["completion_tokens"].to_list() == [5, 5, 5]
    assert answers["cost"].to_list() == pytest.approx([13e-6] * 3)


def test_no_more_requests_are_open_than_allowed(teacher) -> None:
    def slowly(question: str, _: int) -> Reply:
        time.sleep(0.05)
        return answer(question)

    server = teacher(slowly)
    collect(server, *(str(n) for n in range(20)), concurrency=3)
    assert 2 <= server.most_open <= 3


def test_a_slow_answer_keeps_none_of_the_others_waiting(teacher) -> None:
    def one_slow(question: str, _: int) -> Reply:
        time.sleep(1.5 if question == "slow" else 0)
        return answer(question)

    server = teacher(one_slow)
    frames = list(
        ask(
            requests("slow", *"abcdef"),
            "openai/scripted",
            [Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY")],
        )
    )
    assert sorted(frames[0]["key"]) == list("abcdef")
    assert frames[-1]["key"].to_list() == ["slow"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_fault_is_tried_again(teacher, status: int) -> None:
    server = teacher(lambda question, nth: refusal(status) if nth == 1 else answer(question))
    assert collect(server, "a")["text"].to_list() == ["a"]
    assert server.asked == ["a", "a"]


def test_a_wrong_key_stops_at_once_and_is_not_shown(teacher) -> None:
    server = teacher(lambda question, _: refusal(401))
    with pytest.raises(LlmError) as error:
        collect(server, *(str(n) for n in range(50)), concurrency=2)
    assert len(server.asked) <= 3
    assert "check the API key" in str(error.value)
    assert "secret-of-the-test" not in str(error.value)


def test_an_unanswered_request_loses_no_other_answer(teacher) -> None:
    server = teacher(lambda question, _: refusal(500) if question == "b" else answer(question))
    answers = []
    with pytest.raises(LlmError, match="2 of 3 requests are answered"):
        for frame in ask(
            requests("a", "b", "c"),
            "openai/scripted",
            [Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", retries=0)],
        ):
            answers += frame["key"].to_list()
    assert sorted(answers) == ["a", "c"]


def test_an_end_by_length_is_a_result_and_not_asked_again(teacher) -> None:
    server = teacher(lambda question, _: answer("half a tho", finish="length"))
    assert collect(server, "a")["finish_reason"].to_list() == ["length"]
    assert server.asked == ["a"]


def test_a_separate_reasoning_field_is_kept_apart(teacher) -> None:
    server = teacher(lambda question, _: answer("4", reasoning_content="2 and 2"))
    answers = collect(server, "a")
    assert answers.select("reasoning", "text").rows() == [("2 and 2", "4")]


def test_a_missing_key_is_named_before_anything_is_asked(teacher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_TEACHER_KEY")
    server = teacher(lambda question, _: answer(question))
    with pytest.raises(ConfigError, match="TEST_TEACHER_KEY"):
        collect(server, "a")
    assert server.asked == []
