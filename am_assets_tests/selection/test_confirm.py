"""A model is asked of the grey zone: twice a pair, in both orders, and what it says is kept as it is."""

import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.endpoints import Endpoint
from am_assets.config.instruments import Confirm
from am_assets.config.recipe import Decontamination
from am_assets.engines.llm import ask
from am_assets.selection import confirm
from am_assets.selection.decontaminate import contaminated
from am_assets.storage.memo import with_keys
from am_assets.storage.schemas import BenchmarkOverlap
from am_assets_tests.scripted import Teacher, answer
from am_assets_tests.selection.test_decontaminate import overlap

JUDGE = Confirm(model="openai/judge", floor=0.7, ceiling=0.9)
PAIRS = pl.DataFrame({"question_id": ["q"], "question": ["How many eggs?"], "item": ["Count the hens."]})


def test_only_the_grey_zone_is_asked_about_and_not_what_the_text_settles() -> None:
    rows = [
        overlap(question_id="under", cosine=0.69),
        overlap(question_id="grey", cosine=0.7),
        overlap(question_id="over", cosine=0.9),
        overlap(question_id="text", cosine=0.8, same_text=True),
        overlap(question_id="template", cosine=0.8, same_template=True),
    ]
    assert confirm.grey(pl.concat(rows), JUDGE)["question_id"].to_list() == ["grey"]


def test_each_pair_is_asked_twice_with_its_texts_swapped() -> None:
    asked = confirm.requests(PAIRS, JUDGE)
    first, second = [json.loads(messages)[-1]["content"] for messages in asked["messages"]]
    assert asked["swapped"].to_list() == [False, True]
    assert first.index("eggs") < first.index("hens")
    assert second.index("hens") < second.index("eggs")


@given(st.text(st.sampled_from("<>/ firstSECOND\n")), st.text(st.sampled_from("<>/ firstSECOND\n")))
def test_no_text_closes_its_fence(question: str, item: str) -> None:
    asked = confirm.ASKED.messages(question, item)[-1]["content"].lower()
    assert [asked.count(tag) for tag in ("<first>", "</first>", "<second>", "</second>")] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "opinion"),
    [
        ('{"same": true}', True),
        ('```json\n{"same": false}\n```', False),
        ('{"same": "true"}', None),
        ('{"same": 1}', None),
        ("[true]", None),
        ("The second is the first.", None),
        ("", None),
    ],
)
def test_an_opinion_is_read_or_is_none(text: str, opinion: bool | None) -> None:
    assert confirm.ASKED.parse(text) is opinion


def test_opinions_are_laid_beside_the_measurements_of_their_question() -> None:
    rows = pl.concat([overlap(question_id=name) for name in ("asked", "half", "never")])
    said = [("asked", False, '{"same": true}'), ("asked", True, '{"same": false}'), ("half", True, "no idea")]
    answers = pl.DataFrame(said, ["question_id", "swapped", "text"], orient="row")
    table = confirm.opinions(rows, answers)
    assert table.select("question_id", "same", "same_swapped").rows() == [
        ("asked", True, False),
        ("half", None, None),
        ("never", None, None),
    ]
    BenchmarkOverlap.validate(table.select(BenchmarkOverlap.column_names()))


@pytest.mark.parametrize(
    ("opinions", "confirmed", "found"),
    [
        ((True, True), "both", True),
        ((True, False), "both", False),
        ((True, None), "both", False),
        ((True, None), "either", True),
        ((False, False), "either", False),
        ((True, True), "off", False),
    ],
)
def test_the_recipe_says_which_opinions_count(opinions: tuple, confirmed: str, found: bool) -> None:
    table = overlap(cosine=0.8, same=opinions[0], same_swapped=opinions[1])
    listed = contaminated(table, Decontamination(confirmed=confirmed, confirmed_cosine=0.8))
    rows = listed.select("question_id", "detail").rows()
    assert rows == ([("q", "confirmed at cosine 0.8 to bench/near")] if found else [])
    assert contaminated(table, Decontamination(confirmed=confirmed, confirmed_cosine=0.81)).is_empty()


def test_a_model_that_leans_to_one_place_contradicts_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_has_eggs(question: str, _: int):
        return answer(json.dumps({"same": question.index("eggs") < question.index("hens")}))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # its limits are kept apart from those of real runs
    monkeypatch.setenv("TEST_TEACHER_KEY", "secret-of-the-test")
    server = Teacher(first_has_eggs)
    endpoint = Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY")
    asked = with_keys(confirm.requests(PAIRS, JUDGE), "messages")
    answers = asked.join(pl.concat(ask(asked, JUDGE.model, [endpoint])), on="key")
    server.stop()
    table = confirm.opinions(overlap(cosine=0.8), answers)
    assert table.select("same", "same_swapped").rows() == [(True, False)]
    assert contaminated(table, Decontamination(confirmed="both")).is_empty()
    assert contaminated(table, Decontamination(confirmed="either")).height == 1
