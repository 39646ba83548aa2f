"""A project of which every partition was made once, by bodies that give what a test says."""

import shutil
from pathlib import Path

import pytest

from am_assets_tests.automation.ticks import Loop
from am_assets_tests.desk import Desk


def at(folder: Path, patch: pytest.MonkeyPatch) -> Desk:
    patch.setenv("AM_DATA", str(folder))
    patch.setenv("DAGSTER_HOME", str(folder / "instance"))
    patch.delenv("AM_SOURCES", raising=False)
    return Desk(folder)


@pytest.fixture(scope="session")
def all_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        desk = at(folder, patch)
        desk.write_project("http://127.0.0.1:1/v1")
        definitions = desk.open(None, None).definitions
        from am_assets.orchestration.sqlite import open_instance

        with open_instance(folder / "instance") as instance:
            Loop(definitions, instance).run_everything()
    return folder


@pytest.fixture
def made(all_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    shutil.copytree(all_made, tmp_path, dirs_exist_ok=True)
    return at(tmp_path, monkeypatch)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project of which nothing was made."""
    desk = at(tmp_path, monkeypatch)
    desk.write_project("http://127.0.0.1:1/v1")
    return desk
