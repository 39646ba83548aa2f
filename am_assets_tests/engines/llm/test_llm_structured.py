"""Answers that must fit a schema: sent where the model takes it, checked, repaired once, else kept as they came. The
teacher is simulated: a real HTTP server that is scripted to answer badly."""

import json

import polars as pl
import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import ask
from am_assets.engines.llm.structured import misfit, read_object
from am_assets_tests.scripted import Teacher, answer, requests

SCHEMA = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"], "additionalProperties": False}
FORM = {"type": "json_schema", "json_schema": {"name": "number", "strict": True, "schema": SCHEMA}}
SAMPLING = json.dumps({"max_tokens": 8, "response_format": FORM})


def collect(server: Teacher, *questions: str, **settings: object) -> pl.DataFrame:
    reach = Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", input_price=1, output_price=1, **settings)
    return pl.concat(ask(requests(*questions, sampling=SAMPLING), "openai/scripted", [reach])).sort("key")


def test_an_answer_that_fits_is_taken_as_it_is(teacher) -> None:
    server = teacher(lambda question, _: answer('{"n": 1}'))
    assert collect(server, "a").select("text", "fits_schema").rows() == [('{"n": 1}', True)]
    assert server.bodies[0]["response_format"] == FORM


def test_an_answer_that_does_not_fit_gets_one_repair_try_that_shows_what_is_wrong(teacher) -> None:
    server = teacher(lambda question, _: answer('{"n": 3}' if question == "a" else '{"n": 2}'))
    answers = collect(server, "a")
    assert answers.select("key", "text", "fits_schema").rows() == [("a", '{"n": 2}', True)]
    assert answers["cost"].item() == pytest.approx(2 * 8e-6)
    _, again = server.bodies
    assert [message["role"] for message in again["messages"]] == ["user", "assistant", "user"]
    assert "3 is not one of [1, 2]" in again["messages"][-1]["content"]


def test_an_answer_that_does_not_fit_after_repair_is_kept_as_it_came_first(teacher) -> None:
    server = teacher(lambda question, _: answer("one" if question == "a" else "still one"))
    answers = collect(server, "a")
    assert answers.select("text", "fits_schema").rows() == [("one", False)]
    assert len(server.asked) == 2


def test_an_answer_cut_off_is_neither_repaired_nor_asked_again(teacher) -> None:
    server = teacher(lambda question, _: answer('{"n"', finish="length"))
    assert collect(server, "a").select("finish_reason", "fits_schema").rows() == [("length", False)]
    assert len(server.asked) == 1


@pytest.mark.parametrize(("takes", "sent"), [("json_object", {"type": "json_object"}), ("none", None)])
def test_an_endpoint_is_sent_what_it_takes_and_held_to_the_schema_all_the_same(teacher, takes: str, sent) -> None:
    server = teacher(lambda question, _: answer('```json\n{"n": 1}\n```'))
    assert collect(server, "a", structured=takes)["fits_schema"].to_list() == [True]
    assert server.bodies[0].get("response_format") == sent


def test_a_think_part_before_the_answer_is_no_part_of_it() -> None:
    assert misfit('<think>{"n": 3}?</think> {"n": 1}', json.dumps(SCHEMA)) is None


@pytest.mark.parametrize("text", ["", "[" * 5000, "null", '{"n": "1"}', '{"n": 1} and more', "\ud800"])
def test_odd_texts_do_not_fit_and_break_nothing(text: str) -> None:
    assert misfit(text, json.dumps(SCHEMA))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"same": true}', {"same": True}),
        ('```json\n{"same": true}\n```', {"same": True}),
        ('<think>```{"same": false}```</think>\n```\n{"same": true}```', {"same": True}),
        ("{}", {}),
        ("[true]", None),
        ("null", None),
        ('{"same": true', None),
        ('same: ```{"same": true}```', None),
        ("[" * 100_000, None),
    ],
)
def test_an_object_is_read_bare_fenced_or_after_a_think_part_and_nothing_else_is(text: str, value: dict | None) -> None:
    assert read_object(text) == value
