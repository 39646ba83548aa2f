"""A recipe that names no benchmark, the default, and a project that has none: nothing is missing for that."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from am_assets_tests.commands import am
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.students import write_tiny_student

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A project never applied, whose recipe names no benchmark."""
    models = Models()
    desk = small_project(tmp_path / "project", models, questions=2, shards=1, start_timeout=120)
    at_desk(desk.folder, models, monkeypatch)
    student = str(write_tiny_student(tmp_path / "student"))
    sections = {name: section for name, section in TASTE.items() if name not in ("sampling", "evaluation")}
    desk.recipe("plain", {**sections, "training": {**TASTE["training"], "student": student}})
    yield desk
    models.stop()


def test_a_project_without_benchmarks_is_applied_whole_when_it_is_fresh(desk: Desk) -> None:
    (desk.folder / "benchmarks.yaml").unlink()
    told = am(desk, "apply", "-r", "plain")
    assert told.exit_code == 0, told.stdout
    assert "sft_checkpoint[plain]: done" in told.stdout
    assert "recipe_report[plain]: done" in told.stdout
    assert "everything is up to date" in am(desk, "plan", "-r", "plain").stdout


@pytest.mark.parametrize(
    "benchmarks", ["", "# none yet\n", "{}", "held_out: {location: pool/held_out.jsonl, adapter: jsonl}"]
)
def test_a_recipe_that_names_no_benchmark_selects_in_a_fresh_project(desk: Desk, benchmarks: str) -> None:
    (desk.folder / "benchmarks.yaml").write_text(benchmarks)
    told = am(desk, "apply", "-r", "plain", "-s", "+selected_questions")
    assert told.exit_code == 0, told.stdout
    assert "selected_questions[plain]: done" in told.stdout
    assert "benchmark_questions" not in told.stdout


def test_a_benchmark_named_later_is_measured_and_then_decided_on(desk: Desk) -> None:
    am(desk, "apply", "-r", "plain", "-s", "+selected_questions")
    desk.edit("plain", "sampling", decontamination={"benchmarks": ["held_out"]})
    told = am(desk, "apply", "-r", "plain", "-s", "+selected_questions")
    assert told.exit_code == 0
    assert "benchmark_overlap[held_out]: done" in told.stdout
    assert "selected_questions[plain]: done" in told.stdout


def test_a_benchmark_that_is_nowhere_is_named_before_anything_runs(desk: Desk) -> None:
    (desk.folder / "benchmarks.yaml").unlink()
    desk.edit("plain", "evaluation", benchmarks=["held_out"])
    told = am(desk, "apply", "-r", "plain")
    assert told.exit_code == 2
    assert "evaluation.benchmarks: no benchmark held_out in benchmarks.yaml (it has none)" in told.stderr


def test_a_recipe_that_names_one_waits_for_it_as_before(desk: Desk) -> None:
    desk.edit("plain", "sampling", decontamination={"benchmarks": ["held_out"]})
    told = am(desk, "apply", "-r", "plain", "-s", "+selected_questions and not benchmark_overlap")
    assert told.exit_code == 1
    assert "benchmark_overlap is not measured for held_out" in told.stderr
    assert yaml.safe_load((desk.folder / "benchmarks.yaml").read_text())
