"""The last lines of an apply: what each student scored, and what the trained one gained."""

import io
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from am_assets.cli.show_plan import show_costs
from am_assets.cli.summary import _scores, released
from am_assets.planning.costs import Estimate
from am_assets.planning.steps import Step
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


@pytest.mark.parametrize(("requests", "shown"), [(0, []), (1, ["responses", "all"]), (3, ["responses", "all"])])
def test_a_step_that_asks_nothing_has_no_line_of_cost(requests: int, shown: list[str]) -> None:
    def estimate(count: int) -> Estimate:
        return Estimate(count, count, False, 40 * count, 9 * count, 0.0, 0.0, ("at most, as …",))

    steps = {
        Step("responses", "a", "missing", ""): estimate(requests),
        Step("reward_scores", "a", "stale", ""): estimate(0),
    }
    console = Console(file=io.StringIO(), width=100)
    show_costs(list(steps.items()), console=console)
    said = console.file.getvalue()
    lines = [line.split()[0] for line in said.splitlines() if line.strip()]
    assert [name for name in ("responses", "reward_scores", "all") if name in lines] == shown
    assert ("No model is asked." in said) is (not requests) and " 0 " not in said


def test_an_apply_ends_with_where_its_new_datasets_lie_and_how_to_look_at_them(tmp_path: Path) -> None:
    (tmp_path / "sft_dataset").mkdir()
    pl.DataFrame({"response_id": ["a"]}).write_parquet(tmp_path / "sft_dataset" / "demo.parquet")
    made = {("sft_dataset", "demo"), ("recipe_report", "demo"), ("verified_set", "other")}
    [where, report, look, _] = released(made, ["demo", "other"], tmp_path)
    assert where == f"Released by demo: 1 row, in {tmp_path}/sft_dataset/demo"
    assert report.endswith("demo.html") and look.endswith("am view -r demo")
    assert len([*released({("sft_dataset", "demo")}, ["demo"], tmp_path)]) == 3
    assert not [*released({("verified_set", "demo")}, ["demo"], tmp_path)]
