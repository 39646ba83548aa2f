"""`am memo --by`: what was spent, for which recipes and when."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets_tests.commands import am
from am_assets_tests.desk import Desk, at_desk

ANSWERS = [  # month, recipes, model, dollars
    (9, "plain", "a", 0.25), (9, "plain", "b", 0.5), (10, "plain", "a", 1.0), (10, "other,plain", "a", 2.0),
    (10, None, "a", 4.0),
]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    for number, (month, recipes, model, cost) in enumerate(ANSWERS):
        row = {"key": str(number), "requested_model": model, "prompt_tokens": 1_000, "completion_tokens": 10,
               "cost": cost, "asked_for": recipes, "stored_at": datetime(2025, month, 3, tzinfo=UTC)}  # fmt: skip
        table = pl.DataFrame([row]).drop([] if recipes else ["asked_for"])  # as an earlier version stored it
        (tmp_path / "memo" / "responses").mkdir(parents=True, exist_ok=True)
        table.write_parquet(tmp_path / "memo" / "responses" / f"{number:03}.parquet")
    (tmp_path / "memo" / "embeddings").mkdir()
    pl.DataFrame({"key": ["k"], "vector": [[0.5]]}).write_parquet(tmp_path / "memo" / "embeddings" / "0.parquet")
    return desk


def test_what_was_spent_is_told_by_recipe_and_month_and_adds_up(desk: Desk) -> None:
    told = json.loads(am(desk, "memo", "--by", "recipe,month", "--json").stdout)
    assert [(one["recipe"], one["month"], one["requests"], one["dollars"]) for one in told] == [
        ("not recorded", "2025-10", 1, 4.0),
        ("other, plain", "2025-10", 1, 2.0),
        ("plain", "2025-09", 2, 0.75),
        ("plain", "2025-10", 1, 1.0),
    ]
    shown = am(desk, "memo", "--by", "model").stdout
    assert "7.7500" in shown and "5,000" in shown
    lines = [line.rstrip("│ ") for line in shown.splitlines() if line.startswith("│")]
    assert len({len(line) for line in lines}) == 1  # right-aligned


def test_what_nothing_is_kept_by_is_named_with_what_is(desk: Desk) -> None:
    refused = am(desk, "memo", "--by", "recpie,month")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--by recpie: expected some of recipe, month, day, model, namespace (did you mean recipe?)" in refused.stderr
