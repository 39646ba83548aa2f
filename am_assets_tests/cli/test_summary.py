"""The last lines of an apply: what each student scored, and what the trained one gained."""

from pathlib import Path

import polars as pl

from am_assets.cli.summary import _scores
from am_assets_tests.evaluation.findings import scores


def stored(folder: Path, table: pl.DataFrame) -> Path:
    path = folder / "held_out" / "demo.parquet"
    path.parent.mkdir()
    table.write_parquet(path)
    return path


def test_the_gain_of_the_trained_student_stands_there_with_its_interval(tmp_path: Path) -> None:
    lines = _scores(stored(tmp_path, scores().drop("benchmark"))).splitlines()
    assert lines[0] == (
        "held_out: untrained student 10.0% right (95 % interval 1.9% to 18.1%), 10.0% well formed,"
        " 50 questions x 1 sample"
    )
    assert lines[2].startswith("held_out: Trained is better than untrained by 34.0 points (95 % interval 21.9 to 48.1")
    assert "touch 10 of these questions; of the others: trained is better" in lines[3]


def test_scores_of_an_earlier_version_are_named_as_such(tmp_path: Path) -> None:
    told = _scores(stored(tmp_path, pl.DataFrame({"student": ["trained"], "pass_at_1": [0.5]})))
    assert told == "held_out: scored by an earlier version; am apply brings the scores up to date"
