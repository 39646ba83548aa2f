"""Marks of people: the last one counts, the figure that comes of them, and test cases that verify as people said."""

import json
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.files import ConfigError
from am_assets.view import marks
from am_assets.view.marks import Mark
from am_assets_tests.commands import am
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.view.conftest import ALL, FOUND, SECRET, TASK, TWELVE, TWIN
from am_assets_tests.view.stored import server_at, write_tables

JUDGED = [  # right, wrong, right, wrong, by people; passed, failed, failed, failed by verdict
    (TWELVE.response_id(0), TWELVE.id, "right"), (TWELVE.response_id(1), TWELVE.id, "wrong"),
    (TASK.response_id(0), TASK.id, "right"), (SECRET.response_id(0), SECRET.id, "wrong"),
    (TWIN.response_id(0), TWIN.id, "unsure"),
]  # fmt: skip


def mark(key: str, question: str, says: str, note: str = "") -> Mark:
    return Mark(key, question, says, note, "2026-01-01T00:00:00+00:00")


def test_the_last_mark_of_a_response_counts_and_one_can_be_taken_back(tmp_path: Path) -> None:
    for says in ("right", "wrong"):
        marks.add(tmp_path, mark("a", "q", says))
    marks.add(tmp_path, mark("b", "q", "right", "zwölf\nor so"))
    marks.add(tmp_path, mark("c", "q", "right"))
    marks.add(tmp_path, mark("c", "q", "cleared"))
    found = marks.read(tmp_path)
    assert {key: one.says for key, one in found.items()} == {"a": "wrong", "b": "right"}
    assert found["b"].note == "zwölf\nor so"


def test_a_line_that_a_crash_cut_off_costs_no_other_mark_and_a_foreign_line_is_named(tmp_path: Path) -> None:
    marks.add(tmp_path, mark("a", "q", "right"))
    file = tmp_path / marks.FILE
    file.write_bytes(file.read_bytes() + b'{"id": "b", "quest')
    assert set(marks.read(tmp_path)) == {"a"}
    marks.add(tmp_path, mark("c", "q", "wrong"))
    assert set(marks.read(tmp_path)) == {"a", "c"}
    file.write_text('{"id": "a", "says": "maybe"}\n')
    with pytest.raises(ConfigError, match="line 1"):
        marks.read(tmp_path)


def test_agreement_counts_each_kind_and_leaves_out_what_has_no_verdict() -> None:
    verified = pl.DataFrame(
        [("a", "math", "math", "pass"), ("b", "math", "math", "pass"), ("c", "code", "coding", "fail"),
         ("d", "math", "math", "unverifiable"), ("e", "math", "math", "fail")],
        ["response_id", "evidence", "category", "verdict"], orient="row",
    )  # fmt: skip
    said = [
        mark(key, "q", says) for key, says in zip("abcdx", ["right", "wrong", "right", "right", "right"], strict=True)
    ]
    table = marks.agreement(marks.judged([*said, mark("e", "q", "unsure")], verified))
    every, code, _, math, _ = table.to_dicts()
    assert every == {
        "kind": "all", "category": "all", "rows": 3, "right": 2, "wrong": 1, "accuracy": pytest.approx(1 / 3),
        "false_pass": 1.0, "false_fail": 0.5, "untold": 1,
    }  # fmt: skip
    assert (code["kind"], code["accuracy"], code["false_fail"]) == ("code", 0.0, 1.0)
    assert (math["kind"], math["rows"], math["untold"]) == ("math", 2, 1)
    assert marks.agreement(marks.judged([], verified)).is_empty()


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    write_tables(tmp_path, ALL, FOUND)
    for key, question, says in JUDGED:
        marks.add(tmp_path, mark(key, question, says, "looked at"))
    return at_desk(tmp_path, server_at("http://127.0.0.1:1"), monkeypatch)


def test_the_command_prints_the_figure_and_writes_cases_that_verify_as_people_said(marked: Desk) -> None:
    every, *kinds = json.loads(am(marked, "marks", "-r", "plain", "--json").stdout)
    assert (every["rows"], every["right"], every["wrong"], every["accuracy"]) == (4, 2, 2, 0.75)
    assert [one["kind"] for one in kinds] == ["code", "code", "math", "math"]
    file = marked.folder / "cases.jsonl"
    told = am(marked, "marks", "-r", "plain", "--export", str(file))
    assert "3 test cases written" in told.stdout and "1 left out" in told.stdout
    cases = {case["id"]: case for case in map(json.loads, file.read_text().splitlines())}
    assert set(cases) == {TWELVE.response_id(0), TWELVE.response_id(1), TASK.response_id(0)}
    assert cases[TASK.response_id(0)]["right"] == "pass" and cases[TASK.response_id(0)]["verdict"] == "fail"
    verified = am(marked, "verify", str(file), "--math-only")
    verdicts = {line["id"]: line["verdict"] for line in map(json.loads, verified.stdout.splitlines())}
    assert [verdicts[TWELVE.response_id(at)] for at in (0, 1)] == [
        cases[TWELVE.response_id(at)]["right"] for at in (0, 1)
    ]


def test_without_marks_the_command_says_where_to_make_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path, ALL)
    desk = at_desk(tmp_path, server_at("http://127.0.0.1:1"), monkeypatch)
    assert "am view -r other" in am(desk, "marks", "-r", "other").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "add --token"), (["--host", "0.0.0.0", "--token", "short"], "at least 16"),
        (["-r", "nobody"], "no recipe nobody"), (["--host", "192.0.2.7", "--token", "0123456789abcdef"], "192.0.2.7:"),
    ],
)  # fmt: skip
def test_what_it_cannot_serve_is_said_before_it_starts(marked: Desk, options: list[str], words: str) -> None:
    ended = am(marked, "view", *options)
    assert ended.exit_code == 2 and words in ended.output
