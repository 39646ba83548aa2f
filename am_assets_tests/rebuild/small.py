"""The project that every edit is tried on: two shards, two recipes, and models whose answers are drawn from a hash of
all that they are asked, so that whatever identifies a request changes what is stored of it.

`plain` is the recipe that is edited. `other` stands for all recipes that are not, and is scored on nothing."""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.datasets import pass_rates
from am_assets.datasets.identity import question_id
from am_assets.datasets.origins import reasoning_gym
from am_assets.datasets.sources import Source
from am_assets_tests.desk import Desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.students import write_tiny_student

MODELS = [f"openai/{name}{number}" for name in ("labeler", "teacher", "judge", "second") for number in ("", "-2")]
STUDENTS = ("students/one", "students/two")
LONG = "long story"  # questions whose answers need more than SHORT tokens
SHORT = 100

PAPER = "<think>{}</think> <answer>{}</answer>"
TOM = "Tom takes 8 apples from a basket of 50 apples and puts them on the table."
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |"
AGAIN = "The sea is wide and the sea is deep and the sea is wide and the sea is deep. " * 6
MIXED: list[dict[str, str]] = [
    {"question": "What is 12 plus 7?", "reference_answer": "19", "response": PAPER.format("12 + 7.", "\\boxed{19}")},
    {"question": "What is 12 plus 8?", "reference_answer": "20", "response": PAPER.format("Add.", "\\boxed{20}")},
    {"question": "How deep is the sea and how wide is the river?", "response": PAPER.format("Look.", "Deep and wide.")},
    {"question": "How wide is the river and how deep is the sea?", "reference_answer": "3"},
    {"question": "Halve the number 90.", "reference_answer": "45"},
    {"question": f"{TOM} Now count all which stayed behind.", "reference_answer": "42",
     "response": PAPER.format("50 - 8 = 42.", "\\boxed{42}")},
    {"question": "A train with 30 wagons loses 5. How many wagons are left?", "reference_answer": "25",
     "response": "<think>30 - 5 = 25.</think>\n\\boxed{25}"},
    {"question": "Three shelves hold 8 books each. How many books are there?", "reference_answer": "24",
     "response": PAPER.format("3 * 8 = 25.", "\\boxed{25}")},
    {"question": "Add forty and two.", "reference_answer": "42", "response": "The sum is 42."},
    {"question": "Ein Junge hat neun Murmeln und findet vier dazu. Wie viele Murmeln hat er nun insgesamt?",
     "reference_answer": "13", "response": PAPER.format("9 + 4 = 13.", "Der Junge hat nun dreizehn: \\boxed{13}")},
    {"question": "Take 8 pears from 50 pears. How many pears are left on the table?", "reference_answer": "42"},
    {"question": f"Tell the {LONG} of a river. How many miles are 3 times 7 miles?", "reference_answer": "21"},
    {"question": "Write a Python function `double(n)` that returns twice n.",
     "test_code": "assert double(2) == 4\nassert double(-1) == -2\nassert double('a') == 3",
     "response": PAPER.format("By two.", "```python\ndef double(n):\n    return 2 * n\n```")},
    {"question": "Write a Python script that reads a number and prints half of it.",
     "test_code": json.dumps({"inputs": ["1\n", "3\n"], "outputs": ["0.5 \n", "1.50001\n"]}),
     "response": PAPER.format("Halve.", "```python\nprint(int(input()) / 2)\n```")},
    {"question": "Write a Python function `last(xs)` that returns the last element of a list.",
     "test_code": "assert last([3, 4]) == 4"},
    {"question": "Why do leaves turn yellow in autumn?",
     "response": PAPER.format("It goes. I am Qwen.", "The green pigment breaks down and the yellow one shows.")},
    {"question": "Plan a quiet Sunday by the sea.", "response": PAPER.format("Slow.", AGAIN)},
    {"question": "Name three trees in one line, without any comma.",
     "constraints": '[{"id": "punctuation:no_comma", "kwargs": {}}]',
     "response": PAPER.format("No comma.", "oak and elm and ash")},
    {"question": f"What do the numbers say?\n\n{TABLE}", "response": PAPER.format("A.", "They grow.")},
    # further responses to questions above: of other lengths, and of other rewards
    *({"question": "A train with 30 wagons loses 5. How many wagons are left?", "reference_answer": "25",
       "response": PAPER.format(thought, said)}
      for thought, said in (("Add.", "\\boxed{35}"), ("Two of 5. " * 5, "20"))),
    *({"question": "Why do leaves turn yellow in autumn?", "response": PAPER.format("Look.", said)}
      for said in ("It is cold.", "The days are short.", "The tree takes its green back.", "They dry.")),
]  # fmt: skip
HELD_OUT = [
    {"question": "What is 21 plus 11?", "reference_answer": "32"},
    {"question": "Halve the number 90.", "reference_answer": "45"},
    {
        "question": f"{TOM} How many are left in it?",
        "reference_answer": "42",
    },
    {"question": "Write a Python function `triple(n)`.", "test_code": "assert triple(1) == 3"},
]
GYM = {"generator": "reasoning_gym", "datasets": {"basic_arithmetic": 2}}
SOURCES = {
    "mixed": {
        "location": "pool/mixed.jsonl",
        "adapter": "jsonl",
        "teacher": "someone",
        "rank": 1,
        "license": "mit",
        "keep": ["question"],
    },
    "gym": {**GYM, "rank": 2},
}
BENCHMARKS = {
    "held_out": {"location": "pool/held_out.jsonl", "adapter": "jsonl"},
    "drill": {**GYM, "seed": 7},
}
# A frozen round of `plain`: by question of MIXED, the attempts and how many of them passed.
SOLVED = {0: (4, 4), 1: (4, 1), 6: (1, 1), 10: (4, 0), 14: (4, 3)}
ROUND = pl.DataFrame(
    [(question_id(MIXED[row]["question"]), *counts) for row, counts in SOLVED.items()], pass_rates.ROUND, orient="row"
)
ROUND_NAME = "plain@51b7cd7d9366"
INSTRUMENTS = {
    "labels": {"model": "openai/labeler"},
    "embeddings": {"model": "static"},
    "overlap": {"confirm": {"model": "openai/second", "floor": 0.7, "ceiling": 0.95}},
    "math": {"opinion": {"model": "openai/second", "ask": "always"}},
    "screens": {"unsafe": {"model": "openai/second"}},
    "reward": {"model": "openai/judge", "judges": "every", "audit": 0.5},
}
# `plain`; what it leaves out has its default.
RECIPE: dict[str, Any] = {
    "dedup": {"threshold": 0.95},
    "sampling": {
        "decontamination": {"benchmarks": ["held_out"], "same_template": False, "cosine": 0.999, "wording": None,
                            "ngram_share": 0.55, "reworded": None, "confirmed": "off"},
        "drop": ["incomplete", "url", "image"],
    },
    "teacher": {"model": "openai/teacher", "max_tokens": 64,
                "examples": [{"user": "2 + 2?", "assistant": "<think>Two and two.</think> <answer>4</answer>"}]},
    "verification": {"min_pass_rate": 0.1, "screens": ["secret"]},
    "training": {"student": STUDENTS[0], "batch_size": 2, "dtype": "float32", "max_length": 700,
                 "gradient_checkpointing": False, "learning_rate": 1e-3},
    "evaluation": {"benchmarks": ["held_out"], "samples": 1, "max_tokens": 8},
}  # fmt: skip
OTHER = RECIPE | {
    "sampling": {"decontamination": {"benchmarks": ["drill"]}},
    "evaluation": {"benchmarks": []},
}


class Models(Teacher):
    """One server that answers for every model, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(lambda *_: Reply())

    def reply(self, body: dict, nth: int) -> Reply:
        return said(body)

    def since(self, count: int) -> list[str]:
        """The requests from the `count`-th on, as sorted JSON."""
        return sorted(json.dumps(body, sort_keys=True) for body in self.bodies[count:])


def endpoints(url: str) -> dict[str, dict[str, str]]:
    """The teacher has an account of its own, so that its limits can be edited alone."""
    reach = {"api_base": url, "api_key_env": "TEST_MODEL_KEY", "structured": "json_schema"}
    apart = {"api_base": url.replace("127.0.0.1", "localhost")}
    return {name: reach | (apart if name == "openai/teacher" else {}) for name in MODELS}


def write_students(folder: Path) -> None:
    for seed, name in enumerate(STUDENTS):
        write_tiny_student(folder / name, seed)


def write_project(desk: Desk, url: str) -> None:
    """A student is named by its folder, from the one that `write_students` filled: there work has to be done."""
    folder = desk.folder
    for name in ("recipes", "pool", "instance"):
        (folder / name).mkdir(parents=True)
    (folder / "instance" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    twice = reasoning_gym(Source.model_validate(SOURCES["gym"])).to_dicts()[:1]  # a question of both sources
    rows = {"mixed": [*MIXED, *twice], "held_out": HELD_OUT}
    rows |= {
        f"more_{name}": [*found, {"question": "Halve 80.", "reference_answer": "40"}] for name, found in rows.items()
    }
    for name, found in rows.items():
        (folder / "pool" / f"{name}.jsonl").write_text("".join(f"{json.dumps(with_answers(row))}\n" for row in found))
    desk.write("sources.yaml", SOURCES)
    desk.write("benchmarks.yaml", BENCHMARKS)
    desk.write("instruments.yaml", INSTRUMENTS)
    desk.write("endpoints.yaml", endpoints(url))
    assert pass_rates.freeze(folder, "plain", ROUND) == ROUND_NAME
    desk.write("hardware.yaml", {"cpu": {"device": "cpu"}, "gpu": {}})
    desk.recipe("plain", RECIPE)
    desk.recipe("other", OTHER)


def with_answers(row: dict[str, str]) -> dict[str, str]:
    """The row with what other adapters and columns find in it: the answer as GSM8K has it, and another reference."""
    return {**row, "answer": f"#### {row.get('reference_answer', 'none')}", "second": "25"}


def said(body: dict) -> Reply:
    """An answer drawn from all of the request: of the schema's form where it names one, else a response."""
    draw = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
    if schema:
        return answer(json.dumps(dict(_drawn(schema["properties"], draw))))
    question = body["messages"][-1]["content"]
    if LONG in question and body["max_tokens"] < SHORT:
        return answer(f"<think>Once upon {draw}", "length")
    sum_of = {"Take 8 pears": 42, LONG: 21}
    result = next((number for text, number in sum_of.items() if text in question), draw[0])
    code = "```python\ndef last(xs):\n    return xs[-1]\n```" if "`last" in question else f"\\boxed{{{result}}}"
    return answer(PAPER.format(f"So {draw[:6]}.", code))


def _drawn(properties: dict[str, dict], draw: str) -> Iterable[tuple[str, Any]]:
    for name, form in properties.items():
        choices = form.get("enum", [False, True])
        yield name, choices[int(sha256(f"{name} {draw}".encode()).hexdigest()[:8], 16) % len(choices)]
