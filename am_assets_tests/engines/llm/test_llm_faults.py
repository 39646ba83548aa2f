"""Every fault a provider may have, from a real HTTP server that is scripted to have them: a simulated teacher."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import product

import polars as pl
import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import LlmError, ask
from am_assets_tests.scripted import Reply, Teacher, answer, refusal, requests

KEY = "secret-of-the-test"
NUMBERS = [str(number) for number in range(12)]
DIRECT, LITELLM = "openai/scripted", "together_ai/scripted"  # by our own wire, and through litellm


def endpoint(server: Teacher, **settings: object) -> Endpoint:
    return Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", **settings)


def collect(server: Teacher, *questions: str, model: str = "openai/scripted", **settings: object) -> pl.DataFrame:
    return pl.concat(ask(requests(*questions), model, [endpoint(server, **settings)])).sort("key")


def since_first(server: Teacher) -> float:
    """Seconds since the first request."""
    return time.monotonic() - server.times[0]


PASSING = {
    "cut in mid-body": Reply(body=b'{"choices": [1, 2, 3]}', cut=True),
    "truncated JSON": Reply(body=b'{"id": "1", "choices": [{"mess'),
    "a page instead of JSON": Reply(body=b"<html>Bad gateway</html>", headers={"content-type": "text/html"}),
    "no choices": Reply(body={"id": "1", "choices": [], "usage": {}}),
    "no content": answer(None),
    "a list instead of an object": Reply(body=b"[]"),
    "an error with status 200": Reply(body={"error": {"message": "overloaded"}}),
    "408": refusal(408),
    "500": refusal(500),
    "502": refusal(502),
    "503": refusal(503),
    "429": refusal(429),
}


UNREAD = {("an error with status 200", LITELLM)}  # litellm says it was refused with status 400


@pytest.mark.parametrize(("fault", "model"), sorted(set(product(PASSING, (DIRECT, LITELLM))) - UNREAD))
def test_a_passing_fault_is_tried_again_and_the_answer_taken(teacher, fault: str, model: str) -> None:
    server = teacher(lambda question, nth: PASSING[fault] if nth == 1 else answer(question))
    assert collect(server, "a", "b", model=model)["text"].to_list() == ["a", "b"]
    assert sorted(server.asked) == ["a", "a", "b", "b"]


@pytest.mark.alone
@pytest.mark.parametrize("model", [DIRECT, LITELLM])
def test_a_stalled_answer_is_given_up_and_asked_again(teacher, model: str) -> None:
    server = teacher(lambda question, nth: Reply(body=answer(question).body, seconds=3 if nth == 1 else 0))
    started = time.monotonic()
    assert collect(server, "a", model=model, timeout_seconds=0.3)["text"].to_list() == ["a"]
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("model", [DIRECT, LITELLM])
@pytest.mark.parametrize("form", ["seconds", "date", "milliseconds"])
def test_nobody_asks_before_the_time_a_provider_asked_for(teacher, form: str, model: str) -> None:
    there = datetime(2020, 1, 1, tzinfo=UTC)  # a clock of its own
    forms = {
        "seconds": {"retry_after": "1"},
        "milliseconds": {"retry_after_ms": "1000"},
        "date": {"date": format_datetime(there), "retry_after": format_datetime(there + timedelta(seconds=1))},
    }

    def busy_for_a_second(question: str, _: int) -> Reply:
        return answer(question) if since_first(server) > 1 else refusal(429, **forms[form])

    server = teacher(busy_for_a_second)
    assert collect(server, *NUMBERS, model=model, concurrency=4)["text"].to_list() == sorted(NUMBERS)
    first_refusals = [at for at in server.times if at - server.times[0] < 0.5]
    assert len(first_refusals) <= 4  # those that were under way together
    later = [at - server.times[0] for at in server.times[len(first_refusals) :]]
    assert min(later) >= 0.99


def test_a_storm_of_refusals_without_a_time_ends_with_every_answer(teacher) -> None:
    server = teacher(lambda question, _: refusal(429) if since_first(server) < 1.5 else answer(question))
    assert collect(server, *NUMBERS, concurrency=8, retries=0)["text"].to_list() == sorted(NUMBERS)
    assert len(server.asked) < 60


def test_a_provider_that_refuses_everybody_is_given_up_after_its_patience(teacher) -> None:
    server = teacher(lambda question, _: refusal(429))
    with pytest.raises(LlmError, match=r"nobody answered for 0\.5 seconds; the last fault was status 429"):
        collect(server, *NUMBERS, patience_seconds=0.5)


@pytest.mark.parametrize("model", [DIRECT, LITELLM])
def test_a_server_that_dies_and_comes_back_loses_nothing(teacher, model: str) -> None:
    server = teacher(lambda question, _: Reply(body=answer(question).body, seconds=0.05))
    back: list[Teacher] = []

    def die_and_come_back() -> None:
        time.sleep(0.3)
        server.stop()
        time.sleep(0.7)
        back.append(Teacher(lambda question, _: answer(question), port=server.port))

    questions = [str(number) for number in range(60)]
    threading.Thread(target=die_and_come_back).start()
    assert collect(server, *questions, model=model, concurrency=4, retries=3)["text"].to_list() == sorted(questions)
    assert back[0].asked
    back[0].stop()


@pytest.mark.alone
@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_clock_that_jumps_delays_nothing(teacher, monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    server = teacher(lambda question, nth: refusal(429) if nth == 1 else answer(question))
    real, began = time.time, time.monotonic()
    monkeypatch.setattr(time, "time", lambda: real() + (jump if time.monotonic() - began > 0.2 else 0))
    assert collect(server, *NUMBERS, requests_per_minute=6000)["text"].to_list() == sorted(NUMBERS)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "check model name"), (401, "check the API key"), (402, "no credit"), (403, "may not use"),
     (404, "no such model or address"), (422, "sampling parameters")],
)  # fmt: skip
def test_a_refusal_stops_at_once_and_says_what_to_fix(teacher, status: int, advice: str) -> None:
    server = teacher(lambda question, _: refusal(status))
    with pytest.raises(LlmError, match=advice):
        collect(server, *(str(number) for number in range(50)), concurrency=2)
    assert len(server.asked) <= 4


ECHOES = [
    KEY,
    "secr*********test",
    "secret-of***",
    "****-test",
    f"Bearer {KEY}",
    "sk-proj-abcdefghijkl",
    "x" * 60 + KEY,
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("model", [DIRECT, LITELLM])
def test_a_key_is_in_no_message_however_the_provider_echoes_it(teacher, echo: str, model: str) -> None:
    server = teacher(lambda question, _: refusal(401, f"Incorrect API key provided: {echo}."))
    with pytest.raises(LlmError) as error:
        collect(server, "a", model=model)
    assert echo not in str(error.value)
    assert KEY not in str(error.value)


@pytest.mark.parametrize("before", [0, 55, 70])  # the third is cut off in the middle of the key
@pytest.mark.parametrize("model", [DIRECT, LITELLM])
def test_a_page_that_shows_the_key_is_quoted_without_it(teacher, before: int, model: str) -> None:
    page = Reply(body=("<html>" + " " * before + KEY).encode(), headers={"content-type": "text/html"})
    with pytest.raises(LlmError, match="<html>") as error:
        collect(teacher(lambda question, _: page), "a", model=model, retries=0)
    assert KEY[:6] not in str(error.value) and KEY[-6:] not in str(error.value)


def test_other_providers_go_through_litellm_and_fare_the_same(teacher, monkeypatch: pytest.MonkeyPatch) -> None:
    import litellm

    calls = []
    real = litellm.acompletion
    monkeypatch.setattr(litellm, "acompletion", lambda **call: calls.append(call) or real(**call))
    server = teacher(lambda question, nth: refusal(429) if nth == 1 else answer(question, reasoning_content="hm"))
    answers = collect(server, "a", "b", model=LITELLM, input_price=1, output_price=1)
    assert answers.select("text", "reasoning", "prompt_tokens").rows() == [("a", "hm", 3), ("b", "hm", 3)]
    assert len(calls) == len(server.asked) == 4
