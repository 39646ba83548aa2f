"""The built wheel does without the clone: installed elsewhere, it brings up a folder that is a copy of `data/`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = ("recipes", "samples", "sources.yaml", "benchmarks.yaml", "instruments.yaml", "endpoints.yaml")
# `am_assets` is a namespace: what the wheel lacks would be taken from the clone, where that is installed too.
LOADED = """
import sys, am_assets.cli, am_assets.definitions
print(*[module.__file__ for name, module in sys.modules.items() if name.startswith("am_assets.") and module.__file__])
"""

pytestmark = pytest.mark.slow


def test_a_plan_and_an_apply_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    data, here = tmp_path / "data", tmp_path / "elsewhere"
    here.mkdir()
    data.mkdir()
    for name in DATA:
        copy = shutil.copytree if (ROOT / "data" / name).is_dir() else shutil.copy
        copy(ROOT / "data" / name, data / name)
    away = {name: value for name, value in os.environ.items() if name not in ("AM_SOURCES", "DAGSTER_HOME")}
    env = away | {"AM_DATA": str(data), "PYTHONPATH": str(installed), "COLUMNS": "200"}

    def python(*arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments], cwd=here, env=env, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    assert all(file.startswith(str(installed)) for file in python("-c", LOADED).split())
    assert " numinamath-1.5 " in python("-m", "am_assets.cli", "catalog")
    assert "raw_pool" in python("-m", "am_assets.cli", "plan", "--recipe", "demo")
    python("-m", "am_assets.cli", "apply", "--recipe", "demo", "--select", "raw_pool")
    assert "Nothing to do" in python("-m", "am_assets.cli", "plan", "--recipe", "demo", "--select", "raw_pool")
    assert "run_launcher" in (data / "instance" / "dagster.yaml").read_text()
    python("-m", "dagster", "definitions", "validate", "-m", "am_assets.definitions")
