"""`am read`: what a file would be in the pool, in the terminal and as JSON, without Dagster and without a project."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from am_assets.cli import app
from am_assets.datasets.reading import read_rows
from am_assets.datasets.sources import load_sources

ROWS = [
    {"problem": "Compute 17+25.", "solution": "s", "answer": "42",
     "generations": ["<think>a</think>42", "<think>b</think>41"]},
    {"problem": "Compute 1+1.", "solution": "s", "answer": "2", "generations": []},
    {"problem": 7, "solution": "s", "answer": "2", "generations": ["x"]},
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path / "a.jsonl"


def told(*arguments: str) -> str:
    ran = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["read", *arguments])
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_it_names_form_columns_counts_drops_and_rows(file: Path) -> None:
    said = told("a.jsonl")
    for words in (
        "Form: openr1, by its columns problem, solution, answer, generations",
        "Rows: 3",
        "2 questions, 2 references, 2 responses",
        "teacher deepseek-r1: 2 responses",
        "dropped: field `problem`: expected text, found a number: 1 row, at",
        "question: Compute 17+25.",
        "response of deepseek-r1: <think>a</think>42",
    ):
        assert words in said, said


def test_as_json_it_has_all_that_a_script_needs(file: Path) -> None:
    found = json.loads(told("a.jsonl", "--json"))["shapes"][0]
    assert (found["form"], found["rows"]) == ("openr1", 3)
    assert found["dropped"] == {"field `problem`: expected text, found a number": 1}
    assert found["columns"] == {
        "question": "problem",
        "reference_answer": "answer",
        "response": "generations",
        "finish_reason": None,
    }
    assert found["sample"][0] == {
        "question": "Compute 17+25.",
        "reference_answer": "42",
        "test_cases": None,
        "constraints": None,
        "published": [
            {"teacher": "deepseek-r1", "response": "<think>a</think>42"},
            {"teacher": "deepseek-r1", "response": "<think>b</think>41"},
        ],
        "license": None,
        "extra": None,
        "id": None,
    }


def test_columns_of_ones_own_are_named_and_a_misspelt_one_is_shown_missing(file: Path) -> None:
    own = ("--adapter", "jsonl", "--column", "question=problem")
    found = json.loads(told("a.jsonl", *own, "--column", "response=generatoins", "--json"))["shapes"][0]
    assert found["columns"]["question"] == "problem"
    assert found["columns"]["response"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("none.jsonl",), "no such file"),
        (("a.jsonl", "--adapter", "csv"), "no adapter csv"),
        (("a.jsonl", "--column", "qestion=problem"), "columns: qestion: unknown here"),
    ],
)
def test_what_can_not_be_read_is_said_and_ends_with_two(file: Path, arguments: tuple[str, ...], says: str) -> None:
    ran = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["read", *arguments])
    assert ran.exit_code == 2
    assert says in ran.output


CHAT = [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "<think>2</think>2"}]
SHAPES = {
    "own names": [{"prompt": "1 + 1?", "gold": 2, "topic": "sums"}],
    "Alpaca": [{"instruction": "Add.", "input": "1 and 2", "output": "3"}],
    "Dolly": [{"instruction": "Who?", "context": "Ann ran.", "response": "Ann", "category": "qa"}],
    "SVAMP": [{"Body": "Ann has 1.", "Question": "How many?", "Answer": 1}],
    "SQuAD": [{"context": "Ann ran.", "question": "Who?", "answers": {"text": ["Ann"], "answer_start": [0]}}],
    "ShareGPT": [{"conversations": [{"from": "human", "value": "1 + 1?"}, {"from": "gpt", "value": "2"}]}],
    "chat": [{"messages": CHAT}],
    "chat with a reference": [{"messages": CHAT, "answer": "2"}],
    "trl": [{"prompt": CHAT[:1], "completion": CHAT[1:]}],
    "structs": [{"body": {"question": "1 + 1?"}, "meta": {"ground_truth": 2}}],
    "programs": [{"task": "Write f.", "unit_tests": ["assert f() == 1"]}],
    "boxed": [{"question": "1 + 1?", "solution": "Add them: \\boxed{2}."}],
    "two forms that fit": [{"messages": CHAT, "problem": "1 + 1?", "solution": "\\boxed{2}"}],
    "a published form": ROWS[:2],
    "thoughts apart": [{"query": "1 + 1?", "thinking": "2.", "output": "It is 2, as one and one.", "target": "2"}],
    "two in one file": [{"prompt": "1 + 1?", "gold": 2}, {"messages": CHAT, "answer": "2"}],
    "three in one file": [ROWS[0], {"prompt": "1 + 1?", "gold": 2}, {"messages": CHAT}],
}  # fmt: skip


@pytest.mark.parametrize("rows", SHAPES.values(), ids=SHAPES)
def test_a_file_is_read_as_init_reads_it_and_as_what_init_writes_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = json.loads(told("a.jsonl", "--json"))["shapes"]
    ran = CliRunner().invoke(app, ["init", "mine", "--from", "a.jsonl", "--json"])
    assert [_what(one) for one in found] == [_what(one) for one in json.loads(ran.output)["shapes"]]
    sources = load_sources(tmp_path / "mine" / "sources.yaml").values()
    entered = [frame for source in sources for frame in read_rows(source, tmp_path / "mine")]
    questions = [row["question"] for one in found for row in one["sample"]]
    assert [question for frame in entered for question in frame["question"]] == questions


def _what(shape: dict) -> dict:
    return {name: shape[name] for name in ("form", "rows", "columns", "counts", "dropped", "sample")}


def test_what_is_guessed_is_said_with_the_entry_that_says_so(file: Path) -> None:
    (file.parent / "b.jsonl").write_text(json.dumps(SHAPES["own names"][0]))
    said = told("b.jsonl")
    entry = "{location: b.jsonl, adapter: jsonl, columns: {question: prompt, reference_answer: gold}}"
    assert f"In sources.yaml: {entry}" in said and "not read: topic" in said
    assert "Guessed" not in told("a.jsonl") + told("b.jsonl", "--column", "question=prompt")


def test_of_chats_in_a_column_that_is_guessed_the_first_turns_are_read_where_that_is_said(file: Path) -> None:
    (file.parent / "b.jsonl").write_text(json.dumps({"conversation": CHAT * 2}))
    ran = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["read", "b.jsonl"])
    assert ran.exit_code == 2 and "a chat of several turns; `turns: first` reads" in ran.output
    assert "1 question, 1 response" in told("b.jsonl", "--turns", "first")


@pytest.mark.slow
def test_a_large_file_is_shown_at_once_and_no_dagster_is_loaded(tmp_path: Path) -> None:
    line = json.dumps({"question": "Q?" * 500, "answer": "42"}) + "\n"
    (tmp_path / "large.jsonl").write_text(line * 200_000)  # 200 MB
    script = "import sys; from am_assets.cli import app; app(['read', 'large.jsonl'], standalone_mode=False)"
    script += "; assert 'dagster' not in sys.modules"
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "Rows: 1,000, the first ones" in ran.stdout
    assert time.monotonic() - began < 10  # 1 s where nothing else runs
