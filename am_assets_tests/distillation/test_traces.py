"""Reading traces: parts, format, repetition, truncation, language."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.distillation.traces import repetition, response_features
from am_assets.schema import ResponseFeatures


def features(*responses: str, finish_reason: str = "stop") -> list[dict]:
    frame = pl.DataFrame(
        {
            "response_id": [f"r{i:03}" for i in range(len(responses))],
            "question_id": ["q"] * len(responses),
            "response": list(responses),
            "finish_reason": [finish_reason] * len(responses),
        },
        schema=dict.fromkeys(["response_id", "question_id", "response", "finish_reason"], pl.String),
    )
    return ResponseFeatures.validate(response_features(frame)).to_dicts()


def read(response: str) -> tuple[str | None, str | None, bool]:
    (row,) = features(response)
    return row["think"], row["answer"], row["well_formed"]


@pytest.mark.parametrize(
    ("response", "parts"),
    [
        ("<think>2+2</think> <answer>4</answer>", ("2+2", "4", True)),
        ("\n<think>\n2+2\n</think>\n\n<answer>\n4\n</answer>\n", ("2+2", "4", True)),
        ("<think>2+2</think>\n\nIt is 4.", ("2+2", "It is 4.", True)),  # R1 style, no answer tags
        ("Sure! <think>2+2</think> <answer>4</answer>", ("2+2", "4", False)),
        ("<think>2+2</think> so <answer>4</answer>", ("2+2", "4", False)),
        ("<think>2+2</think> <answer>4</answer> Bye!", ("2+2", "4", False)),
        ("<think>2+2</think>", ("2+2", "", False)),
        ("<think>2+2</think> <answer> </answer>", ("2+2", "", False)),
        ("<think>2+2", (None, None, False)),
        ("2+2</think> 4", (None, None, False)),
        ("</think>4<think>2+2", (None, None, False)),
        ("<think>2+2</think> <answer>4", (None, None, False)),
        ("<think><think>2</think>+2</think> 4", (None, None, False)),
        ("<think>2</think><think>2</think> <answer>4</answer>", (None, None, False)),
        ("<think>2</think> <answer>4</answer> <answer>5</answer>", (None, None, False)),
        ("<think>I write <answer>5</answer></think> 4", (None, None, False)),
        ("4", (None, None, False)),
        ("", (None, None, False)),
    ],
)
def test_parts_are_told_apart_only_where_the_tags_allow_it(response, parts):
    assert read(response) == parts


def test_lengths_are_those_of_the_parts_and_zero_without_parts():
    told, untold = features("<think>äöü</think> <answer>4 m</answer>", "äöü")
    assert (told["think_chars"], told["answer_chars"]) == (3, 3)
    assert (untold["think_chars"], untold["answer_chars"]) == (0, 0)


def test_only_the_token_limit_means_truncated():
    assert features("<think>a", finish_reason="length")[0]["truncated"]
    assert not features("<think>a", finish_reason="stop")[0]["truncated"]


def test_rows_come_sorted_by_id_whatever_their_order():
    frame = pl.DataFrame(
        {"response_id": ["b", "a"], "question_id": "q", "response": ["x", "y"], "finish_reason": "stop"}
    )
    assert response_features(frame).equals(response_features(frame.reverse()))
    assert response_features(frame)["response_id"].to_list() == ["a", "b"]


def test_no_responses_have_no_features():
    assert features() == []


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("", 0, 0),
        ("no", 0, 0),
        ("the quick brown fox jumps over the lazy dog", 0, 0),
        ("no no no no", 0.7, 0.8),  # under 8 words: three of four repeat the word before
        ("no " * 8, 0.8, 0.9),  # one 8-gram only
        ("no " * 500, 0.97, 1),
        ("wait I see. " * 100, 0.9, 1),
        ("ha" * 400, 0.8, 1),  # a loop without spaces
        ("我再想一想。" * 100, 0.7, 1),
        (" ".join(map(str, range(500))), 0, 0),
        (" ".join(map(str, range(100))) + " the end" * 100, 0.4, 0.7),  # half of it is a loop
    ],
)
def test_repetition_is_the_share_of_repeated_ngrams(text, low, high):
    assert low <= repetition(pl.Series([text])).item() <= high


@settings(deadline=None)
@given(st.lists(st.text("ab \n", max_size=60), max_size=6))
def test_repetition_is_a_share_and_looks_at_each_text_alone(texts):
    together = repetition(pl.Series(texts, dtype=pl.String)).to_list()
    assert all(0 <= share <= 1 for share in together)
    assert together == [repetition(pl.Series([text])).item() for text in texts]


def test_the_answer_gives_the_language_not_the_think_part():
    german = "Die Antwort ist vierundzwanzig, weil zwölf und zwölf zusammen vierundzwanzig ergeben."
    english = "Let me add these two numbers and see what the result of the sum would be."
    assert features(f"<think>{english}</think> <answer>{german}</answer>")[0]["language"] == "de"
    assert features(english)[0]["language"] == "en"
    assert features("<think>a</think> <answer>24</answer>")[0]["language"] == "und"
