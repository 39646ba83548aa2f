"""The project folders that come along: each loads and is planned as it stands, offline, and the demo costs nothing."""

import json
import shutil
from pathlib import Path

import pytest

from am_assets_tests.services import am

DATA = Path(__file__).parents[1] / "data"
FOLDERS = sorted(str(path.parent.relative_to(DATA)) for path in DATA.rglob("sources.yaml"))


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`data/` without what was made of it."""
    for name in ("AM_EXAMPLE_DATA", "AM_TEACHER_GGUF", "AM_BUDGET_USD"):
        monkeypatch.delenv(name, raising=False)
    made = shutil.ignore_patterns("assets", "memo", "models", "graphs", "instance")
    return Path(shutil.copytree(DATA, tmp_path / "data", ignore=made))


def planned(folder: Path, *arguments: str) -> list[dict]:
    told = am(folder, "plan", "--json", *arguments)
    assert (told.returncode, told.stderr) == (0, ""), told.stdout + told.stderr
    return json.loads(told.stdout)["steps"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_project_folder_is_planned_as_it_stands(copied: Path, folder: str) -> None:
    assert {"raw_pool", "sft_dataset", "recipe_report"} <= {step["asset"] for step in planned(copied / folder)}


def test_the_demo_asks_models_that_cost_nothing(copied: Path) -> None:
    estimates = [step["estimate"] for step in planned(copied, "--recipe", "demo") if step["estimate"]]
    assert sum(estimate["requests"] for estimate in estimates) > 500
    assert {estimate["most"] for estimate in estimates} == {0}


def test_the_recipe_of_the_paper_is_applied_for_a_named_budget_only(copied: Path, monkeypatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "none")
    folder = copied / "examples" / "paper"
    (folder / "samples.yaml").replace(folder / "sources.yaml")  # its whole pool is on the hub
    refused = am(folder, "apply", "-s", "raw_pool or question_labels")
    assert refused.returncode == 2
    assert "--budget" in refused.stderr
    assert not (folder / "assets").exists()
