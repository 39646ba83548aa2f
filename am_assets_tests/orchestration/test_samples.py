"""What the page of an asset shows of its rows."""

import polars as pl
import pytest

from am_assets.orchestration.samples import drawn, sample
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.schemas.meanings import MEANINGS, meaning

DROPS = [None] * 20 + ["wrong_answer"] * 6 + ["malformed"]
DECIDED = pl.DataFrame(
    {"response_id": [f"{at:032x}" for at in range(27)], "kept": [drop is None for drop in DROPS], "drop_reason": DROPS}
)


def test_of_decisions_some_kept_rows_and_one_of_each_reason_are_shown() -> None:
    shown = drawn(DECIDED, 5)
    assert shown["drop_reason"].to_list() == [None, None, None, "malformed", "wrong_answer"]
    assert drawn(DECIDED.sample(fraction=1, shuffle=True, seed=1), 5).equals(shown)
    assert drawn(DECIDED.filter(~pl.col("kept")), 5).height == 2


def test_of_other_tables_rows_from_all_of_it_are_shown() -> None:
    table = pl.DataFrame({"question_id": [f"{at}" for at in range(100)]})
    assert drawn(table, 5)["question_id"].to_list() == ["0", "20", "40", "60", "80"]
    assert drawn(table.head(3), 5).height == 3 and drawn(table.clear(), 5).height == 0
    assert drawn(table, table.height).height == 100


def test_tags_of_a_response_stay_to_be_seen_and_its_end_too() -> None:
    text = f"<think>{'So on. ' * 60}</think> <answer>4 | 5</answer>"
    (line,) = sample(pl.DataFrame({"response": [text]})).value.split("\n")[2:]
    assert line.startswith("| &lt;think&gt;So on.") and line.endswith("&lt;answer&gt;4 &#124; 5&lt;/answer&gt; |")
    assert "<" not in line


def test_personal_data_at_either_end_of_a_long_cell_is_blanked() -> None:
    text = f"p.miller@gmx.de {'x ' * 400} p.miller@gmx.de"
    shown = sample(pl.DataFrame({"answer": [text]})).value
    assert "miller" not in shown and shown.count("[personal data]") == 2


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_column_says_what_it_means(name: str) -> None:
    assert all(meaning(TABLES[name], column) for column in TABLES[name].column_names())


def test_no_meaning_is_left_of_a_column_that_is_no_more() -> None:
    assert set(MEANINGS) <= {column for schema in TABLES.values() for column in schema.column_names()}
