"""The stream of requests and answers, against a real HTTP server that is scripted: a simulated teacher."""

import asyncio
import time

import polars as pl
import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm import LlmError, ask, requester, stream
from am_assets_tests.scripted import Reply, Teacher, answer, refusal, requests

NUMBERS = [str(number) for number in range(300)]


def endpoint(server: Teacher, **settings: object) -> Endpoint:
    return Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", **settings)


def collect(server: Teacher, *questions: str, model: str = "openai/scripted", **settings: object) -> pl.DataFrame:
    return pl.concat(ask(requests(*questions), model, [endpoint(server, **settings)]))


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


RESULTS = {
    "length": (answer("half a tho", finish="length"), ("half a tho", "length")),
    "content filter": (answer("", finish="content_filter"), ("", "content_filter")),
    "content filter without content": (answer(None, finish="content_filter"), ("", "content_filter")),
    "refused by a content policy": (refusal(400, "violates our content policy"), ("", "content_filter")),
    "too long": (refusal(400, "This model's maximum context length is 8 tokens"), ("", "context_exceeded")),
    "reasoning alone": (answer(None, reasoning_content="hm"), ("", "stop")),
    "length by another name": (answer("half", finish="max_tokens"), ("half", "length")),
}


@pytest.mark.parametrize("model", ["openai/scripted", "together_ai/scripted"])  # by our own wire, and by litellm
@pytest.mark.parametrize("case", RESULTS)
def test_an_end_that_a_retry_would_not_change_is_a_result(teacher, case: str, model: str) -> None:
    reply, expected = RESULTS[case]
    server = teacher(lambda question, _: reply)
    answers = collect(server, "a", model=model)
    assert answers.select("text", "finish_reason").rows() == [expected]
    assert server.asked == ["a"]


ERRORS = ["error", "insufficient_system_resource", "network_error", "abort", "who_knows"]
ODD = {
    "half a surrogate pair": (
        b'{"choices": [{"finish_reason": "stop", "message": {"content": "a\\ud800b"}}]}',
        ("a?b", None, 0),
    ),
    "a list of parts": (
        b'{"choices": [{"finish_reason": "stop", "message":'
        b' {"content": [{"type": "text", "text": "x"}, {"text": "y"}, 3]}}]}',
        ("xy", None, 0),
    ),
    "usage that is none": (
        b'{"choices": [{"finish_reason": "stop", "message": {"content": "x", "reasoning": {"a": 1}}}],'
        b' "usage": {"prompt_tokens": -5}}',
        ("x", None, 0),
    ),
    "no usage": (
        b'{"choices": [{"finish_reason": "stop", "message": {"content": ""}}], "usage": [], "model": 7}',
        ("", None, 0),
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_answer_is_stored_as_far_as_it_can_be_and_breaks_nothing(teacher, case: str) -> None:
    body, expected = ODD[case]
    server = teacher(lambda question, _: Reply(body=body))
    assert collect(server, "a").select("text", "reasoning", "prompt_tokens").rows() == [expected]


@pytest.mark.parametrize(
    ("told", "model"),
    [
        *((told, "openai/scripted") for told in (*ERRORS, None)),
        *((told, "together_ai/scripted") for told in ERRORS),  # by litellm, which makes `stop` of no reason at all
    ],
)
def test_an_answer_that_was_interrupted_is_asked_for_again_and_its_cost_is_counted(
    teacher, told: str | None, model: str
) -> None:
    server = teacher(lambda _, times: answer("half", finish=told) if times == 1 else answer("whole"))
    answers = collect(server, "a", model=model, input_price=1, output_price=2)
    assert answers.select("text", "finish_reason").rows() == [("whole", "stop")]
    assert answers["cost"].item() == pytest.approx(2 * 13e-6)
    assert server.asked == ["a", "a"]
    always = teacher(lambda *_: answer("half", finish=told))
    with pytest.raises(LlmError, match=r"0 of 1 request answered and stored.*the answer was interrupted"):
        collect(always, "a", model=model, retries=1)


def test_a_request_that_keeps_failing_costs_no_other_its_answer(teacher) -> None:
    server = teacher(lambda question, _: refusal(500) if question == "b" else answer(question))
    answers = []
    with pytest.raises(LlmError, match="2 of 3 requests answered and stored"):
        for frame in ask(requests("a", "b", "c"), "openai/scripted", [endpoint(server, retries=1)]):
            answers += frame["key"].to_list()
    assert sorted(answers) == ["a", "c"]
    assert server.asked.count("b") == 2


def test_two_endpoints_share_the_work_by_their_room(teacher) -> None:
    slow = [teacher(lambda question, _: Reply(body=answer(question).body, seconds=0.05)) for _ in range(2)]
    endpoints = [endpoint(slow[0], concurrency=2), endpoint(slow[1], concurrency=6)]
    questions = [str(number) for number in range(80)]
    answers = pl.concat(ask(requests(*questions), "openai/scripted", endpoints))
    assert answers.height == 80
    assert 10 <= len(slow[0].asked) <= 30
    assert slow[0].most_open <= 2 and slow[1].most_open <= 6


@pytest.mark.alone
def test_an_endpoint_that_fails_is_left_alone_and_comes_back(teacher) -> None:
    ill = teacher(lambda question, _: refusal(503) if time.monotonic() - ill.times[0] < 1 else answer(question))
    well = teacher(lambda question, _: Reply(body=answer(question).body, seconds=0.03))
    questions = [str(number) for number in range(200)]
    answers = pl.concat(ask(requests(*questions), "openai/scripted", [endpoint(ill), endpoint(well)]))
    assert answers.height == 200
    refused = [at for at in ill.times if at - ill.times[0] < 1]
    assert len(refused) <= 3 * 4  # four at a time, after pauses of at least 0, 0.25 and 0.5 seconds
    assert len(ill.times) > len(refused)


MISTAKES = [KeyError("no such field"), AssertionError(), asyncio.CancelledError(), SystemExit(3)]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: type(mistake).__name__)
def test_a_mistake_of_ours_ends_the_stream_and_names_itself(teacher, monkeypatch, mistake: BaseException) -> None:
    def raises(*_: object) -> None:
        raise mistake

    monkeypatch.setattr(requester, "answer_row", raises)
    server = teacher(lambda question, _: answer(question))
    with pytest.raises(LlmError, match=f"0 of 300 requests .* First fault: {type(mistake).__name__}: {mistake}"):
        collect(server, *NUMBERS)


@pytest.mark.alone
def test_a_stream_whose_answers_are_no_longer_taken_ends_though_many_wait_to_be_stored(teacher, monkeypatch) -> None:
    monkeypatch.setattr(stream, "MAX_UNSTORED", 3)
    server = teacher(lambda question, _: answer(question))
    answers = ask(requests(*NUMBERS), "openai/scripted", [endpoint(server)])
    next(answers)
    time.sleep(0.3)  # the answers that nobody takes fill the room there is
    started = time.monotonic()
    answers.close()
    assert time.monotonic() - started < 2
    assert len(server.asked) < 300
