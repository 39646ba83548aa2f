"""The form of what is stored: a folder says it, and older code leaves a newer one alone."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.files import ConfigError
from am_assets.storage.stored import FORM, StoredTables
from am_assets_tests.desk import Desk
from am_assets_tests.services import am, environment

PLAN = ("plan", "--recipe", "plain", "--select", "dedup_policy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Desk(tmp_path).write_project("http://127.0.0.1:1/v1")
    return tmp_path


@pytest.mark.parametrize("left", [0, 3, 500])
def test_a_table_that_was_cut_off_is_named_with_what_to_do(tmp_path: Path, left: int) -> None:
    (tmp_path / "raw_pool").mkdir()
    table, store = tmp_path / "raw_pool" / "own.parquet", StoredTables(tmp_path)
    pl.DataFrame({"question_id": [str(number) for number in range(500)]}).write_parquet(table)
    assert store.read("raw_pool", "own").height == store.scan("raw_pool", "own").collect().height == 500
    table.write_bytes(table.read_bytes()[:left])
    for read in (store.read, store.scan):
        with pytest.raises(ConfigError, match=r"raw_pool/own\.parquet: not a whole Parquet file: remove it"):
            read("raw_pool", "own")


def stored_as(folder: Path, form: str) -> Path:
    file = folder / "assets" / "FORMAT"
    file.parent.mkdir(exist_ok=True)
    file.write_text(form)
    return file


def test_the_first_table_stored_says_the_form_and_later_ones_leave_it(folder: Path) -> None:
    applied = am(folder, "apply", *PLAN[1:])
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert (folder / "assets" / "FORMAT").read_text() == f"{FORM}\n"
    assert "Nothing to do" in am(folder, *PLAN).stdout


def test_a_folder_that_was_stored_before_forms_had_numbers_is_read_as_ever(folder: Path) -> None:
    am(folder, "apply", *PLAN[1:])
    (folder / "assets" / "FORMAT").unlink()
    assert "Nothing to do" in am(folder, *PLAN).stdout


def test_a_folder_of_an_older_form_is_of_this_one_once_a_table_is_stored_in_it(folder: Path) -> None:
    file = stored_as(folder, "1\n")
    assert am(folder, *PLAN).returncode == 0
    assert file.read_text() == "1\n"
    assert am(folder, "apply", *PLAN[1:]).returncode == 0
    assert file.read_text() == f"{FORM}\n"


def test_a_newer_folder_is_refused_before_anything_of_it_is_read(folder: Path) -> None:
    file = stored_as(folder, f"{FORM + 1}\n")
    (folder / "sources.yaml").write_text("of: [a, newer, form\n")
    planned = am(folder, *PLAN)
    assert (planned.returncode, planned.stdout) == (2, "")
    assert (
        f"{file}: this folder is stored in form {FORM + 1}, and this am-assets knows forms up to {FORM}: install"
        in planned.stderr
    )
    assert file.read_text() == f"{FORM + 1}\n"


def test_the_code_location_refuses_a_newer_folder_with_the_same_words(folder: Path) -> None:
    file = stored_as(folder, "12")
    load = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "am_assets.definitions"]
    loaded = subprocess.run(load, capture_output=True, text=True, env=environment(folder))
    assert loaded.returncode != 0
    assert f"{file}: this folder is stored in form 12, and this am-assets knows forms up to {FORM}" in (
        loaded.stdout + loaded.stderr
    )


def test_a_file_that_names_no_form_is_refused_and_named(folder: Path) -> None:
    file = stored_as(folder, "soon")
    planned = am(folder, *PLAN)
    assert planned.returncode == 2
    assert f"{file}: 'soon' is no version" in planned.stderr
