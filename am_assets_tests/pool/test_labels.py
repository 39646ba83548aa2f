"""What a labeler is asked, and what is made of its answer."""

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.vocabulary import CATEGORIES, DIFFICULTIES, UNLABELLED
from am_assets.pool.labels import EXAMPLES, LABEL_SCHEMA, MAX_CHARS, label_messages, label_table, mix, parse_label
from am_assets.storage.schemas import QuestionLabels


def test_only_the_last_message_differs_between_questions():
    one, other = label_messages("What is 2 + 2?"), label_messages("Write a haiku.")
    assert one[:-1] == other[:-1]
    assert one[-1] == {"role": "user", "content": "What is 2 + 2?"}


def test_a_long_question_is_cut():
    assert len(label_messages("x" * 100_000)[-1]["content"]) == MAX_CHARS


def test_the_examples_show_every_label_in_the_form_that_is_read():
    shown = [parse_label(m["content"]) for m in label_messages("?") if m["role"] == "assistant"]
    assert shown == [(category, difficulty) for _, category, difficulty in EXAMPLES]
    assert {category for category, _ in shown} == set(CATEGORIES)
    assert {difficulty for _, difficulty in shown} == set(DIFFICULTIES)


@given(st.sampled_from(CATEGORIES), st.sampled_from(DIFFICULTIES), st.sampled_from(["{}", "```json\n{}\n```", " {}\n"]))
def test_every_label_of_the_schema_is_read(category: str, difficulty: str, form: str):
    answer = {"category": category, "difficulty": difficulty}
    assert set(answer) == set(LABEL_SCHEMA["required"])
    assert parse_label(form.format(json.dumps(answer))) == (category, difficulty)


@given(st.text() | st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["category", "difficulty"]), inner)).map(json.dumps))  # fmt: skip
def test_nothing_else_is_guessed_into_a_label(answer: str):
    label = parse_label(answer)
    assert label is None or (label[0] in CATEGORIES and label[1] in DIFFICULTIES)


def test_half_a_label_is_none():
    assert parse_label('{"category": "math"}') is None
    assert parse_label('{"category": "maths", "difficulty": "easy"}') is None
    assert parse_label("The category is math and the difficulty is easy.") is None


def test_an_unreadable_answer_is_unlabelled_and_kept_as_it_came():
    raw = pl.DataFrame({"question_id": ["b", "a"], "text": ['{"category":"math","difficulty":"easy"}', "no idea"]})
    table = label_table(raw, "some/model")
    assert table.rows() == [
        ("a", UNLABELLED, UNLABELLED, "some/model", "no idea"),
        ("b", "math", "easy", "some/model", '{"category":"math","difficulty":"easy"}'),
    ]
    assert QuestionLabels.is_valid(table)
    assert QuestionLabels.is_valid(label_table(raw.clear(), "some/model"))


def test_the_mix_has_every_pair_of_what_occurs_and_the_hardest_first():
    labels = {"category": pl.Enum([*CATEGORIES, UNLABELLED]), "difficulty": pl.Enum([*DIFFICULTIES, UNLABELLED])}
    table = pl.DataFrame([("coding", "easy"), ("math", "hard"), ("math", "hard")], labels, orient="row")
    assert mix(table).rows() == [("math", "hard", 2), ("coding", "hard", 0), ("math", "easy", 0), ("coding", "easy", 1)]
