"""Files of a project that can't be read, and files that nobody reads: each is named, and nothing is as by default
without a word."""

from collections.abc import Callable
from pathlib import Path

import pytest

from am_assets import open_project
from am_assets.config.files import ConfigError
from am_assets.project import load_project
from am_assets.storage.copies import DISK

Change = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "main.yaml").write_text("training: {student: embedded/smollm2-135m-instruct}\n")
    (tmp_path / "sources.yaml").write_text("own: {location: own.jsonl, rank: 1}\n")
    return tmp_path


def _write(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "endpoints.yaml").mkdir(), "endpoints.yaml: can't be read: Is a directory"),
        (lambda folder: (folder / "exclude.txt").mkdir(), "exclude.txt: can't be read: Is a directory"),
        (lambda folder: (folder / "sources.yaml").unlink(), "sources.yaml: no such file: AM_DATA names the folder"),
        (_write("hardware.yaml", "a: 2024-13-45"), "hardware.yaml: not YAML: month must be in 1..12"),
        (_write("hardware.yaml", "a: " + "9" * 5000), "hardware.yaml: not YAML: Exceeds the limit"),
        (_write("endpoints.yaml", "7: {concurrency: 2}"), "endpoints.yaml: 7: a name is text: write it in quotes"),
        (_write("sources.yaml", "2024: {location: a.jsonl, rank: 1}"), "sources.yaml: 2024: a name is text"),
        (_write("hardware.yaml", "cpu: {7: 1}"), "hardware.yaml: cpu: 7: a name is text"),
        (_write("hardware.yaml", "cpu: 7"), "hardware.yaml: cpu: expected fields and their values"),
        (_write("sources.yaml", "own: {location: a.jsonl, rank: 1, shards: 1000000000}"),
         "1,000,000,000 shards; at"),
        (_write("endpoint.yaml", ""), "endpoint.yaml: nothing reads it: did you mean endpoints.yaml?"),
        (_write("instruments.yml", ""), "instruments.yml: nothing reads it: did you mean instruments.yaml?"),
        (_write("recipes/strict.yml", ""), "strict.yml: nothing reads a .yml: name it strict.yaml"),
        (lambda folder: (folder / "recipes").rename(folder / "recipe"),
         "recipe: nothing reads it: did you mean recipes"),
        (lambda folder: (folder / "recipes").rename(folder / "old") and (folder / "recipes").write_text(""),
         "recipes: can't be read: Not a directory"),
        (_write("experiments", ""), "experiments: can't be read: Not a directory"),
    ],
)  # fmt: skip
def test_a_file_that_cant_be_read_or_is_not_is_named(folder: Path, change: Change, says: str) -> None:
    change(folder)
    with pytest.raises(ConfigError) as error:
        open_project(folder)
    assert says in str(error.value)
    assert str(folder) in str(error.value)


def test_folders_that_this_user_may_not_read_are_no_empty_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigError, match="recipes: can't be read: Permission denied"):
        open_project(folder)
    with pytest.raises(PermissionError):
        DISK.paths(folder, ".parquet")


def test_a_fault_that_recipes_inherit_is_told_once(folder: Path) -> None:
    (folder / "recipes" / "main.yaml").write_text("dedup: [")
    (folder / "recipes" / "other.yaml").write_text("extends: main\n")
    told = load_project(folder, folder / "sources.yaml")
    assert {*told.broken} == {"main", "other"}
    with pytest.raises(ConfigError) as error:
        told.refuse_broken()
    assert str(error.value).count("main.yaml: not YAML") == 1


@pytest.mark.parametrize("name", ["endpoints-old.yaml", "samples.yaml", "notes.yml", "endpoint", "recipes/main.yml"])
def test_other_files_may_lie_beside(folder: Path, name: str) -> None:
    (folder / name).write_text("")
    assert open_project(folder).recipes == ["main"]


def test_what_an_editor_holds_beside_a_recipe_is_none(folder: Path) -> None:
    (folder / "recipes" / ".#main.yaml").symlink_to("somebody@machine.1:2")
    (folder / "recipes" / "._main.yaml").write_bytes(b"\x00\x05\x16\x07")
    assert open_project(folder).recipes == ["main"]
