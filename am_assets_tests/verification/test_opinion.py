"""A second opinion on math answers: who is asked, that no answer leaves its fence, what a split is."""

import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.endpoints import Endpoint
from am_assets.config.instruments import Math, Opinion
from am_assets.config.recipe import VerificationPolicy
from am_assets.engines.llm import ask
from am_assets.storage.memo import with_keys
from am_assets.verification import opinion
from am_assets.verification.decide import verified_set
from am_assets.verification.verifiers import math
from am_assets_tests.scripted import Teacher, answer
from am_assets_tests.verification.candidate_rows import frame
from am_assets_tests.verification.math_pairs import ADVERSARIAL, pairs

JUDGE = Opinion(model="openai/judge")
ROWS = pl.DataFrame(
    {
        "response_id": ["passed", "failed", "untold", "blank", "malformed"],
        "question": ["How many?"] * 5,
        "reference": ["5"] * 5,
        "answer": ["5", "6", "fünf", " ", "7"],
        "verdict": ["pass", "fail", "unverifiable", "fail", "fail"],
        "well_formed": [True, True, True, True, False],
    }
)


@pytest.mark.parametrize(
    ("ask_of", "who"), [("on_disagreement", ["failed", "untold"]), ("always", ["passed", "failed", "untold"])]
)
def test_the_instrument_says_of_which_answers_one_is_asked(ask_of, who):
    instrument = JUDGE.model_copy(update={"ask": ask_of})
    assert opinion.rows_to_ask(ROWS, instrument)["response_id"].to_list() == who


def test_the_verdicts_are_the_same_measurement_whoever_else_is_asked():
    keys = [math.VERIFIER.with_job_keys(ROWS, Math(opinion=who))["key"].to_list() for who in (None, JUDGE)]
    assert keys[0] == keys[1]
    assert keys[0] != math.VERIFIER.with_job_keys(ROWS, Math(timeout_seconds=9))["key"].to_list()


TAGS = ("<question>", "</question>", "<reference>", "</reference>", "<answer>", "</answer>")


def open_fences(text: str) -> list[int]:
    asked = opinion.ASKED.messages(text, text, text)[-1]["content"].lower()
    return [asked.count(tag) for tag in TAGS]


@given(st.lists(st.sampled_from([*"<>/ \u200b\na", "answer", "reference", "QUESTION", "</answer>"])).map("".join))
def test_no_text_closes_its_fence(text):
    assert open_fences(text) == [1] * len(TAGS)


def test_no_hostile_answer_closes_its_fence_or_speaks_in_another_turn():
    hostile = pairs().filter(pl.col("category").is_in(ADVERSARIAL))["answer"].drop_nulls()
    plain = opinion.ASKED.messages("q", "r", "a")
    for text in hostile:
        assert open_fences(text) == [1] * len(TAGS)
        chat = opinion.ASKED.messages("q", "r", text)
        assert chat[:-1] == plain[:-1]
        assert chat[-1]["content"].endswith("\n</answer>")


def test_several_references_are_named_as_such():
    rows = ROWS.head(1).with_columns(reference=pl.lit('{"any_of": ["1/2", "one half"]}'))
    asked = json.loads(opinion.requests(rows, JUDGE)["messages"].item())[-1]["content"]
    assert "<reference>\n1/2 or one half\n</reference>" in asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"agrees": true}', True),
        ('```json\n{"agrees": false}\n```', False),
        ('{"agrees": "true"}', None),
        ("[true]", None),
        ("They agree.", None),
        ("", None),
    ],
)
def test_an_opinion_is_read_or_is_none(text, said):
    assert opinion.ASKED.parse(text) is said


def test_what_the_judge_says_lies_beside_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def agrees_with_six(question: str, _: int):
        return answer('{"agrees": true}' if "\n6\n" in question else "I would not know.")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # its limits are kept apart from those of real runs
    monkeypatch.setenv("TEST_TEACHER_KEY", "secret-of-the-test")
    server = Teacher(agrees_with_six)
    endpoint = Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY")
    asked = with_keys(opinion.requests(opinion.rows_to_ask(ROWS, JUDGE), JUDGE), "messages")
    answers = asked.join(pl.concat(ask(asked, JUDGE.model, [endpoint])), on="key")
    server.stop()
    table = opinion.opinions(ROWS, answers.select("response_id", "model", "text"))
    assert table.select("response_id", "judge", "judged_equal").rows() == [
        ("passed", None, None),
        ("failed", "openai/judge", True),
        ("untold", "openai/judge", None),
        ("blank", None, None),
        ("malformed", None, None),
    ]


@pytest.mark.parametrize(
    ("verdict", "agrees", "verifier", "judge", "either", "both"),
    [
        ("pass", True, "pass", "pass", "pass", "pass"),
        ("pass", False, "pass", "fail", "pass", "fail"),
        ("pass", None, "pass", "pass", "pass", "unverifiable"),
        ("fail", True, "fail", "pass", "pass", "fail"),
        ("fail", False, "fail", "fail", "fail", "fail"),
        ("fail", None, "fail", "fail", "fail", "fail"),
        ("unverifiable", True, "unverifiable", "pass", "pass", "unverifiable"),
        ("unverifiable", False, "unverifiable", "fail", "unverifiable", "fail"),
        ("unverifiable", None, "unverifiable", "unverifiable", "unverifiable", "unverifiable"),
    ],
)
def test_the_recipe_says_what_a_split_means(verdict, agrees, verifier, judge, either, both):
    rows = frame([{"math_verdict": verdict, "math_reason": "verifier's", "judged_equal": agrees}])
    for split, wanted in {"verifier": verifier, "judge": judge, "either": either, "both": both}.items():
        row = verified_set(rows, VerificationPolicy(split=split)).row(0, named=True)
        assert (split, row["verdict"]) == (split, wanted)
        if wanted not in (verdict, "pass"):
            assert "judge: " in row["detail"]
