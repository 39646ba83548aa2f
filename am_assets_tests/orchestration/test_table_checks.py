"""What the checks of every stored table find, and what of it they read."""

from pathlib import Path

import polars as pl
import pytest

from am_assets.orchestration.checks.tables import table_checks
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.streams import Stored
from am_assets_tests.test_graph import definitions

ROWS = pl.DataFrame({"response_id": ["a", "b"], "teacher": "r1", "response": ["long", ""]}).with_columns(
    question_id="response_id", request_key=pl.lit(None, pl.String), origin=pl.lit("distilled"), sample_index=0,
    finish_reason=pl.lit("stop"), prompt_tokens=1, completion_tokens=1, cost=0.5,
)  # fmt: skip


def checked(path: Path, rows: pl.DataFrame) -> dict[str, dict]:
    schema = TABLES["responses"]
    rows.select(schema.column_names()).cast(schema.create_empty().schema).write_parquet(path / "t.parquet")
    [check] = table_checks([definitions().get_assets_def("responses")])
    results = {one.check_name: one for one in check(Stored(path / "t.parquet"))}
    found = results["schema"].metadata["broken_rules"].value
    assert results["schema"].passed == (not found)
    return {"rules": found, "repeated": results["unique_ids"].metadata["repeated"].value}


@pytest.mark.parametrize(
    ("edit", "rules", "repeated"),
    [
        ({}, {}, 0),
        ({"response": pl.Series(["long", None])}, {"response|nullability": 1}, 0),
        ({"teacher": pl.lit(None, pl.String)}, {"teacher|nullability": 2}, 0),
        ({"cost": pl.Series([1.0, float("nan")])}, {"cost|nan": 1}, 0),
        ({"response_id": pl.lit("a")}, {"primary_key": 2}, 1),
    ],
)
def test_broken_rules_are_counted_by_column(tmp_path: Path, edit: dict, rules: dict, repeated: int) -> None:
    assert checked(tmp_path, ROWS.with_columns(**edit)) == {"rules": rules, "repeated": repeated}
