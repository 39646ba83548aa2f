"""A newcomer's way in an empty folder with the installed package: the README's lines on a terminal, a set released from
files of one's own, and a look at it in a browser.

Of the README's lines those on own data run as they stand. `am apply` is cut short in the two ways that it offers: the
embedded teacher instead of one that is paid for ("without --teacher the embedded model"), and the selection
"+sft_dataset", which leaves the training of a student out; `make run` trains one for minutes.
"""

import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shlex import split

import pytest
import yaml
from typer.main import get_command

from am_assets.cli import app
from am_assets.storage.stored import StoredTables
from am_assets_tests.cli.test_init import answered, asked, write
from am_assets_tests.services import ROOT, environment
from am_assets_tests.terminal import Seat
from am_assets_tests.ui.browser import browsing

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOON = 60  # seconds until the first rows are shown
SECONDS = 300  # from the rows to a released set; CI has two cores


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


def carried_out(folder: Path, env: dict[str, str], *lines: str, soon: str = "") -> str:
    """What a shell shows on a terminal, whose lines all succeed; what a pattern says is there within a minute."""
    began = time.monotonic()
    seat = Seat(["bash", "-ec", "\n".join(lines)], env, cwd=folder)
    if soon:
        seat.watch(until=soon)
        assert time.monotonic() - began < SOON, seat.words()[-4000:]
    seat.watch()
    assert seat.process.wait(30) == 0, seat.words()[-4000:]
    return seat.words()


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.model
@pytest.mark.browser
def test_from_an_empty_folder_to_a_released_set_that_is_looked_at(folder: tuple[Path, dict]) -> None:
    here, env = folder
    write(here / "questions.jsonl", asked(20))
    write(here / "solved.jsonl", answered(10))
    own = lines_of(ROOT / "README.md")
    read, init, export = own[(at := own.index("am read questions.jsonl")) : at + 3]
    said = carried_out(here, env, read, init, export, "am plan")
    assert "20 questions" in said and "deepseek/deepseek-reasoner" in said and "DEEPSEEK_API_KEY" in said

    began, cpu = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    init = "am init ours --from questions.jsonl --from solved.jsonl"
    planned = carried_out(here, env, init, "export AM_DATA=ours", "am plan")
    assert "What models would be asked" in planned
    said = carried_out(here, env | {"AM_DATA": "ours"}, 'am apply -s "+sft_dataset"', soon=r"labels \d+ of \d+")
    took, spent = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    released = StoredTables(here / "ours" / "assets").read("sft_dataset", "main")
    print(
        f"{released.height} of 30 released in {took:.0f} s, {spent.ru_utime - cpu.ru_utime:.0f} s of a processor here"
    )
    assert len(yaml.safe_load((here / "ours" / "sources.yaml").read_text())) == 2
    assert 10 <= released.height <= 30  # all whose answer is right, and what the embedded teacher solves
    assert " left" in said and "Traceback" not in said  # the board, all the way
    assert took < SECONDS

    command = [str(here / "bin" / "am"), "view", "--port", "0"]
    server = subprocess.Popen(command, env=env | {"AM_DATA": "ours"}, cwd=here, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        url = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert url
        with browsing(url[0], 1300, 900) as browser:
            browser.open("/")
            browser.see("At a harbour are 4 crates")
            assert not browser.driver.get_log("browser")
    finally:
        server.terminate()
        assert server.wait(10) is not None
