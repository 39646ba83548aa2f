"""A benchmark of constraints, as IFEval is: its answers are scored by the verifier of constraints."""

from pathlib import Path

import polars as pl
import pytest

from am_assets_tests.commands import am
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import at_desk
from am_assets_tests.students import write_tiny_student

IFEVAL = [
    {"key": 1, "prompt": "Write without commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    {
        "key": 2,
        "prompt": "Write three hundred words.",
        "instruction_id_list": ["length_constraints:number_words"],
        "kwargs": [{"num_words": 300, "relation": "at least"}],
    },
]


@pytest.mark.slow
def test_ifeval_is_a_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = Models()
    desk = small_project(tmp_path / "project", models, questions=2, shards=1, start_timeout=120)
    at_desk(desk.folder, models, monkeypatch)
    desk.rows("ifeval", IFEVAL)
    desk.write("benchmarks.yaml", {"ifeval": {"location": "pool/ifeval.jsonl"}})
    student = str(write_tiny_student(tmp_path / "student"))
    sections = {name: section for name, section in TASTE.items() if name != "sampling"}
    evaluation = {**TASTE["evaluation"], "benchmarks": ["ifeval"], "samples": 1}
    desk.recipe("plain", sections | {"training": {**TASTE["training"], "student": student}, "evaluation": evaluation})
    told = am(desk, "apply", "-r", "plain")
    assert told.exit_code == 0, told.stdout
    verdicts = pl.read_parquet(desk.folder / "assets" / "benchmark_verdicts" / "ifeval" / "plain.parquet")
    asked = pl.read_parquet(desk.folder / "assets" / "benchmark_questions" / "ifeval.parquet")
    by_question = verdicts.join(asked, on="item_id").sort("question", "student")
    long = by_question.filter(question="Write three hundred words.")
    assert long["verdict"].to_list() == ["fail", "fail"]  # a tiny student says less
    assert verdicts.height == 4
    scores = pl.read_parquet(desk.folder / "assets" / "eval_scores" / "ifeval" / "plain.parquet")
    assert scores.filter(metric="pass@1", items="all")["questions"].to_list() == [2, 2, 2]
    models.stop()
