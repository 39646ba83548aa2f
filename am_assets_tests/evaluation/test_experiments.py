"""What a report of an experiment counts, compares and concludes."""

import polars as pl
import pytest

from am_assets.evaluation.experiments import Variant, conclusion, experiment_report, holm
from am_assets.storage.schemas import ExperimentReport

ITEMS = [f"item {n:02}" for n in range(40)]
RESPONSES = pl.DataFrame(
    {"response_id": ["r0", "r1", "r2"], "completion_tokens": [10, 20, 30], "cost": [0.1, 0.2, 0.4]}
)


def variant(name: str, right: int, rows: int = 2, benchmarks: tuple[str, ...] = ("exam",), touched: int = 0) -> Variant:
    """One whose student solves the first `right` items of each benchmark, and whose rows touch the first `touched`."""
    released = pl.DataFrame({"category": ["math"] * rows, "difficulty": ["easy"] * (rows - 1) + ["hard"]})
    verified = pl.DataFrame({"response_id": RESPONSES["response_id"][:rows], "teacher": "t", "origin": "o"})
    scores = [
        {"student": "trained", "benchmark": benchmark, "item_id": item, "score": float(nth < right),
         "touched": nth < touched}
        for benchmark in benchmarks
        for nth, item in enumerate(ITEMS)
    ]  # fmt: skip
    checkpoint = {"path": f"checkpoints/{rows}", "rows": rows, "steps": 1, "tokens": 99}
    return Variant(name, released, verified.with_columns(kept=True), checkpoint, pl.DataFrame(scores))


def reported(*variants: Variant) -> pl.DataFrame:
    return ExperimentReport.validate(experiment_report(list(variants), RESPONSES), cast=True)


def test_rows_mix_and_cost_are_those_of_each_variant() -> None:
    table = reported(variant("few", 10), variant("many", 10, rows=3))
    of_many = {(row["part"], row["name"]): row["value"] for row in table.filter(variant="many").to_dicts()}
    assert of_many["rows", "released"] == of_many["rows", "responses"] == 3
    assert (of_many["category", "math"], of_many["difficulty", "easy"], of_many["difficulty", "hard"]) == (3, 2, 1)
    assert of_many["cost", "dollars"] == pytest.approx(0.7) and of_many["cost", "completion_tokens"] == 60
    assert of_many["training", "tokens"] == 99 and of_many["score", "exam"] == 0.25
    assert table.filter(variant="few", name="dollars")["value"].item() == pytest.approx(0.3)


def test_each_is_compared_with_the_first_and_a_difference_that_is_there_is_said() -> None:
    table = reported(variant("base", 10), variant("better", 30, rows=3), variant("alike", 11, rows=1))
    differences = table.filter(part="difference")
    assert differences["variant"].to_list() == ["better", "alike"]
    assert differences["value"].to_list() == pytest.approx([0.5, 0.025])
    said = conclusion(table)
    assert said.startswith("on exam, better is better than base by 50.0 points")
    assert "; on exam, base and alike can't be told apart: +2.5 points" in said and said.endswith(".")
    assert "40 questions could have shown" in said and "this difference would take about" in said


def test_the_same_rows_make_one_student_and_no_comparison() -> None:
    said = conclusion(reported(variant("base", 10), variant("twin", 10), variant("better", 30, rows=3)))
    assert said.startswith(
        "twin and base trained one and the same student, as their rows are the same; on exam, better"
    )


def test_one_of_many_comparisons_is_not_taken_for_a_finding() -> None:
    alone = conclusion(reported(variant("base", 10), variant("v", 17, rows=3)))
    assert "v is better than base by 17.5 points" in alone
    benchmarks = tuple(f"exam {n}" for n in range(9))
    many = conclusion(
        reported(variant("base", 10, benchmarks=benchmarks), variant("v", 17, rows=3, benchmarks=benchmarks))
    )
    assert "is better" not in many
    assert "base and v can't be told apart: +17.5 points and p = 0.016 are nothing rare among 9 comparisons" in many


def test_items_that_rows_touch_are_left_out_beside() -> None:
    table = reported(variant("clean", 10, touched=2), variant("leaky", 30, rows=3, touched=20))
    untouched = table.filter(part="difference", items="untouched")
    assert untouched["questions"].to_list() == [20] and untouched["value"].to_list() == [0.5]
    assert "of the questions that the rows of neither touch" in untouched["said"].item()
    assert "rows of neither" not in conclusion(table)


def test_scores_that_are_not_there_are_named() -> None:
    with pytest.raises(ValueError, match="half has no scores on quiz yet"):
        reported(variant("all", 10, benchmarks=("exam", "quiz")), variant("half", 10))
    nothing = [variant(name, 0, benchmarks=()) for name in ("all", "half")]
    for one in nothing:
        object.__setattr__(one, "scores", variant("x", 0).scores.clear())
    assert conclusion(reported(*nothing)).startswith("Nothing can be concluded")


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx({0.01: 0.03, 0.03: 0.06, 0.04: 0.06})
    assert holm([0.9, 0.8]) == {0.8: 1.0, 0.9: 1.0}
    assert holm([]) == {}
