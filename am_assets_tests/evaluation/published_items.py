"""Items of our own in the schemas of published benchmarks, each with a right and a wrong answer.

None is of a benchmark. `write` puts them into a project as files in the forms that the data sets have.
"""

import base64
import json
import pickle
import zlib
from pathlib import Path
from typing import Any

import polars as pl

from am_assets_tests.desk import Desk

PLUS = """import numpy as np

def is_floats(x) -> bool:
    return isinstance(x, float)

def assertion(out, exp, atol):
    exact_match = out == exp
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if not exact_match and atol != 0:
        np.testing.assert_allclose(out, exp, atol=atol)
    else:
        assert exact_match

"""
INPUTS = "inputs = [[1, 2], [0, 0], [5, -7]]\nresults = [3, 0, -2]\n"
LOOP = "for i, (inp, exp) in enumerate(zip(inputs, results)):\n    assertion({}(*inp), exp, 0)\n"


def fenced(code: str) -> str:
    return f"So:\n```python\n{code}\n```"


def packed(tests: list[dict[str, str]]) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests)))).decode()


def lcb(title: str, date: str, kind: str, **more: Any) -> dict[str, Any]:
    first, *others = [{"input": a, "output": b, "testtype": kind} for a, b in more.pop("tests")]
    row = {"question_title": title, "question_content": f"{title}.", "platform": "atcoder", "question_id": title}
    row |= {"contest_id": "c", "contest_date": date, "starter_code": "", "difficulty": "easy", "metadata": "{}"}
    return row | {"public_test_cases": json.dumps([first]), "private_test_cases": packed(others)} | more


SUM = [("1 2\n", "3\n"), ("5 6\n", "11\n"), ("100000000000000001 1\n", "100000000000000002\n")]
TWICE = [("[1, 2]\n1", "[2, 4]"), ("[0]\n1", "[0]"), ("[]\n1", "[]")]
STARTER = "class Solution:\n    def twice(self, xs: List[int], k: int) -> List[int]:\n        "
LCB = [
    lcb("Print the sum of two numbers", "2024-08-01T00:00:00", "stdin", tests=SUM),
    lcb("Return every number doubled", "2025-01-31T00:00:00", "functional", tests=TWICE, starter_code=STARTER,
        metadata='{"func_name": "twice"}', platform="leetcode"),
    lcb("Too early", "2024-07-31T00:00:00", "stdin", tests=SUM),
    lcb("Too late", "2025-02-01T00:00:00", "stdin", tests=SUM),
]  # fmt: skip
GPQA = [
    {"Record ID": "r1", "Question": "What is 17 + 25?  [title]Add them.", "Correct Answer": " 42 ",
     "Incorrect Answer 1": "41", "Incorrect Answer 2": "43", "Incorrect Answer 3": "52"},
    {"Record ID": "r2", "Question": "Which gas do plants take up?", "Correct Answer": "carbon dioxide\n",
     "Incorrect Answer 1": "oxygen", "Incorrect Answer 2": "nitrogen", "Incorrect Answer 3": "argon"},
]  # fmt: skip
ROWS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "aime2024": ("parquet", [{"id": 1, "problem": "Compute 100 + 104.", "solution": "", "answer": "204"}]),
    "aime2025": ("parquet", [{"id": "1", "problem": "Compute 10 + 6.", "answer": "016"}]),
    "math500": ("jsonl", [{"problem": "Halve one.", "solution": r"It is $\boxed{\frac12}$.", "answer": r"\frac12"}]),
    "gpqa_diamond": ("csv", GPQA),
    "livecodebench": ("jsonl", LCB),
    "humaneval_plus": ("parquet", [
        {"task_id": "HumanEval/0", "prompt": 'def add(a: int, b: int) -> int:\n    """The sum."""\n',
         "canonical_solution": "    return a + b\n", "entry_point": "add",
         "test": f"{PLUS}def check(candidate):\n    {INPUTS.replace(chr(10), chr(10) + '    ')}"
                 f"{LOOP.format('candidate').replace(chr(10) + '    ', chr(10) + '        ')}"}]),
    "mbpp_plus": ("parquet", [
        {"task_id": 2, "code": "def plus(a, b): return a + b", "prompt": "Write a function to add two numbers.",
         "source_file": "x", "test_imports": [], "test_list": ["assert plus(1, 2) == 3", "assert plus(0, 0) == 0"],
         "test": f"{PLUS}{INPUTS}{LOOP.format('plus')}"}]),
    "ifeval": ("jsonl", [
        {"key": 1, "prompt": "Write without commas.", "instruction_id_list": ["punctuation:no_comma"],
         "kwargs": [{"num_words": None, "relation": None}]}]),
    "gsm8k": ("parquet", [{"question": "Six and seven?", "answer": "6+7=<<6+7=13>>13\n#### 13"}]),
}  # fmt: skip


def plus(task: str, name: str, prompt: str, solution: str, base: list, more: list, atol: float = 0) -> dict[str, Any]:
    row = {"task_id": task, "prompt": prompt, "entry_point": name, "canonical_solution": solution, "contract": ""}
    return row | {"base_input": base, "plus_input": more, "atol": atol}


# Rows of the JSON lines of evalplus, each with a right and a wrong program.
HUMANEVAL_LINES = [
    (
        plus(
            "HumanEval/900",
            "third",
            'def third(x: float) -> float:\n    """A third of x."""\n',
            "    return x / 3\n",
            [[3.0]],
            [[1.0], [-10.0], [1e30]],
        ),
        "def third(x):\n    return x * (1 / 3)",
        "def third(x):\n    return round(x / 3, 4)",
    ),
    (
        plus(
            "HumanEval/901",
            "find_zero",
            'def find_zero(xs: list):\n    """A zero of a line."""\n',
            "    return -xs[0] / xs[1]\n",
            [[[1, 2]]],
            [[[0, 5]], [[-9, 3]]],
            1e-6,
        ),
        "def find_zero(xs):\n    return -xs[0] / xs[1] + 1e-9",
        "def find_zero(xs):\n    return xs[0] / xs[1]",
    ),
]
SHARED = "def similar_elements(a, b):\n    return "
CHECK = "def check(n):\n    return "
ADD = "def plus_all(xs, n):\n    "
MBPP_LINES = [
    (plus("Mbpp/2", "similar_elements", '"""\nShared elements of two tuples.\n"""\n',
          f"{SHARED}tuple(set(a) & set(b))", [[[3, 4], [4, 5]]], [[[1], [2]], [[7], [7]]]),
     f"{SHARED}[x for x in a if x in b and isinstance(b, tuple)]", f"{SHARED}list(a)"),
    (plus("Mbpp/56", "check", '"""\nIs a number one less than twice its reverse?\n"""\n',
          f"def rev(n):\n    return int(str(n)[::-1])\n{CHECK}2 * rev(n) == n + 1", [[70]], [[23], [73]]),
     f"{CHECK}2 * int(str(n)[::-1]) - 1 == n", f"{CHECK}n == 23"),
    (plus("Mbpp/901", "plus_all", '"""\nAdd a number to each of a list.\n"""\n',
          f"{ADD}xs[:] = [x + n for x in xs]\n    return xs", [[[1, 2], 3]], [[[], 1], [[10**30], -1]]),
     f"{ADD}return [x + n for x in xs]", f"{ADD}return [float(x + n) for x in xs]"),
]  # fmt: skip
# A right and a wrong answer by the beginning of the question; of options by `answer_to_options`.
ANSWERS = {
    "Compute 100": (r"So $\boxed{204}$.", r"So $\boxed{205}$."),
    "Compute 10 ": (r"Therefore, the final answer is: $\boxed{16}$. I hope it is correct", r"$\boxed{17}$"),
    "Halve": (r"ANSWER: $\boxed{0.5}$", r"$\boxed{\frac13}$"),
    "Print": (fenced("a, b = map(int, input().split())\nprint(f'{a + b}.0')"),
              fenced("a, b = map(int, input().split())\nprint(int(float(a) + b))")),
    "Return": (fenced(f"{STARTER}return [2 * x for x in xs]"), fenced(f"{STARTER}return [2 * x for x in xs] or [1]")),
    "def add": (fenced("def add(a, b):\n    return a + b"), fenced("def add(a, b):\n    return abs(a + b)")),
    "Write a function": (fenced("def plus(a, b):\n    return a + b"), fenced("def plus(a, b):\n    return abs(a + b)")),
    "Write without": ("No marks here.", "Well, one mark."),
    "Six": (r"6 + 7 is 13, so \boxed{13}.", r"\boxed{67}"),
}  # fmt: skip


def write(desk: Desk) -> None:
    """Their files, and a `benchmarks.yaml` that uses the known entries with these files as locations."""
    entries: dict[str, Any] = {"use": [*ROWS]}
    for name, (form, rows) in ROWS.items():
        entries[name] = {"location": f"pool/{name}*.{form}"}
        parts = [rows[:2], rows[2:]] if name == "livecodebench" else [rows]  # its files are several
        for number, part in enumerate(parts, start=1):
            write_rows(desk.folder / "pool" / f"{name}{number}.{form}", form, part)
    desk.write("benchmarks.yaml", entries)


def write_rows(path: Path, form: str, rows: list[dict[str, Any]]) -> None:
    if form == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif form == "csv":
        pl.DataFrame(rows).write_csv(path)
    else:
        pl.DataFrame(rows).write_parquet(path)


def answered(item: dict[str, Any], asked: str) -> tuple[str, str]:
    """A right and a wrong answer to an item that was asked by this text."""
    if item["options"]:
        right, wrong = item["options"][:2]
        letters = {line[3:]: line[0] for line in asked.splitlines() if line[1:3] == ") "}
        return f"Thinking it over.\n\nAnswer: {letters[right]}", f"Answer: {letters[wrong]}"
    return next(pair for beginning, pair in ANSWERS.items() if item["question"].startswith(beginning))
