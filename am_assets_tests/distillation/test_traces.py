"""Reading traces: parts, format, truncation, language."""

import polars as pl
import pytest

from am_assets.distillation.parts import split
from am_assets.distillation.traces import response_features
from am_assets.storage.schemas import ResponseFeatures

COLUMNS = ["response_id", "question_id", "question", "response", "finish_reason"]


def features(*responses: str, finish_reason: str = "stop", question: str = "What is 2+2?") -> list[dict]:
    frame = pl.DataFrame(
        {
            "response_id": [f"r{i:03}" for i in range(len(responses))],
            "question_id": ["q"] * len(responses),
            "question": [question] * len(responses),
            "response": list(responses),
            "finish_reason": [finish_reason] * len(responses),
        },
        schema=dict.fromkeys(COLUMNS, pl.String),
    )
    return ResponseFeatures.validate(response_features(frame)).to_dicts()


def read(response: str) -> tuple[str | None, str | None, bool]:
    (row,) = split(pl.DataFrame({"response": [response]})).to_dicts()
    (told,) = features(response)
    assert (told["answer"], told["well_formed"]) == (row["answer"], row["well_formed"])
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
        ("2+2</think> 4", ("2+2", "4", True)),  # the prompt began the thought
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
        {
            "response_id": ["b", "a"],
            "question_id": "q",
            "question": "z",
            "response": ["x", "y"],
            "finish_reason": "stop",
        }
    )
    assert response_features(frame).equals(response_features(frame.reverse()))
    assert response_features(frame)["response_id"].to_list() == ["a", "b"]


def test_no_responses_have_no_features():
    assert features() == []


def test_the_template_is_named_where_the_parts_can_be_told():
    rows = features("<think>2+2</think> <answer>4</answer>", "<think>2+2</think> 4", "<think>2+2", "4")
    assert [row["template"] for row in rows] == ["paper", "plain", None, None]


def test_tags_are_no_words_and_each_part_is_measured_for_what_it_can_show():
    loop, echo = features(
        "<think>" + "wait I see. " * 100 + "</think> <answer>4</answer>",
        "<think>Easy.</think> <answer>What is 2+2?</answer>",
    )
    assert loop["consecutive"] > 0.9 and loop["repetition"] > 0.9 and loop["prompt_share"] == 0
    assert (echo["consecutive"], echo["repetition"], echo["prompt_share"]) == (0, 0, 1)


def test_long_responses_among_short_ones_are_measured_as_alone(monkeypatch):
    from am_assets.distillation import traces

    texts = ["4", "<think>" + "no " * 50 + "</think> no", "<think>2+2</think> 4", "so " * 40, ""]
    whole = features(*texts)
    monkeypatch.setattr(traces, "BLOCK_BYTES", 60)
    assert features(*texts) == whole


def test_think_and_answer_each_have_a_language():
    german = "Die Antwort ist vierundzwanzig, weil zwölf und zwölf zusammen vierundzwanzig ergeben."
    english = "Let me add these two numbers and see what the result of the sum would be."
    told, whole, formula = features(
        f"<think>{english}</think> <answer>{german}</answer>", english, "<think>a</think> <answer>24</answer>"
    )
    assert (told["think_language"], told["answer_language"]) == ("en", "de")
    assert (whole["think_language"], whole["answer_language"]) == ("und", "en")
    assert formula["answer_language"] == "und"
