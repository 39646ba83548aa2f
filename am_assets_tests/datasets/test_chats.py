"""Who says what in a chat is read from the roles of its turns."""

import json
from pathlib import Path
from typing import Any

import pytest

from am_assets.config.files import parse
from am_assets.datasets.chats import is_chat, read_chat
from am_assets.datasets.sources import Source, read_shard
from am_assets.datasets.values import Fault

QUESTION, ANSWER = {"role": "user", "content": "Q?"}, {"role": "assistant", "content": "A."}
SYSTEM = {"role": "system", "content": "Be brief."}
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
    ],
)
def test_thinking_apart_becomes_the_think_part(answer: dict) -> None:
    assert read_chat([QUESTION, answer], None).response == "<think>T.</think>A."


def test_an_item_of_thinking_belongs_to_the_turn_behind_it() -> None:
    summary = [{"type": "summary_text", "text": "T."}]
    thoughts = [{"type": "reasoning", "summary": summary}, {"type": "reasoning", "summary": [], "content": None}]
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A."}]}
    assert read_chat([QUESTION, *thoughts, said], None)[:2] == ("Q?", "<think>T.</think>A.")


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
