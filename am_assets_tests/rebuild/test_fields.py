"""Edit anything, and exactly what follows from it is made anew: tried on every field of every file under `data/`.

A run tries a part of the fields, another one each day; `AM_FIELDS=2/8` names the part, `1/1` is all of them. The whole
is also `python -m am_assets_tests.bench.every_field`.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from am_assets_tests.desk import Desk
from am_assets_tests.rebuild import small, table
from am_assets_tests.rebuild.compare import LATE
from am_assets_tests.rebuild.edits import ENTRIES, UNEXERCISED, VALUES
from am_assets_tests.rebuild.fields import every_field, undeclared
from am_assets_tests.rebuild.trials import try_all

ROOT = Path(__file__).parents[2]
PARTS = 120
FIELDS = every_field()


def part_of_today() -> slice:
    number, _, of = os.environ.get("AM_FIELDS", "").partition("/")
    parts = int(of or PARTS)
    return slice((int(number) - 1) if number else datetime.now(UTC).timetuple().tm_yday % parts, None, parts)


def test_every_file_of_a_project_is_declared(tmp_path: Path) -> None:
    assert undeclared(ROOT / "data") == []
    (tmp_path / "recipes").mkdir()
    for name in ("sources.yaml", "recipes/plain.yaml", "recipes/plain.yml", "budgets.yaml"):
        (tmp_path / name).touch()
    assert undeclared(tmp_path) == ["budgets.yaml", "recipes/plain.yml"]


def test_every_field_has_an_edit_and_the_tables_of_edits_name_fields(tmp_path: Path) -> None:
    names = [field.name for field in FIELDS]
    assert {*VALUES, *ENTRIES, *UNEXERCISED} <= set(names)
    assert len(set(names)) == len(names)
    small.write_project(Desk(tmp_path / "project"), "http://127.0.0.1:1")
    for field in FIELDS:
        if field.name not in UNEXERCISED:
            shutil.copytree(tmp_path / "project", tmp_path / "edited")
            field.edit(tmp_path / "edited")
            shutil.rmtree(tmp_path / "edited")


def test_the_page_has_a_line_for_every_field() -> None:
    assert list(table.lines()) == [field.name for field in FIELDS]


@pytest.mark.slow
def test_an_edited_project_is_the_one_that_is_built_anew(tmp_path: Path) -> None:
    fields = [field for field in FIELDS[part_of_today()] if field.name not in UNEXERCISED]
    trials = list(try_all(fields, tmp_path))
    broken = [f"{trial.field}: {found}" for trial in trials for found in [*trial.wrong, *trial.beside]]
    assert not broken, "\n".join(["an edit breaks the promise:", *broken])
    page = table.lines()
    found = {trial.field: table.line(trial) for trial in trials if trial.field != LATE}
    moved = {name: line for name, line in found.items() if page.get(name) != line}
    assert not moved, "\n".join(["docs/fields.md says otherwise; bench/every_field.py --write:", *moved.values()])
