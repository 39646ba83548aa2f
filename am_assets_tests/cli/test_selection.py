"""`--select` of `am`: the selection syntax of the UI, and bare names, as users write both."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from am_assets.config.recipe import SECTIONS
from am_assets_tests.desk import Desk

POLICIES = {f"{section}_policy" for section in SECTIONS}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("AM_DATA", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "instance"))
    monkeypatch.delenv("AM_SOURCES", raising=False)
    desk = Desk(tmp_path)
    desk.write_project("http://127.0.0.1:1/v1")
    return desk


def plan(project: Desk, select: str):
    from am_assets.cli import app
    from am_assets.project import project as at_hand

    at_hand.cache_clear()
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["plan", "-r", "plain", "--json", "-s", select])


@pytest.mark.parametrize(
    ("select", "assets"),
    [
        ("raw_pool", {"raw_pool"}),
        ('key:"raw_pool"', {"raw_pool"}),
        ("+question_embeddings", {"raw_pool", "question_embeddings"}),
        ('+key:"question_embeddings"', {"raw_pool", "question_embeddings"}),
        ("1+question_embeddings", {"raw_pool", "question_embeddings"}),
        ("dedup_policy or raw_pool", {"dedup_policy", "raw_pool"}),
        ('group:"recipe"', POLICIES),
        ("group:recipe", POLICIES),
        ('group:"recipe" and not dedup_policy', POLICIES - {"dedup_policy"}),
        ('dedup_policy or key:"raw_pool"', {"dedup_policy", "raw_pool"}),
        ("roots(+question_embeddings)", {"raw_pool"}),
    ],
)
def test_a_selection_plans_what_it_names(project: Desk, select: str, assets: set[str]) -> None:
    planned = plan(project, select)
    assert planned.exit_code == 0, planned.output
    assert {step["asset"] for step in json.loads(planned.stdout)["steps"]} == assets


def test_names_with_pluses_on_both_sides_reach_all_above_and_below(project: Desk) -> None:
    planned = plan(project, "+similar_pairs+ and not (deduped_set+)")
    steps = json.loads(planned.stdout)["steps"]
    assert {step["asset"] for step in steps} == {"raw_pool", "question_embeddings", "similar_pairs"}


@pytest.mark.parametrize(
    ("select", "says"),
    [
        ("raw_pol", "no such asset: raw_pol"),
        ("raw_pool or dedup_polcy", "no such asset: dedup_polcy"),
        ('key:"raw_pol"', "it selects no asset"),
        ("raw_pool and", "not an asset selection: write names as in '+sft_dataset'"),
        ("raw_pool dedup_policy", "not an asset selection"),
        ('key:"raw_pool', "not an asset selection"),
        ("+", "not an asset selection"),
    ],
)
def test_a_selection_that_cannot_be_is_named_with_what_to_write(project: Desk, select: str, says: str) -> None:
    refused = plan(project, select)
    assert refused.exit_code == 2
    assert f"--select {select}: {says}" in refused.stderr
    assert not (project.folder / "assets").exists()
