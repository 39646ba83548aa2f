"""The question id: what changes it and what does not."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from am_assets.datasets.identity import normalize, question_id, question_ids

TEXTS = st.text(st.characters(codec="utf-8"))


@given(TEXTS)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(TEXTS)
def test_surrounding_and_repeated_whitespace_keeps_the_id(text: str) -> None:
    assert question_id(f"\t {text}\n\n") == question_id(text)
    assert question_id(text.replace(" ", "   ")) == question_id(text)


def test_case_and_compatibility_forms_keep_the_id() -> None:
    assert question_id("WHAT IS ２ + ２?") == question_id("what is 2 + 2?")  # noqa: RUF001 (full-width digits)
    assert question_id("STRASSE") == question_id("straße")


def test_punctuation_and_numbers_change_the_id() -> None:
    assert len({question_id(text) for text in ["What is 2 + 2?", "What is 2 + 2", "What is 2 + 3?"]}) == 3


def test_a_series_gets_its_ids_in_order() -> None:
    texts = pl.Series("question", ["b", "a", "B"])
    ids = question_ids(texts)
    assert ids.to_list() == [question_id("b"), question_id("a"), question_id("b")]
    assert ids.str.len_chars().unique().to_list() == [32]
