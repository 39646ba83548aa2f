"""Constraints that a rule can check: what is told of each, and that no row hangs or decides by chance."""

import json
import time
from typing import Any

import polars as pl
import pytest

from am_assets.config.instruments import Instructions
from am_assets.verification.verifiers.instructions import MEASURED, InstructionVerdicts, verify
from am_assets_tests.desk import Desk

LIMITS = Instructions(timeout_seconds=2)
PROSE = "Dr. Smith lives in Washington. He has two dogs and a cat! Would you visit him?"
Asked = tuple[str, dict[str, Any]]


def verdicts(*rows: tuple[str | None, list[Asked]], limits: Instructions = LIMITS) -> list[dict]:
    jobs = [
        (f"{n:03}", answer, json.dumps([{"id": name, "kwargs": settings} for name, settings in asked]))
        for n, (answer, asked) in enumerate(rows)
    ]
    frame = pl.DataFrame(jobs, {"key": pl.String, "answer": pl.String, "constraints": pl.String}, orient="row")
    table = pl.concat(verify(frame, limits))
    assert table.drop("seconds").schema == MEASURED
    assert table["key"].to_list() == frame["key"].to_list()
    assert InstructionVerdicts.is_valid(table.rename({"key": "response_id"}).with_columns(question_id=pl.lit("q")))
    return table.to_dicts()


def counted(what: str, number: int, relation: str, **more: Any) -> Asked:
    return f"length_constraints:number_{what}", {f"num_{what}": number, "relation": relation, **more}


HOLDS: list[tuple[str, Asked]] = [
    (PROSE, counted("words", 15, "at least")),
    (PROSE, counted("sentences", 4, "less than")),  # "Dr." ends none
    (PROSE, counted("sentences", 3, "at least")),
    ("One.\n***\nTwo.", ("length_constraints:number_paragraphs", {"num_paragraphs": 2})),
    (PROSE, ("keywords:existence", {"keywords": ["dogs", "cat"]})),
    (PROSE, ("keywords:frequency", {"keyword": "he", "frequency": 1, "relation": "at least"})),
    (PROSE, ("keywords:forbidden_words", {"forbidden_words": ["horse"]})),
    (PROSE, ("keywords:letter_frequency", {"letter": "w", "let_frequency": 2, "let_relation": "at least"})),
    ("#one #two", ("keywords:letter_frequency", {"letter": "#", "let_frequency": 2, "let_relation": "at least"})),
    ("Stop! No.", ("keywords:letter_frequency", {"letter": "!", "let_frequency": 2, "let_relation": "less than"})),
    ("Ich wohne in einem kleinen Haus am See.", ("language:response_language", {"language": "de"})),
    ('{"a": [1, 2]}', ("detectable_format:json_format", {})),
    ("<<Dogs>>\nThey bark.", ("detectable_format:title", {})),
    ("- one\n- two", ("detectable_format:number_bullet_lists", {"num_bullets": 2})),
    ("NASA and ESA met. The UN came.", ("change_case:capital_word_frequency",
     {"capital_frequency": 3, "capital_relation": "at least"})),
    ("all is lower case here.", ("change_case:english_lowercase", {})),
    ("No pause at all.", ("punctuation:no_comma", {})),
    ('"All of it."', ("startend:quotation", {})),
    ("It ends here. The end.", ("startend:end_checker", {"end_phrase": "The end."})),
    ("One. The cat sat.", ("sentence:keyword", {"word": "cat", "N": 2})),
    ("3 cats and 4 dogs", ("count:numbers", {"N": 2})),
    ("(a (b (c (d (e)))))", ("format:parentheses", {})),
]  # fmt: skip
BREAKS: list[tuple[str, Asked]] = [
    (PROSE, counted("words", 15, "less than")),
    (PROSE, counted("sentences", 4, "at least")),
    (PROSE, ("keywords:existence", {"keywords": ["dogs", "horse"]})),
    ("#one two", ("keywords:letter_frequency", {"letter": "#", "let_frequency": 2, "let_relation": "at least"})),
    ("Stop! No!", ("keywords:letter_frequency", {"letter": "!", "let_frequency": 2, "let_relation": "less than"})),
    ("I live in a small house.", ("language:response_language", {"language": "de"})),
    ('{"a": [1, 2}', ("detectable_format:json_format", {})),
    ("One, two.", ("punctuation:no_comma", {})),
    ("The cat sat. One.", ("sentence:keyword", {"word": "cat", "N": 2})),
    ("3 cats", ("count:numbers", {"N": 2})),
    ("(a) (b (c))", ("format:parentheses", {})),
]


def test_each_kind_of_constraint_is_told_by_rule():
    found = verdicts(*((answer, [asked]) for answer, asked in HOLDS + BREAKS))
    wanted = ["all hold"] * len(HOLDS) + [f"broken: {asked[0]}" for _, asked in BREAKS]
    assert [row["reason"] for row in found] == wanted
    assert [row["verdict"] for row in found] == ["pass"] * len(HOLDS) + ["fail"] * len(BREAKS)


NO_COMMA, SHORT = ("punctuation:no_comma", {}), counted("words", 5, "less than")


ROWS = [
    ("One two.", [NO_COMMA, SHORT], "pass", "all hold", [True, True]),
    ("One, two.", [NO_COMMA, SHORT], "fail", "broken: punctuation:no_comma", [False, True]),
    ("One.", [NO_COMMA, ("count:emojis", {})], "unverifiable", "unknown constraint: count:emojis", [True, None]),
    ("One, two.", [("count:emojis", {}), NO_COMMA], "fail", "broken: punctuation:no_comma", [None, False]),
    (None, [NO_COMMA], "fail", "answer missing", []),
    (" \n", [NO_COMMA], "fail", "answer missing", []),
]


def test_all_have_to_hold_and_one_that_is_broken_fails_whatever_else_is_unknown():
    for row, (_, _, *wanted) in zip(verdicts(*(row[:2] for row in ROWS)), ROWS, strict=True):
        assert [row["verdict"], row["reason"], [outcome["holds"] for outcome in row["outcomes"]]] == wanted


def test_what_a_row_leaves_open_is_not_made_up():
    name = "length_constraints:number_words"
    at_least, five = {"relation": "at least"}, {"num_words": 5}
    (range_row,) = verdicts((PROSE, [("count:word_count_range", {"min_words": 3})]))
    assert range_row["reason"] == "unusable settings: count:word_count_range"
    for row in verdicts(
        *((PROSE, [(name, settings)]) for settings in (
            {}, five, at_least, at_least | {"num_words": -1}, {"words": 5}, five | {"relation": "about"},
        ))
    ):  # fmt: skip
        assert (row["verdict"], row["reason"]) == ("unverifiable", f"unusable settings: {name}")


@pytest.mark.alone
def test_a_pattern_against_which_an_answer_is_written_costs_its_limit_and_no_neighbour():
    hanging = ("a" * 40 + "!", [("keywords:existence", {"keywords": ["(a+)+$"]})])
    sound = ("One two.", [NO_COMMA])
    started = time.monotonic()
    found = verdicts(*[sound] * 4, hanging, *[sound] * 4, limits=Instructions(timeout_seconds=1))
    assert [row["reason"] for row in found] == ["all hold"] * 4 + ["timeout"] + ["all hold"] * 4
    assert found[4]["verdict"] == "unverifiable"
    assert time.monotonic() - started < 60


def test_a_pattern_that_is_none_and_an_endless_list_end_in_a_verdict():
    pattern, endless = verdicts(
        ("C++", [("keywords:existence", {"keywords": ["C++", "(", "*"]})]),
        ("[" * 100_000, [("detectable_format:json_format", {})]),
    )
    assert pattern["reason"].startswith("checker error")
    assert endless["verdict"] != "pass"


@pytest.mark.slow
def test_answers_to_questions_with_constraints_are_verified_once_and_left_to_no_judge(untaught: Desk):
    keeps, breaks = "<think>Short.</think> <answer>One two.</answer>", "<think>Long.</think> <answer>One, two.</answer>"
    asked = [{"id": NO_COMMA[0]}]
    untaught.rows("open", [{"question": "Count.", "constraints": asked, "response": text} for text in (keeps, breaks)])
    select = "raw_pool or question_features or responses or response_features or instruction_verdicts"
    assert {outcome.result for outcome in untaught.apply(select=select).values()} == {"done"}
    tables = untaught.folder / "assets"
    table = pl.read_parquet(tables / "instruction_verdicts" / "open.parquet")
    assert set(table["reason"]) == {"all hold", "broken: punctuation:no_comma"}
    assert pl.read_parquet(tables / "question_features" / "open.parquet")["has_check"].all()
    assert {outcome.result for outcome in untaught.apply(select="reward_scores").values()} == {"done"}  # asks nobody
    assert pl.read_parquet(tables / "reward_scores" / "open.parquet").is_empty()
    assert untaught.plan(select=select) == {}
