"""`where:` of a source keeps the rows of which a condition on their raw columns is true."""

import json
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.files import ConfigError, parse
from am_assets.datasets.locate import SourceError
from am_assets.datasets.origins import Origin
from am_assets.datasets.reading import Told, read_rows

ROWS = [
    {"question": "One?", "score": 5, "correct": [True, False], "meta": {"split": "train"}},
    {"question": "Two?", "score": 1, "correct": [False], "meta": {"split": "train"}},
    {"question": "Three?", "score": None, "correct": None, "meta": None},
    {"question": "Four?", "score": 4, "correct": [True], "meta": {"split": "test"}},
]


def kept(folder: Path, where: str, told: Told | None = None, suffix: str = "jsonl", **entry: object) -> list[str]:
    if suffix == "parquet":
        pl.DataFrame(ROWS).write_parquet(folder / "a.parquet")
    else:
        (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    origin = parse(Origin, {"location": f"a.{suffix}", "adapter": "jsonl", "where": where, **entry}, "s")
    return pl.concat(read_rows(origin, folder, told))["question"].to_list()


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("where", "questions"),
    [
        ("score > 3", ["One?", "Four?"]),
        ("score > 3 OR score IS NULL", ["One?", "Three?", "Four?"]),
        ("ARRAY_CONTAINS(correct, true) AND score = 5", ["One?"]),
        ("meta.split = 'train'", ["One?", "Two?"]),
        ("question LIKE 'T%'", ["Two?", "Three?"]),
        ("score > 9", []),
    ],
)
def test_rows_of_which_it_is_true_are_read_from_every_kind_of_file(
    tmp_path: Path, where: str, questions: list[str], suffix: str
) -> None:
    told = Told()
    assert kept(tmp_path, where, told, suffix) == questions
    assert (told.rows, told.left_out) == (len(questions), len(ROWS) - len(questions))


def test_the_limit_counts_rows_that_are_kept(tmp_path: Path) -> None:
    assert kept(tmp_path, "score > 3", limit=2) == ["One?", "Four?"]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("score >", "is no condition in SQL"),
        ("scoer > 3", "where: no row has `scoer`; nearest is score"),
        ("score + 1", "is no condition on a row"),
        ("SUM(score) > 1", "is no condition on a row"),
        ("question > 3", "can't be decided here"),
    ],
)
def test_what_is_no_condition_on_a_row_is_named(tmp_path: Path, where: str, says: str) -> None:
    with pytest.raises((ConfigError, SourceError), match=says):
        kept(tmp_path, where)
