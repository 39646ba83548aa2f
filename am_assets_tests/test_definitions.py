"""Definitions are built of the project that is handed over; what is imported reads no project at all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from am_assets_tests.desk import Desk

ROOT = Path(__file__).parents[1]
IMPORT_ALL = """
import importlib, json, os, pkgutil, sys
opened = []
def note(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and arguments[0] and not isinstance(arguments[0], int):
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if path.startswith(os.environ["AM_DATA"]):
            opened.append(path)
sys.addaudithook(note)
import am_assets
for folder in ("orchestration", "planning", "automation", "cli"):
    package = importlib.import_module(f"am_assets.{folder}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import am_assets.definitions, am_assets.launcher
print(json.dumps(opened))
"""


def test_no_module_reads_the_project_when_it_is_imported(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_project("http://127.0.0.1:1/v1")
    environment = os.environ | {"AM_DATA": str(tmp_path), "DAGSTER_HOME": str(tmp_path / "instance")}
    code = [sys.executable, *(["-S"] if sys.flags.no_site else []), "-W", "ignore", "-c", IMPORT_ALL]
    imported = subprocess.run(code, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert imported.returncode == 0, imported.stderr
    assert json.loads(imported.stdout) == []


def test_definitions_of_two_projects_stand_side_by_side(tmp_path: Path) -> None:
    from am_assets.definitions import build_definitions
    from am_assets.project import load_project

    graphs = []
    for name in ("one", "two"):
        desk = Desk(tmp_path / name)
        desk.folder.mkdir()
        desk.write_project("http://127.0.0.1:1/v1")
        desk.recipe(name, {"extends": "plain"})
        desk.write("schedule.yaml", {"recipes": [name], "cron": f"0 {len(name)} * * *"})
        definitions = build_definitions(load_project(desk.folder, desk.folder / "sources.yaml"))
        dg.Definitions.validate_loadable(definitions)
        graphs.append(definitions.resolve_asset_graph())
    for graph, own, others in zip(graphs, ("one", "two"), ("two", "one"), strict=True):
        recipes = graph.get(dg.AssetKey("dedup_policy")).partitions_def.get_partition_keys()
        assert own in recipes and others not in recipes
