"""A decision that keeps nothing: `am apply` says the reasons with their counts, and the likeliest cause."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets.planning.nothing_kept import nothing_kept
from am_assets_tests.desk import Desk, at_desk

FATES = [("malformed", "no think part", "verification.templates")] * 11 + [
    ("wrong_answer", "math: 25 is not 24", "verification.accept")
] * 8


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)


def stored(desk: Desk, asset: str, fates: list[tuple], **more: str) -> None:
    rows = [dict(zip(("drop_reason", "detail", "decided_by"), fate, strict=True)) for fate in fates]
    schema = dict.fromkeys(("drop_reason", "detail", "decided_by", *more), pl.String)
    table = pl.DataFrame([row | more for row in rows], schema).with_columns(kept=pl.col("drop_reason").is_null())
    (desk.folder / "assets" / asset).mkdir(parents=True)
    table.write_parquet(desk.folder / "assets" / asset / "plain.parquet")


def told(desk: Desk) -> list[str]:
    desk.open(None, None)
    from am_assets.project import project

    return list(nothing_kept(project(), "plain", {"sft_dataset"}))


def test_a_teacher_that_was_not_asked_for_parts_is_the_likeliest_cause_of_malformed_answers(desk: Desk) -> None:
    stored(desk, "verified_set", FATES, origin="distilled")
    first, cause = told(desk)
    assert first == "verified_set[plain] keeps none of 19 responses: 11 malformed, 8 wrong_answer"
    assert cause.startswith("11 of 19 malformed: the teacher was not asked for think and answer parts")
    desk.edit("plain", "teacher", system_prompt="First <think>, then <answer>.")
    assert "was asked for think and answer parts and did not write them" in told(desk)[1]


@pytest.mark.parametrize(
    ("fates", "origin", "says"),
    [
        (FATES, "published", "the published responses have no think part and answer part"),
        (FATES[11:], "distilled", "most often math: 25 is not 24; by verification.accept: best (by default)"),
        ([("truncated", None, "teacher.max_tokens")], "distilled", "answers end at teacher.max_tokens: 24; raise it"),
    ],
)
def test_other_causes_name_the_field_or_the_figure(desk: Desk, fates: list, origin: str, says: str) -> None:
    stored(desk, "verified_set", fates, origin=origin)
    assert says in told(desk)[1]


def test_what_keeps_something_or_was_not_made_is_not_talked_of(desk: Desk) -> None:
    assert told(desk) == []
    stored(desk, "verified_set", [*FATES, (None, None, None)], origin="distilled")
    assert told(desk) == []


def test_the_first_decision_without_rows_is_the_one_that_is_told(desk: Desk) -> None:
    desk.edit("plain", "sampling", licenses=["mit"])
    stored(desk, "deduped_set", [(None, None, None)])
    stored(desk, "selected_questions", [("license", "none is named", "sampling.licenses")] * 2)
    first, cause = told(desk)
    assert first == "selected_questions[plain] keeps none of 2 questions: 2 license"
    assert "most often none is named; by sampling.licenses: ['mit'] (" in cause
