"""Who says what in a chat is read from the roles of its turns."""

import json
from pathlib import Path
from typing import Any

import pytest

from am_assets.config.files import parse
from am_assets.datasets.chats import is_chat, read_chat, with_thinking
from am_assets.datasets.sources import Source, read_shard
from am_assets.datasets.values import Fault

QUESTION, ANSWER = {"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}
SYSTEM = {"role": "system", "content": "Be brief."}
LANGCHAIN = [
    {"type": "human", "data": {"content": "Q?", "additional_kwargs": {}, "type": "human"}},
    {"type": "ai", "data": {"content": "A.", "additional_kwargs": None, "type": "ai", "tool_calls": []}},
]
SHAREGPT = [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A."}]


@pytest.mark.parametrize(
    "turns",
    [
        [QUESTION, ANSWER],
        [SYSTEM, QUESTION, ANSWER],
        [QUESTION, SYSTEM, ANSWER],
        SHAREGPT,
        [{"from": "system", "value": "Be brief."}, *SHAREGPT],
        [{"from": "user", "value": "Q?"}, {"from": "assistant", "value": "A."}],
        [{"role": "User", "content": [{"type": "text", "text": "Q?"}]}, ANSWER],
        [QUESTION, {"role": "assistant", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "."}]}],
        [{"human": "Q?", "assistant": "A."}],
        [{"Human": "Q?", "Assistant": "A."}],
        [{"system": "Be brief.", "user": "Q?", "assistant": "A.", "turn": 1}],
        [{"user": "Q?", "assistant": None}, {"user": None, "assistant": "A."}],
        [{"type": "human", "content": "Q?"}, {"type": "ai", "content": "A."}],
        LANGCHAIN,
        [{"type": "system", "data": {"content": "Be brief."}}, *LANGCHAIN],
        [
            {"lc": 1, "type": "constructor", "id": ["langchain", name], "kwargs": {"content": said, "type": "x"}}
            for name, said in (("SystemMessage", "Be brief."), ("HumanMessage", "Q?"), ("AIMessageChunk", "A."))
        ],
    ],
)
def test_question_and_answer_are_found_wherever_they_stand(turns: list[dict]) -> None:
    for given in (turns, json.dumps(turns)):
        assert read_chat(given, None)[:2] == ("Q?", "A.")
    assert is_chat(turns)


@pytest.mark.parametrize(
    "answer",
    [
        {"role": "assistant", "content": "A.", "reasoning_content": "T."},
        {"role": "assistant", "content": "A.", "reasoning": "T."},
        {"role": "assistant", "content": "A.", "reasoning": "<think>T.</think>"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "T."}, {"type": "text", "text": "A."}]},
        {"role": "assistant", "content": "<think>T.</think>A.", "reasoning_content": "T."},
        {"role": "model", "parts": [{"text": "T.", "thought": True}, {"text": "A.", "thought": None}]},
        {"type": "ai", "data": {"content": "A.", "additional_kwargs": {"reasoning_content": "T."}}},
    ],
)
def test_thinking_apart_becomes_the_think_part(answer: dict) -> None:
    assert read_chat([QUESTION, answer], None).response == "<think>T.</think>A."


def test_an_item_of_thinking_belongs_to_the_turn_behind_it() -> None:
    summary = [{"type": "summary_text", "text": "T."}]
    thoughts = [{"type": "reasoning", "summary": summary}, {"type": "reasoning", "summary": [], "content": None}]
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A."}]}
    assert read_chat([QUESTION, *thoughts, said], None)[:2] == ("Q?", "<think>T.</think>A.")


def test_a_turn_on_the_channel_of_analysis_is_the_thought_of_the_next_one() -> None:
    thought, said = ({"role": "assistant", "channel": name, "content": name} for name in ("analysis", "final"))
    for several in (None, "first"):
        assert read_chat([QUESTION, thought, said], several)[:2] == ("Q?", "<think>analysis</think>final")
    assert read_chat([QUESTION, thought], None).response is None
    tool = {"role": "assistant", "channel": "commentary", "recipient": "functions.add", "content": "{}"}
    with pytest.raises(Fault, match="role tool"):
        read_chat([QUESTION, thought, tool, {"role": "tool", "content": "42"}, said], None)


@pytest.mark.parametrize("setting", ["off", "On", "high"])
def test_whether_a_model_was_to_think_is_no_thought(setting: str) -> None:
    assert read_chat([QUESTION, ANSWER | {"reasoning": setting}], None).response == "A."
    assert with_thinking(setting, "A.") == "A."
    assert with_thinking(f"It is {setting}.", "A.") == f"<think>It is {setting}.</think>A."


@pytest.mark.parametrize(
    "items",
    [
        [{"user": "Ann", "text": "Nice."}, {"user": "Bo", "text": "No."}],
        [{"model": "r1", "response": "A."}],
        [{"input": "1 2", "output": "3"}],
        [{"type": "function", "function": {"name": "add"}}],
        [{"type": "text", "text": "A."}],
        [{"human": 3, "assistant": 4}],
    ],
)
def test_objects_of_which_no_field_is_what_somebody_says_are_no_chat(items: list[dict]) -> None:
    assert not is_chat(items)


def test_a_question_alone_has_no_response() -> None:
    assert read_chat([SYSTEM, QUESTION], None)[:2] == ("Q?", None)


@pytest.mark.parametrize(
    ("turns", "asked"),
    [
        ([SYSTEM, QUESTION, ANSWER], "Be brief.\n\nQ?"),
        ([QUESTION, SYSTEM, ANSWER], "Be brief.\n\nQ?"),
        ([{"role": "developer", "content": "Be brief."}, QUESTION], "Be brief.\n\nQ?"),
        ([{"role": "system", "content": " "}, QUESTION], "Q?"),
        ([QUESTION, ANSWER], "Q?"),
    ],
)
def test_a_system_prompt_that_is_kept_stands_before_the_question(turns: list[dict], asked: str) -> None:
    assert read_chat(turns, None, "keep").question == asked
    assert read_chat(turns, None, "drop").question == "Q?"


@pytest.mark.parametrize(("entry", "asked"), [({"system": "keep"}, "Be brief.\n\nQ?"), ({}, "Q?")])
def test_the_entry_of_a_source_says_so(tmp_path: Path, entry: dict, asked: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": [SYSTEM, QUESTION, ANSWER]}) + "\n")
    source = parse(Source, {"location": "a.jsonl", "teacher": "t", "rank": 0, **entry}, "s")
    assert read_shard({"s": source}, "s", tmp_path)["question"].to_list() == [asked]


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        ([], "an empty chat"),
        ([SYSTEM], "an empty chat"),
        ([ANSWER, QUESTION], "that the assistant begins"),
        ([QUESTION, ANSWER, QUESTION, ANSWER], "several turns"),
        ([QUESTION, QUESTION], "two questions in a row"),
        ([QUESTION, {"role": "tool", "content": "42"}], "role tool"),
        ([{"human": "Q?", "assistant": "A."}, {"human": "Sure?", "assistant": "Yes."}], "several turns"),
        ([LANGCHAIN[0], {"type": "ai", "data": {"content": "", "tool_calls": [{"name": "add"}]}}], "calls a tool"),
        ([*LANGCHAIN, {"type": "tool", "data": {"content": "42"}}], "no role"),
        ([QUESTION, {"content": "A."}], "no role"),
        (["Q?", "A."], "no role"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}], "a part of type image_url"),
        ([{"role": "user", "content": {"text": "Q?"}}], "expected text, found an object"),
        ([{"role": "user", "parts": [{"inlineData": {}}, {"text": "Q?"}]}], "a part of type inlineData"),
        ([QUESTION, {"type": "function_call", "name": "add"}], "no role"),
        ([QUESTION, {"role": "assistant", "content": "A", "status": "incomplete"}], "cut off"),
    ],
)
def test_any_other_chat_is_a_fault(turns: Any, says: str) -> None:
    with pytest.raises(Fault, match=says):
        read_chat(turns, None)


def test_of_several_turns_the_first_two_are_read_where_that_is_asked_for() -> None:
    clarified = [QUESTION, ANSWER, {"role": "user", "content": "Sure?"}, {"role": "assistant", "content": "Yes."}]
    assert read_chat(clarified, "first")[:2] == ("Q?", "A.")
