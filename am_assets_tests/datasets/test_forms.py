"""Forms that files come in, from the file through `am apply` to what is decided of their answers.

Tests in tables and code, chats, and traces in the spellings of models: each a file of its own, with a right and a wrong
answer of an unnamed teacher.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from am_assets.distillation.parts import split
from am_assets.storage.schemas import TABLES
from am_assets_tests.commands import am, applied
from am_assets_tests.desk import Desk, at_desk

pytestmark = pytest.mark.slow
TO_VERDICTS = "raw_pool or responses or response_features or code_verdicts or math_verdicts"
PRINTS = "```python\na, b = map(int, input().split())\nprint(a {} b)\n```"
RETURNS = "```python\ndef add(a, b):\n    return a {} b\n```"
METHOD = "```python\nclass Solution:\n    def add(self, a: List[int], b: List[int]) -> int:\n        return a {} b\n```"
STDIN = {"inputs": ["1 2\n", "5 6\n"], "outputs": ["3\n", "11\n"]}
CALLS = {"fn_name": "add", "inputs": [[1, 2], [5, 6]], "outputs": [3, 11]}
ASSERTS = ["assert add(1, 2) == 3", "assert add(5, 6) == 11"]
OF_SCRIPTS: dict[str, Any] = {
    "apps": STDIN,
    "apps-text": json.dumps(STDIN),
    "code-contests": {"public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
                      "private_tests": {"input": ["5 6\n"], "output": ["11\n"]}},
    "cases": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 6\n", "output": "11\n"}],
    "in-json": json.dumps(json.dumps(STDIN)),
    "lines": {"inputs": [["1 2"], ["5 6"]], "outputs": [["3"], ["11"]]},
    "no-function": STDIN | {"fn_name": ""},
    "cases-typed": [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"},
                    {"input": "5 6\n", "output": "11\n", "testtype": "stdin"}],
    "checked": STDIN | {"checker": "import sys\n_, wanted, found = [open(name).read() for name in sys.argv[1:]]\n"
                                   "print(int(wanted.split() == found.split()))"},
}  # fmt: skip
OF_FUNCTIONS: dict[str, Any] = {
    "calls": CALLS,
    "calls-text": json.dumps(CALLS),
    "cases-called": [{"input": "1\n2", "output": "3", "testtype": "functional", "metadata": {"func_name": "add"}},
                     {"input": "5\n6", "output": "11", "testtype": "functional", "metadata": {"func_name": "add"}}],
    "wrapped": CALLS | {"outputs": [[3], [11]]},
    "on-lines": CALLS | {"inputs": ["1\n2", "5\n6"], "outputs": ["3", "11"]},
    "asserts": ASSERTS,
    "code": "\n".join(ASSERTS),
    "canonical": {"test_code": "\n".join(ASSERTS), "test_entry_point": "add"},
    "functional": {"functional": "def check(candidate):\n    assert candidate(1, 2) == 3\n"
                                 "    assert candidate(5, 6) == 11\n\ncheck(add)"},
    "pytest": "from solution import add\n\ndef test_add():\n    assert add(1, 2) == 3\n    assert add(5, 6) == 11\n",
}  # fmt: skip
RIGHT, WRONG = "The sum is $\\boxed{42}$.", "The sum is $\\boxed{41}$."
TRACES = {
    "r1": "<think>\n{sum}\n</think>\n\n{answer}",
    "unopened": "{sum}\n</think>\n\n{answer}",
    "paper": "<think>{sum}</think> <answer>{answer}</answer>",
    "open-thoughts": "<|begin_of_thought|>\n\n{sum}\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n{answer}\n\n"
    "<|end_of_solution|>",
    "magistral": "[THINK]{sum}[/THINK]{answer}",
    "seed": "<seed:think>{sum}</seed:think>{answer}<seed:eos>",
    "gemini": "<thought>{sum}</thought>\n{answer}",
    "harmony": "<|channel|>analysis<|message|>{sum}<|end|>"
    "<|start|>assistant<|channel|>final<|message|>{answer}<|return|>",
    "ended": "<think>{sum}</think>\n\n{answer}<|im_end|>",
}


def chats(question: str, response: str) -> dict[str, dict]:
    asked, answered = {"role": "user", "content": question}, {"role": "assistant", "content": response}
    turns = [{"from": "human", "value": question}, {"from": "gpt", "value": response}]
    thought, said = response.removeprefix("<think>").split("</think>")
    parts = [{"type": "thinking", "thinking": thought}, {"type": "text", "text": said}]
    return {
        "messages": {"messages": [asked, answered]},
        "with-system": {"messages": [{"role": "system", "content": "Be brief."}, asked, answered]},
        "conversations": {"conversations": turns},
        "json-text": {"messages": json.dumps([asked, answered])},
        "reasoning": {"messages": [asked, {"role": "assistant", "content": said, "reasoning_content": thought}]},
        "parts": {"messages": [asked, {"role": "assistant", "content": parts}]},
        "output-beside": {"input": [asked], "output": response},
    }


def objects(thought: str, said: str) -> dict[str, Any]:
    """One response as items of lists of them have it."""
    whole, beside = f"<think>{thought}</think>{said}", {"content": said, "reasoning_content": thought}
    return {
        "texts": whole,
        "named": {"response": whole, "teacher": "other"},
        "of-model": {"model": "other", "text": whole, "score": 0.5},
        "generation": {"generation": whole, "completion": None},
        "thinking": {"thinking": thought, "answer": said},
        "turns": {"role": "Assistant", **beside},
        "parts": {"content": [{"type": "thinking", "thinking": thought}, {"type": "text", "text": said}]},
        "choices": {"index": 0, "message": {"role": "assistant", **beside}, "finish_reason": "stop"},
    }


def verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asset: str, files: dict[str, tuple[str, list[dict]]]):
    """Of each file, an adapter and its rows, the verdicts on its responses, right ones first."""
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    entries = {}
    for name, (adapter, rows) in files.items():
        (tmp_path / "pool" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
        entries[name] = desk.source(name, 1) | {"adapter": adapter, "teacher": "r1"}
        asked = tmp_path / "assets" / "teacher_requests" / f"{name}.parquet"
        asked.parent.mkdir(parents=True, exist_ok=True)
        TABLES["teacher_requests"].create_empty().write_parquet(asked)  # no teacher is asked
    desk.write("sources.yaml", entries)
    outcomes = applied(desk, "-r", "plain", "-s", TO_VERDICTS)
    assert {*outcomes.values()} == {"done"}, am(desk, "plan", "-r", "plain", "-s", TO_VERDICTS).stdout
    return {name: of_file(desk, asset, name) for name in files}


def of_file(desk: Desk, asset: str, name: str) -> list[str]:
    table = {one: pl.read_parquet(desk.folder / "assets" / one / f"{name}.parquet") for one in (asset, "responses")}
    joined = table["responses"].join(table[asset], on="response_id", how="left", suffix="_of_verdict")
    return joined.sort(pl.col("response").str.contains(r"41|a - b"), "response")["verdict"].to_list()


def test_every_form_of_tests_reaches_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {}
    methods = {f"method-{name}": OF_FUNCTIONS[name] for name in ("calls", "wrapped", "on-lines", "cases-called")}
    for program, forms in ((PRINTS, OF_SCRIPTS), (RETURNS, OF_FUNCTIONS), (METHOD, methods)):
        for name, tests in forms.items():
            row = {"question": f"Add two numbers ({name}).", "test_cases": tests}
            answers = [f"<think>Add.</think>{program.format(sign)}" for sign in "+-"]
            files[name] = ("jsonl", [row | {"response": answer} for answer in answers])
    in_am = {"role": "user", "content": "Add two.", "info": {"test_case": STDIN}}
    answers = [{"role": "assistant", "content": f"<think>Add.</think>{PRINTS.format(sign)}"} for sign in "+-"]
    files["am-table"] = ("am", [{"messages": [in_am, answer]} for answer in answers])
    found = verdicts(tmp_path, monkeypatch, "code_verdicts", files)
    assert found == {name: ["pass", "fail"] for name in files}


def test_every_form_of_a_trace_and_of_a_chat_is_read_to_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {}
    for name, trace in TRACES.items():
        texts = [trace.format(sum="17+25=42.", answer=answer) for answer in (RIGHT, WRONG)]
        row = {"question": f"Compute 17+25 ({name}).", "reference_answer": 42.0}
        files[name] = ("jsonl", [row | {"response": text} for text in texts])
    for name in chats("", "<think></think>"):
        both = [
            chats(f"Compute 17+25 ({name}).", f"<think>17+25=42.</think>{answer}")[name] for answer in (RIGHT, WRONG)
        ]
        files[f"chat-{name}"] = ("chat", [row | {"reference_answer": 42} for row in both])
    right, wrong = (objects("17+25=42.", answer) for answer in (RIGHT, WRONG))
    asked = [{"question": f"Compute 17+25 ({name}).", "reference_answer": 42} for name in right]
    said = [{"responses": list(pair)} for pair in zip(right.values(), wrong.values(), strict=True)]
    files["lists"] = ("jsonl", [row | answers for row, answers in zip(asked, said, strict=True)])
    found = verdicts(tmp_path, monkeypatch, "math_verdicts", files)
    assert found.pop("lists") == ["pass"] * len(right) + ["fail"] * len(right)
    assert found == {name: ["pass", "fail"] for name in found}
    features = pl.read_parquet(tmp_path / "assets" / "response_features" / "*.parquet")
    assert features["well_formed"].all()
    responses = pl.read_parquet(tmp_path / "assets" / "responses" / "*.parquet")
    assert set(split(responses)["think"]) == {"17+25=42."}
    assert responses["teacher"].to_list().count("other") == 4


def test_a_misspelt_column_is_an_error_with_the_nearest_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    entry = desk.source("asked", 0) | {"columns": {"reference_answer": "referense_answer"}}
    desk.write("sources.yaml", {"asked": entry})
    told = am(desk, "apply", "-r", "plain", "-s", "raw_pool")
    assert told.exit_code == 1
    says = "asked.jsonl: columns: reference_answer: no row has `referense_answer`; nearest is reference_answer"
    assert says in " ".join(told.stderr.split())
