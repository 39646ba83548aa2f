"""What is told of a question by its text alone."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.pool.features import question_features
from am_assets.storage.schemas import QuestionFeatures, RawPool
from am_assets.verification.verifiers import applicable


def features(*questions: str) -> pl.DataFrame:
    rows = [{"question_id": f"q{n}", "question": question, "published": []} for n, question in enumerate(questions)]
    return question_features(pl.DataFrame(rows, RawPool.create_empty().schema), applicable())


def of(question: str) -> dict:
    return features(question).row(0, named=True)


@pytest.mark.parametrize(
    "question",
    [
        "What is 12 + 7?",
        "what is the capital of france",
        "12 + 7 =",
        "Solve for $x$",
        "He paid $5 and then $6. How much in all?",
        "The ticket cost $\\$$20 in $\\$$ terms. What did two cost?",
        "Tell me a joke. Make it about cats",
        "Which is best?\n\n- red\n- blue",
        "Explain what C++ is",
        "**Name three rivers.**",
        "法国的首都是哪里",
        "Write `f`:\n```python\ndef f(x):\n    return x\n```",
    ],
)
def test_a_question_that_says_all_it_has_to_say_is_complete(question: str) -> None:
    assert of(question)["complete"]


@pytest.mark.parametrize(
    "question",
    [
        "How many apples does the",
        "Find the sum of all integers x such that (",
        "Consider red, green,",
        "Tom has 4 pears. He buys 3 more. Then he gives away",
        "Let $A = \\begin{pmatrix} 1 & 2",
        "Fix this:\n```python\ndef f(x):",
        "Prove that $$x^2 + 1",
    ],
)
def test_a_question_that_breaks_off_is_not(question: str) -> None:
    assert not of(question)["complete"]


@pytest.mark.parametrize(
    ("question", "flag"),
    [
        ("Read https://example.org/a and sum it up.", "has_url"),
        ("Read www.example.org and sum it up.", "has_url"),
        ("![triangle](t.png) What is its area?", "has_image"),
        ("What is the area of the triangle in the figure?", "has_image"),
        ("As the diagram below shows, AB = 3. Find BC.", "has_image"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\nWhat is the sum?", "has_table"),
        ("<table><tr><td>1</td></tr></table> Sum it.", "has_table"),
        ("Figure out how many images fit on a table.", None),
    ],
)
def test_links_images_and_tables_are_seen(question: str, flag: str | None) -> None:
    flags = [name for name in ("has_url", "has_image", "has_table") if of(question)[name]]
    assert flags == ([flag] if flag else [])


def test_script_and_language() -> None:
    table = features(
        "Why do leaves turn yellow?", "Почему листья желтеют осенью?", "ما هي عاصمة فرنسا؟", "12 + 7 =", "x или y"
    )
    assert table["ascii_share"].to_list() == [1, 0, 0, 1, pytest.approx(0.4)]
    assert table["language"].head(4).to_list() == ["en", "ru", "ar", "und"]


def test_lengths_count_characters_not_bytes() -> None:
    assert features("日本 🙂")["chars"].item() == 4
    assert features("two  words\n")["words"].item() == 2


def test_a_megabyte_is_a_question_like_any_other() -> None:
    assert of("Add 2 and 3. " * 80_000)["chars"] == 13 * 80_000


def test_no_questions_have_no_features() -> None:
    assert QuestionFeatures.validate(features(), cast=True).is_empty()


@given(st.lists(st.text(), max_size=8))
def test_any_text_has_features_that_fit_the_schema_and_are_its_own(questions: list[str]) -> None:
    table = QuestionFeatures.validate(features(*questions), cast=True)
    assert table["ascii_share"].is_between(0, 1).all()
    alone = [features(question).drop("question_id").row(0) for question in questions]
    assert table.drop("question_id").rows() == alone


def test_what_decisions_need_of_references_tests_and_responses_is_told() -> None:
    rows = [
        {"question_id": "a", "question": "q", "reference_answer": "4", "published": []},
        {"question_id": "b", "question": "q", "test_cases": "{}", "published": [{"teacher": "t", "response": "r"}] * 2},
        {"question_id": "c", "question": "q", "published": []},
        {"question_id": "d", "question": "q", "constraints": "[]", "published": []},
    ]
    table = question_features(pl.DataFrame(rows, RawPool.create_empty().schema), applicable())
    told = table.select("has_check", "verifiers", "published").rows()
    assert told == [(True, ["math"], 0), (True, ["code"], 2), (False, [], 0), (True, ["instructions"], 0)]
