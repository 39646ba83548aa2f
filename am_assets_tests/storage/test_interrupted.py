"""Answers of models that were interrupted, and stored so by an earlier version, are not there any more."""

from pathlib import Path

import polars as pl
import pytest

from am_assets.storage import segments
from am_assets.storage.memo import Memo

SCHEMA = pl.Schema({"key": pl.String, "text": pl.String, "finish_reason": pl.String})
WANTED = pl.DataFrame({"key": ["a", "b", "c"]})


def rows(*answers: tuple[str, str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(answers, SCHEMA, orient="row")


@pytest.fixture
def memo(tmp_path: Path) -> Memo:
    memo = Memo(tmp_path)
    memo.append("answers", rows(("a", "half", "error"), ("b", "whole", "stop"), ("c", "cut", "MAX_TOKENS")))
    return memo


def test_they_are_missing_and_measured_again(memo: Memo) -> None:
    assert memo.missing("answers", WANTED)["key"].to_list() == ["a"]
    filled = memo.fill(
        "answers", WANTED, lambda missing: [rows(*((key, "whole", "stop") for key in missing["key"]))], SCHEMA
    )
    assert filled.new["key"].to_list() == ["a"]
    assert dict(filled.table.select("key", "text").rows()) == {"a": "whole", "b": "whole", "c": "cut"}
    assert memo.missing("answers", WANTED).is_empty()


def test_a_merge_keeps_the_answer_and_not_what_was_interrupted(memo: Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    memo.append("answers", rows(("a", "whole", "stop")))
    monkeypatch.setattr(segments, "MIN_RUN", 2)
    segments.merge(memo.folder / "answers")
    assert len(segments.listed(memo.folder / "answers")) == 1
    assert memo.read("answers", WANTED, SCHEMA).filter(key="a")["text"].to_list() == ["whole"]


def test_rows_of_other_kinds_have_no_finish_reason_and_stay(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    memo.append("verdicts", pl.DataFrame({"key": ["a"], "verdict": ["pass"]}))
    memo.append("verdicts", rows(("b", "x", None)))
    assert memo.missing("verdicts", WANTED)["key"].to_list() == ["c"]
