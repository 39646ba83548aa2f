"""Scores as users get them: a student trained, two recipes on one benchmark, and edits that move scores and no more."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from am_assets.storage.memo import Memo
from am_assets.verification.verifiers import VERIFIERS
from am_assets_tests.commands import am, applied, planned
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.students import write_tiny_student

pytestmark = pytest.mark.slow
COPY = "A jar of asked0 holds 3 beans and gets 9. How many?"  # a question of the pool
ITEMS = [
    {"question": "What is 21 plus 11?", "reference_answer": "32"},
    {"question": COPY, "reference_answer": "12"},
    {"question": "Write a Python function `triple(n)`.", "test_code": "assert triple(1) == 3"},
]
SCORES = ("eval_scores", "held_out|plain")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Path:
    """Recipes `plain` and `fast`, whose students learn at different rates from the same rows, applied."""
    folder = tmp_path_factory.mktemp("scored")
    desk = small_project(folder / "project", models, questions=6, shards=1, start_timeout=120)
    desk.rows("held_out", ITEMS)
    student = str(write_tiny_student(folder / "student"))
    sections = {name: section for name, section in TASTE.items() if name != "sampling"}
    evaluation = {**TASTE["evaluation"], "benchmarks": ["held_out"], "samples": 4, "max_tokens": 8}
    desk.recipe("plain", sections | {"training": {**TASTE["training"], "student": student}, "evaluation": evaluation})
    desk.recipe("fast", {"extends": "plain", "training": {"learning_rate": 0.05}})
    with pytest.MonkeyPatch.context() as patch:
        assert {*applied(at_desk(desk.folder, models, patch), "--all").values()} == {"done"}
    return desk.folder


@pytest.fixture
def desk(scored: Path, tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(scored, tmp_path / "project")
    return at_desk(tmp_path / "project", models, monkeypatch)


def stored(desk: Desk, table: str, recipe: str = "plain") -> pl.DataFrame:
    return pl.read_parquet(desk.folder / "assets" / table / "held_out" / f"{recipe}.parquet")


def left(scores: pl.DataFrame) -> int:
    """Of how many items no released row touches any."""
    return scores.filter(student="trained", items="untouched", metric="pass@1")["questions"].sum()


def test_scores_say_how_sure_they_are_and_rest_on_what_their_verdicts_rest_on(
    desk: Desk, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = stored(desk, "eval_scores")
    metrics = scores.filter(student="trained", items="all")["metric"].to_list()
    assert [name for name in metrics if not name.startswith("maj")] == [  # of whatever the tiny student states
        "pass@1", "pass@2", "pass@4", "truncated", "malformed", "unverifiable", "tokens",
    ]  # fmt: skip
    assert left(scores) == 2
    hits = stored(desk, "touched_items").filter(measure="same_text")
    items = pl.read_parquet(desk.folder / "assets" / "benchmark_questions" / "held_out.parquet")
    assert hits["item_id"].to_list() == items.filter(question=COPY)["item_id"].to_list()
    assert planned(desk, "--all") == {}

    told = am(desk, "scores", "-r", "plain", "-r", "fast")
    assert told.exit_code == 0, told.output
    assert "On held_out, trained students: plain and fast can't be told apart: +0.0 points" in told.output
    assert "Untrained and trained can't be told apart" in told.output
    assert "touch 1 of these questions; of the others: untrained and trained" in told.output
    (held_out,) = json.loads(am(desk, "scores", "-r", "plain", "-r", "fast", "--json").stdout)
    assert [(one["items"], one["questions"], one["told_apart"]) for one in held_out["differences"]] == [
        ("all", 3, False), ("untouched", 2, False),
    ]  # fmt: skip
    assert {*held_out["recipes"]} == {"plain", "fast"}

    report = (desk.folder / "assets" / "recipe_report" / "plain.html").read_text()
    assert "can&#39;t be told apart" in report and "touch 1 of these questions" in report

    before = len(models.asked())
    desk.edit("plain", "evaluation", touched={"same_text": False, "same_template": False, "ngram_share": None,
                                              "wording": None, "cosine": None, "reworded": None})  # fmt: skip
    ran = applied(desk, "-r", "plain")
    assert {asset for asset, _ in ran} == {
        "evaluation_policy", "benchmark_responses", "eval_scores", "question_scores", "recipe_report",
    }  # fmt: skip
    assert left(stored(desk, "eval_scores")) == 3

    instruments = {**_yaml(desk, "instruments.yaml"), "math": {"timeout_seconds": 4}}
    desk.write("instruments.yaml", instruments)
    assert {("benchmark_verdicts", "held_out|plain"), ("benchmark_consensus", "held_out|plain")} <= {
        *planned(desk, "-r", "plain")
    }
    ran = applied(desk, "-r", "plain")
    assert ran[("benchmark_verdicts", "held_out|plain")] == "done"
    assert SCORES not in ran  # every verdict came out the same
    assert len(models.asked()) == before


def test_a_verifier_with_other_rules_scores_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from am_assets.verification.verifiers import math

    def everything_passes(jobs, limits):
        return (
            frame.with_columns(verdict=pl.lit("pass").cast(frame.schema["verdict"])) for frame in real(jobs, limits)
        )

    def memo(namespace: str) -> pl.DataFrame:
        return Memo(desk.folder / "memo").known(namespace).collect().sort("key")

    before = {name: memo(name) for name in ("training", "generations")}
    real, version = VERIFIERS["math"].verify, VERIFIERS["math"].version
    monkeypatch.setattr(math, "VERSION", "other rules")
    object.__setattr__(VERIFIERS["math"], "version", "other rules")
    object.__setattr__(VERIFIERS["math"], "verify", everything_passes)
    try:
        ran = applied(desk, "-r", "plain")
    finally:
        object.__setattr__(VERIFIERS["math"], "verify", real)
        object.__setattr__(VERIFIERS["math"], "version", version)
    assert ran[("benchmark_verdicts", "held_out|plain")] == ran[SCORES] == "done"
    assert memo("training").equals(before["training"]) and memo("generations").equals(before["generations"])
    passed = stored(desk, "eval_scores").filter(metric="pass@1", items="all", student="trained")
    assert passed["value"].item() == pytest.approx(2 / 3)


def test_what_was_not_scored_is_said_with_what_makes_it(desk: Desk) -> None:
    told = am(desk, "scores", "-r", "plain", "--benchmark", "gpqa")
    assert (told.exit_code, "recipe plain is scored on held_out" in told.output) == (2, True)
    desk.recipe("new", {"extends": "plain"})
    told = am(desk, "scores", "-r", "new")
    assert told.exit_code == 2 and "no score of new on held_out yet: am apply --recipe new makes it" in told.output


def _yaml(desk: Desk, name: str) -> dict:
    import yaml

    return yaml.safe_load((desk.folder / name).read_text())
