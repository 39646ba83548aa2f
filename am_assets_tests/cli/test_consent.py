"""The command `am` spends and applies what somebody named. Labeler and teacher are scripted servers that count."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from am_assets.storage.memo import Memo
from am_assets_tests.desk import RECIPE, Desk, at_desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.services import environment

LABEL = json.dumps({"category": "math", "difficulty": "easy"})
LABELS = ("-s", "raw_pool or question_labels")
RESPONSES = ("-s", "+responses")
CENT = {"input_price": 0, "output_price": 2000}  # dollars per million tokens: five tokens of an answer are a cent


class Office:
    """A project of two recipes and four sums, whose models are asked at the prices that a test sets."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self.labeler = Teacher(lambda *_: answer(LABEL))
        self.teacher = Teacher(lambda *_: answer("<think>Count on.</think>", finish="length"))
        sums = [{"question": f"Ann has {n} pears and gets {n} more. How many?"} for n in (3, 5, 7, 9)]
        desk.rows("asked", [row | {"reference_answer": "1"} for row in sums])
        desk.write("sources.yaml", {"asked": desk.source("asked", 0)})
        desk.write(
            "instruments.yaml",
            {"labels": {"model": "openai/labeler"}, "reward": {"model": "openai/labeler"}}
            | {"embeddings": {"model": "static"}},
        )
        desk.recipe("plain", {**RECIPE, "dedup": {"threshold": 1.0}, "teacher": {"model": "openai/a", "max_tokens": 8}})
        desk.recipe("other", {"extends": "plain", "teacher": {"model": "openai/b"}})
        self.prices()

    def prices(self, **of: dict | None) -> None:
        """Dollars for labeler, a and b; 0 for those not named, none known for those of which None is said."""
        servers = {"labeler": self.labeler, "a": self.teacher, "b": self.teacher}
        reach = {name: {"api_base": at.url, "api_key_env": "TEST_MODEL_KEY"} for name, at in servers.items()}
        free = {"input_price": 0}
        self.desk.write("endpoints.yaml", {f"openai/{n}": at | (of.get(n, free) or {}) for n, at in reach.items()})

    def hurried(self) -> None:
        """A labeler that is asked one at a time, and once more where it fails."""
        entry = {"api_base": self.labeler.url, "api_key_env": "TEST_MODEL_KEY", "concurrency": 1, "retries": 1}
        self.desk.write("endpoints.yaml", {"openai/labeler": entry | {"input_price": 0}})

    def am(self, *arguments: str) -> Result:
        """Without a terminal."""
        self.desk.open(None, None)  # the folder as it is now
        from am_assets.cli import app

        return CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)

    def estimates(self, *arguments: str) -> dict[str, dict]:
        """By asset, of the only shard."""
        planned = json.loads(self.am("plan", "--json", *arguments).stdout)
        return {step["asset"]: step["estimate"] for step in planned["steps"] if step["estimate"]}

    def done(self) -> dict[str, list[str]]:
        tables = (self.desk.folder / "assets").rglob("*.parquet")
        found: dict[str, list[str]] = {}
        for path in sorted(tables):
            found.setdefault(path.parent.name, []).append(path.stem)
        return found


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.delenv("AM_BUDGET_USD", raising=False)
    office = Office(at_desk(tmp_path, Teacher(lambda *_: answer("")), monkeypatch))
    yield office
    office.labeler.stop()
    office.teacher.stop()


def at_terminal(office: Office, types: str, *arguments: str) -> tuple[int, str]:
    """Exit code and screen of a command at a terminal, where a person types that at the first question."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", *arguments]
    settings = environment(office.desk.folder) | {"TERM": "xterm"}
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=settings)
    os.close(follower)
    screen, typed = b"", False
    try:
        while read := os.read(leader, 65536):
            screen += read
            if not typed and b"[y/N]" in screen:
                typed = True
                os.write(leader, types.encode())
    except OSError:  # the other side is closed
        pass
    os.close(leader)
    return process.wait(), screen.decode()


def test_an_apply_that_names_no_recipe_of_several_lists_them_and_does_nothing(office: Office) -> None:
    refused = office.am("apply", "--select", "+sft_dataset")
    assert refused.exit_code == 2
    assert "other, plain" in refused.stderr
    assert "--all" in refused.stderr
    assert office.am("apply", "--all", "-r", "plain", "-s", "dedup_policy").exit_code == 2
    assert office.am("apply", "-r", "nobody", "-s", "dedup_policy").exit_code == 2
    assert office.done() == {}


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["-r", "plain"], ["plain"]),
        (["-r", "plain", "-r", "other", "-r", "plain"], ["other", "plain"]),
        (["--all"], ["other", "plain"]),
    ],
)
def test_the_named_recipes_are_applied_and_no_others(office: Office, arguments: list[str], made: list[str]) -> None:
    assert office.am("apply", *arguments, "-s", "dedup_policy").exit_code == 0
    assert office.done() == {"dedup_policy": made}


def test_a_projects_only_recipe_needs_no_name(office: Office) -> None:
    (office.desk.folder / "recipes" / "other.yaml").unlink()
    assert office.am("apply", "-s", "dedup_policy").exit_code == 0
    assert office.done() == {"dedup_policy": ["plain"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ["preview", "--set", "dedup.threshold=0.9"],
        ["preview", "-r", "plain", "-r", "other"],
        ["explain", "What?"],
        ["explain", "What?", "-r", "plain", "-r", "other"],
        ["diff", "-r", "plain"],
    ],
)
def test_what_is_about_one_recipe_or_two_refuses_others_and_lists_them(office: Office, arguments: list[str]) -> None:
    refused = office.am(*arguments)
    assert refused.exit_code == 2
    assert "plain" in refused.stderr


def test_without_a_terminal_a_priced_model_is_asked_for_a_named_budget_only(office: Office) -> None:
    office.prices(labeler=CENT)
    refused = office.am("apply", "-r", "plain", *LABELS)
    assert refused.exit_code == 2
    assert "question_labels" in refused.stderr
    assert "--budget" in refused.stderr
    assert office.labeler.asked == []
    assert office.done() == {}
    assert office.am("apply", "-r", "plain", *LABELS, "--budget", "9").exit_code == 0
    assert len(office.labeler.asked) == 4


def test_a_budget_in_the_environment_is_a_named_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.prices(labeler=CENT)
    monkeypatch.setenv("AM_BUDGET_USD", "9")
    assert office.am("apply", "-r", "plain", *LABELS).exit_code == 0
    assert len(office.labeler.asked) == 4


def test_a_model_without_a_known_price_is_not_asked(office: Office) -> None:
    office.prices(labeler=None)
    refused = office.am("apply", "-r", "plain", *LABELS)
    assert refused.exit_code == 2
    assert "endpoints.yaml: openai/labeler" in refused.stderr
    assert "input_price, output_price: neither stands here" in refused.stderr
    assert office.labeler.asked == []


def test_at_a_terminal_the_price_is_confirmed_and_is_the_most_that_is_spent(office: Office) -> None:
    office.prices(labeler=CENT)
    code, screen = at_terminal(office, "n\n", "apply", "-r", "plain", *LABELS)
    assert (code, office.labeler.asked, office.done()) == (1, [], {})
    named = float(screen.partition("for at most $")[2].partition(". Go on?")[0])
    assert named == pytest.approx(office.estimates("-r", "plain", *LABELS)["question_labels"]["most"], abs=0.01)
    code, screen = at_terminal(office, "y\n", "apply", "-r", "plain", *LABELS)
    assert code == 0, screen
    answered = Memo(office.desk.folder / "memo").known("labels").collect()
    assert answered.height == 4
    assert 0 < answered["cost"].sum() <= named


def test_free_models_are_asked_without_a_question(office: Office) -> None:
    code, screen = at_terminal(office, "n\n", "apply", "-r", "plain", *LABELS)
    assert (code, len(office.labeler.asked)) == (0, 4), screen
    assert "Go on?" not in screen


def test_what_no_estimate_foresaw_is_not_spent_without_consent(office: Office) -> None:
    assert office.am("apply", "-r", "plain", *RESPONSES).exit_code == 0
    assert len(office.teacher.asked) == 4
    office.prices(a=CENT)
    office.desk.edit("plain", "teacher", retry_max_tokens=16)  # every stored answer was cut off
    stopped = office.am("apply", "-r", "plain", *RESPONSES)
    assert stopped.exit_code == 1
    assert "The budget of $0.0000 is reached" in stopped.stderr
    assert len(office.teacher.asked) == 4
    assert office.am("apply", "-r", "plain", *RESPONSES, "--budget", "9").exit_code == 0
    assert len(office.teacher.asked) == 8


def test_what_only_another_recipe_wants_is_neither_priced_nor_asked_nor_forgotten(office: Office) -> None:
    assert office.am("apply", "--all", "-s", "+selected_questions").exit_code == 0
    office.prices(b=CENT)
    assert office.estimates("-r", "plain", *RESPONSES)["responses"]["requests"] == 4
    assert office.am("apply", "-r", "plain", "-s", "+teacher_requests").exit_code == 0
    exact = office.estimates("-r", "plain", *RESPONSES)["responses"]
    assert (exact["exact"], exact["requests"], exact["most"]) == (True, 4, 0)
    assert office.am("apply", "-r", "plain", *RESPONSES).exit_code == 0
    assert len(office.teacher.asked) == 4
    assert office.am("plan", "-r", "plain", *RESPONSES).stdout.startswith("Nothing to do")
    assert "4 requests of recipe other not asked yet" in office.am("plan", "-r", "other", *RESPONSES).stdout
    assert office.am("apply", "-r", "other", *RESPONSES, "--budget", "9").exit_code == 0
    stored = pl.read_parquet(office.desk.folder / "assets" / "responses" / "asked.parquet")
    assert stored["teacher"].value_counts(sort=True).sort("teacher").rows() == [("openai/a", 4), ("openai/b", 4)]


GARBAGE = {
    "a page": (b"<!doctype html><p>Welcome", "no JSON"),
    "nothing": (b"", "no JSON"),
    "other types": ({"choices": {"message": 3}}, "no choices with a message"),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_server_that_answers_garbage_is_named_and_nothing_it_answered_is_lost(office: Office, kind: str) -> None:
    body, words = GARBAGE[kind]
    office.labeler.script = lambda _, nth: answer(LABEL) if len(office.labeler.asked) == 1 else Reply(body=body)
    office.hurried()
    stopped = office.am("apply", "-r", "plain", *LABELS)
    assert stopped.exit_code == 1
    assert "failed question_labels[asked]" in stopped.stderr and f"not a chat completion, but {words}" in stopped.stderr
    assert "Traceback" not in stopped.output
    (stored,) = Memo(office.desk.folder / "memo").known("labels").collect()["key"].to_list()  # what was no garbage
    office.labeler.script, office.labeler.asked[:] = (lambda *_: answer(LABEL)), []
    assert office.am("apply", "-r", "plain", *LABELS).exit_code == 0
    assert len(office.labeler.asked) == 3 and stored
