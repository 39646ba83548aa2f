"""`am verify`: one line a row with the verdict that a recipe would see, without a project and without Dagster."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from am_assets.config.instruments import Math
from am_assets.runtime.wording import counted
from am_assets_tests.desk import Desk
from am_assets_tests.verification.math_pairs import judged, pairs

COMMAND = [sys.executable, "-m", "am_assets.cli", "verify"]
BLOCK = "import sys\nfor name in ('dagster', 'litellm', 'sentence_transformers'):\n    sys.modules[name] = None\n"
ADDS = {"inputs": ["1 2", "3 4"], "outputs": ["3", "7"]}
SUM, FIRST = (f"```python\na, b = map(int, input().split())\nprint({what})\n```" for what in ("a + b", "3"))
NO_COMMA = [{"id": "punctuation:no_comma", "kwargs": {}}]


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that has no project and can't import what the graph needs."""
    (tmp_path / "sitecustomize.py").write_text(BLOCK)
    return os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}", "AM_DATA": str(tmp_path / "none")}


def verified(tmp_path: Path, environment: dict[str, str], rows: list[Any], *options: str) -> list[dict[str, Any]]:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    ended = subprocess.run([*COMMAND, str(file), *options], env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [row["line"] for row in told] == list(range(1, len(rows) + 1))
    assert f"{counted(len(rows), 'row')} in" in ended.stderr
    return told


def said(told: list[dict[str, Any]]) -> list[tuple[str | None, str]]:
    return [(row["verifier"], row["verdict"]) for row in told]


@pytest.mark.container
def test_every_kind_of_row_gets_its_verdict_without_a_project(tmp_path: Path, alone: dict[str, str]) -> None:
    told = verified(tmp_path, alone, [
        {"id": 7, "answer": "\\boxed{4}", "reference": 4},
        {"response": "<think>5?</think>So \\boxed{\\frac12}.", "reference_answer": ["3", "0.5"]},
        {"response": "<think>\\boxed{4}", "reference": "4"},
        {"answer": SUM, "test_cases": ADDS},
        {"answer": FIRST, "test_cases": json.dumps(ADDS)},
        {"answer": "no commas", "constraints": NO_COMMA},
        {"answer": "\\boxed{4}, right", "reference": "4", "constraints": NO_COMMA},
    ])  # fmt: skip
    assert said(told) == [
        ("math", "pass"), ("math", "pass"), ("math", "fail"), ("code", "pass"), ("code", "fail"),
        ("instructions", "pass"), ("instructions", "fail"),
    ]  # fmt: skip
    assert [told[0]["id"], told[0]["extracted"], told[1]["extracted"]] == [7, "4", "\\frac12"]
    assert told[2]["reason"] == "answer missing"
    assert told[4]["outcomes"] == ["pass", "wrong_answer"]
    assert told[6]["others"] == {"math": "pass"}
    assert all(row["seconds"] >= 0 for row in told)


@pytest.mark.container
def test_a_recipe_has_its_rules_on_tests_count(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    desk = Desk(tmp_path / "data")
    desk.write_project("http://localhost:1")
    desk.edit("plain", "verification", min_tests_passed=0.5)
    environment = os.environ | {"AM_DATA": str(desk.folder)}
    (told,) = verified(tmp_path, environment, [{"answer": FIRST, "test_cases": ADDS}], "--recipe=plain")
    assert (told["verdict"], told["reason"]) == ("pass", "1 of 2 tests passed, first wrong_answer")


def test_rows_that_cannot_be_verified_say_why(tmp_path: Path, alone: dict[str, str]) -> None:
    told = verified(tmp_path, alone, [
        "nonsense", "[1]", {"answer": ["4"], "reference": "4"}, {"answer": "4"}, {"reference": "4"},
        {"answer": "4", "test_cases": {"what": 1}}, {"answer": "4", "constraints": NO_COMMA},
    ], "--math-only")  # fmt: skip
    assert [row["verdict"] for row in told] == [*["unverifiable"] * 4, "fail", *["unverifiable"] * 2]
    assert [row["reason"] for row in told] == [
        "row: not JSON",
        "row: not an object: a list",
        "row: field `answer`: expected text, found a list",
        "nothing to verify by: the row has no reference, test_cases or constraints; --column names another place",
        "answer missing",
        "row: field `test_cases`: tests of an unknown form",
        "its verifier was not asked for",
    ]


def test_rows_of_a_release_are_read_as_they_are(tmp_path: Path, alone: dict[str, str]) -> None:
    def row(result: str) -> dict[str, object]:
        answer = {"role": "assistant", "content": f"<think>I add.</think>\\boxed{{{result}}}"}
        turns = [{"role": "user", "content": "2 + 2?"}, answer]
        return {"messages": turns, "reference_answer": "4", "test_case": None}

    assert said(verified(tmp_path, alone, [row("4"), row("5")])) == [("math", "pass"), ("math", "fail")]


def test_paths_name_columns_and_a_column_that_is_named_is_read_as_that_alone(tmp_path: Path, alone) -> None:
    rows = [{"meta": {"id": "x"}, "answer": "4", "said": "\\boxed{4}"}, {"answer": "4", "said": "\\boxed{4}"}]
    options = [f"--column={one}" for one in ("id=meta.id", "reference=answer", "answer=said")]
    told = verified(tmp_path, alone, rows, *options)
    assert told[0]["id"] == "x" and said(told[:1]) == [("math", "pass")]
    assert told[1]["reason"] == "row: field `meta.id`: not there"


def test_verdicts_are_those_of_the_assets(tmp_path: Path, alone: dict[str, str]) -> None:
    rows = pairs().filter(pl.col("answer").is_not_null() & ~pl.col("answer").str.contains("think>"))
    told = verified(tmp_path, alone, rows.select("answer", "reference").to_dicts(), "--workers=2")
    assert [row["verdict"] for row in told] == judged(rows, Math())["verdict"].to_list()


def test_a_caller_gets_each_verdict_before_it_sends_the_next_row(alone: dict[str, str]) -> None:
    with subprocess.Popen([*COMMAND, "-"], env=alone, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdin and process.stdout
        for number in range(3):
            process.stdin.write(json.dumps({"answer": f"\\boxed{{{number}/2}}", "reference": "1/2"}) + "\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            assert (told["line"], told["verdict"]) == (number + 1, "pass" if number == 1 else "fail")
        process.stdin.close()
        assert process.wait() == 0


def test_a_reader_that_has_seen_enough_ends_it(tmp_path: Path, alone: dict[str, str]) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text('{"answer": "\\\\boxed{1/2}", "reference": "0.5"}\n' * 5000)
    ended = subprocess.run(
        f"{' '.join(COMMAND)} {file} | head -n 1", shell=True, env=alone, capture_output=True, text=True
    )
    assert json.loads(ended.stdout)["verdict"] == "pass" and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["missing.jsonl"], "missing.jsonl: no such file"),
        (["-", "--column=gold=answer"], "--column gold=answer: expected a path after one of id, answer"),
        (["-", "--recipe=none"], "none"),
    ],
)
def test_what_is_named_wrongly_ends_the_command(alone: dict[str, str], options: list[str], message: str) -> None:
    ended = subprocess.run([*COMMAND, *options], env=alone, input="", capture_output=True, text=True)
    assert ended.returncode == 2 and message in ended.stderr and "Traceback" not in ended.stderr
