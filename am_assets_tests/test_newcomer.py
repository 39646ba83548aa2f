"""A newcomer's lines: those of the README on own data, on a terminal with the installed package, and that each line of
the pages is a command with options that there are."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import split

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from am_assets.cli import HELP, app
from am_assets.storage.stored import StoredTables
from am_assets_tests.cli.test_init import answered, asked, write
from am_assets_tests.services import ROOT, environment
from am_assets_tests.terminal import Seat

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def lines_of(page: Path) -> list[str]:
    """The commands in the indented blocks of a page, without what is said of them."""
    blocks = re.findall(r"^ {4,}((?:am|export) [^\n]*)", page.read_text(), re.MULTILINE)
    return [re.sub(r"\s+#.*|\s{2,}.*", "", line) for line in blocks]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one(page: Path) -> None:
    """Its command, options and number of arguments are known; nothing is carried out."""
    group = get_command(app)
    for line in lines_of(page):
        words = split(re.split("[|>&]", line)[0])
        if words[0] == "am" and words[1:] not in ([], ["…"]):
            with group.make_context("am", words[1:]) as context:
                name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
                command.make_context(name, rest, parent=context).close()


def test_the_help_has_each_command_once_in_a_panel_and_fits_a_narrow_terminal() -> None:
    said = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["--help"]).output
    listed = re.findall(r"^│ ([a-z]+) {2,}", said, re.MULTILINE)
    assert sorted(listed) == sorted(get_command(app).commands) and "─ Commands ─" not in said
    assert all(line.rstrip() in said for line in HELP.replace("\b", "").splitlines())


@pytest.fixture
def folder(tmp_path: Path, installed: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty folder but for `am`, the command as pip writes it, and the environment of a newcomer."""
    command = tmp_path / "bin" / "am"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -W ignore -m am_assets.cli "$@"\n')
    command.chmod(0o755)
    env = environment(tmp_path) | {"PYTHONPATH": str(installed)}
    path = f"{command.parent}:{env['PATH']}"
    yield (
        tmp_path,
        {name: value for name, value in env.items() if name not in ("AM_DATA", "DAGSTER_HOME")} | {"PATH": path},
    )


def carried_out(folder: Path, env: dict[str, str], *lines: str) -> str:
    """What a shell shows on a terminal, whose lines all succeed."""
    seat = Seat(["bash", "-ec", "\n".join(lines)], env, cwd=folder)
    seat.watch()
    assert seat.process.wait(30) == 0, seat.words()[-4000:]
    return seat.words()


@pytest.mark.slow
def test_the_lines_on_own_data_work_word_for_word_in_an_empty_folder(folder: tuple[Path, dict]) -> None:
    here, env = folder
    write(here / "questions.jsonl", answered(20))
    own = lines_of(ROOT / "README.md")
    read, init, export = own[(at := own.index("am read questions.jsonl")) : at + 3]
    said = carried_out(here, env, read, init, export, "am plan")
    assert "20 questions, 20 references, 20 responses" in said and "DEEPSEEK_API_KEY" in said
    assert "What models would be asked" in said and "Traceback" not in said


@pytest.mark.slow
@pytest.mark.model
def test_rows_in_two_shapes_are_released_without_an_edit_while_a_board_tells_what_is_left(
    folder: tuple[Path, dict],
) -> None:
    """With the embedded models, and without the training of a student, as `am init` offers."""
    here, env = folder
    write(here / "questions.jsonl", answered(2))  # chats with a reference
    write(here / "more.jsonl", asked(1))  # columns of no published form
    carried_out(here, env, "am init ours --from questions.jsonl --from more.jsonl")
    said = carried_out(here, env | {"AM_DATA": "ours"}, 'am apply -s "+sft_dataset"')
    assert re.search(r"labels \d+ of \d+", said) and " left" in said and "Traceback" not in said
    assert StoredTables(here / "ours" / "assets").read("sft_dataset", "main").height >= 2
