"""What answers cost and how a budget ends a stream. The teacher is simulated: a real server with scripted usage."""

import json
import time

import polars as pl
import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm import Budget, LlmError, ask
from am_assets.engines.llm.money import Meter
from am_assets_tests.scripted import Reply, Teacher, answer, requests

QUESTIONS = [str(number) for number in range(40)]
CENT = {"input_price": 0, "output_price": 2000}  # 5 tokens, as every scripted answer has, cost a cent
SAMPLING = json.dumps({"max_tokens": 8})  # at most 1.6 cents


def stream(server: Teacher, budget: Budget | None, **settings: object):
    reach = Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", **settings)
    return ask(requests(*QUESTIONS, sampling=SAMPLING), "openai/scripted", [reach], budget)


def slowly(question: str, _: int) -> Reply:
    return Reply(body=answer(question).body, seconds=0.02)


def test_a_budget_is_never_exceeded_and_what_it_bought_is_handed_over(teacher) -> None:
    budget = Budget(0.20)
    frames: list[pl.DataFrame] = []
    with pytest.raises(LlmError) as error:
        frames.extend(stream(teacher(slowly), budget, concurrency=8, **CENT))
    answers = pl.concat(frames)
    assert answers.height == 19  # the twentieth might have cost 1.6 cents
    assert budget.spent == pytest.approx(0.19)
    assert "19 of 40 requests answered and stored; the other 21 would cost about $0.21" in str(error.value)
    assert "budget of $0.2000 is reached" in str(error.value)


def test_a_prompt_of_more_tokens_than_its_length_suggests_does_not_exceed_the_budget(teacher) -> None:
    dense = Reply(body=answer("").body | {"usage": {"prompt_tokens": 45, "completion_tokens": 0}}, seconds=0.02)
    server, budget = teacher(lambda question, _: dense), Budget(0.05)
    reach = Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", input_price=100, output_price=0)
    questions = ["漢字" * 20 + number for number in QUESTIONS]  # guessed at ten tokens
    with pytest.raises(LlmError, match=r"budget of \$0\.0500 is reached"):
        list(ask(requests(*questions), "openai/scripted", [reach], budget))
    assert 0.03 <= budget.spent <= 0.05


def test_a_prompt_too_short_to_be_guessed_is_not_taken_for_free(teacher) -> None:
    server, budget = teacher(slowly), Budget(0.05)
    with pytest.raises(LlmError, match=r"budget of \$0\.0500 is reached"):
        list(stream(server, budget, input_price=1000, output_price=0))  # a prompt costs 0.3 cents
    assert 0 < budget.spent <= 0.05


def test_a_budget_within_another_ends_with_the_smaller(teacher) -> None:
    whole = Budget(0.10)
    server = teacher(slowly)
    with pytest.raises(LlmError, match=r"budget of \$0\.1000"):
        list(stream(server, Budget(5, within=whole), **CENT))
    assert whole.spent <= 0.10
    with pytest.raises(LlmError, match="0 of 40"):
        list(stream(server, Budget(within=whole), **CENT))


def test_requests_that_cost_nothing_need_no_budget(teacher) -> None:
    answers = pl.concat(stream(teacher(slowly), Budget(0.0), input_price=0, output_price=0))
    assert answers.height == 40


def test_a_budget_without_a_known_price_is_refused_before_anything_is_asked(teacher) -> None:
    server = teacher(slowly)
    with pytest.raises(ConfigError, match="set input_price and output_price in"):
        list(stream(server, Budget(1.0)))
    assert server.asked == []


FULL = "the disk is full"


def test_a_store_without_room_stops_new_requests_and_what_is_in_flight_is_handed_over(teacher) -> None:
    server = teacher(lambda question, _: Reply(body=answer(question).body, seconds=0.1))
    reach = Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", concurrency=2)
    frames: list[pl.DataFrame] = []
    room = iter([None] * 5)
    with pytest.raises(LlmError, match="the disk is full"):
        frames.extend(ask(requests(*QUESTIONS), "openai/scripted", [reach], refused=lambda: next(room, FULL)))
    assert sum(frame.height for frame in frames) == len(server.asked)
    assert 1 <= len(server.asked) <= 5


def test_the_state_of_a_stream_reads_as_a_line() -> None:
    meter = Meter(100, Budget(), done=20, failed=1, in_flight=4, tokens=5000, cost=0.5, started=time.monotonic() - 10)
    line = meter.line()
    assert line.startswith("20 answered, 1 failed, 4 in flight, 500 tokens/s, $0.5000 so far, $2.4750 in the end")
    assert line.endswith("40 s left")
