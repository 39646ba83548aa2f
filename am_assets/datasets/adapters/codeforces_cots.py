"""CodeForces-CoTs: the prompt that DeepSeek-R1 was given for a problem, its program, and what tests the row has."""

from dataclasses import replace

from am_assets.datasets.adapters.base import Fault, Field, Item, Row, Said, of_columns
from am_assets.datasets.cases import TABLES, canonical

OFFICIAL = "official_tests"
COLUMNS = of_columns(
    "prompt",
    Said("generation", teacher="deepseek-r1", ended="finish_reason"),
    version="2",
    doc="[codeforces-cots](https://huggingface.co/datasets/open-r1/codeforces-cots), `solutions*`; tests are the"
    " official ones, or else the public, private and generated ones, or else the examples of the statement",
    signature=("description", "prompt", "generation"),
    over=("chat", "codeforces", "codecontests"),
    example={
        "id": "1/A",
        "title": "Sum",
        "description": "Two numbers are given. Find their sum.",
        "input_format": "Two integers.",
        "output_format": "Their sum.",
        "interaction_format": None,
        "examples": [{"input": "1 2\n", "output": "3\n"}],
        "official_tests": [{"input": "1 2\n", "output": "3\n"}, {"input": "5 6\n", "output": "11\n"}],
        "prompt": "Solve the problem in Python. Two numbers are given. Find their sum.",
        "generation": "<think>Add.</think>```python\nprint(sum(map(int, input().split())))\n```",
        "finish_reason": "stop",
        "messages": [
            {"role": "user", "content": "Solve the problem in Python. Two numbers are given. Find their sum."},
            {
                "role": "assistant",
                "content": "<think>Add.</think>```python\nprint(sum(map(int, input().split())))\n```",
            },
        ],
    },
)


def read(row: Row) -> Item:
    if row.text("interaction_format"):
        raise Fault("field `interaction_format`: an interactive problem")
    tables = {name: row.get(name) for name in TABLES}
    checker = row.text("generated_checker")
    tests = (
        row.tests(OFFICIAL, checker=checker)
        or row.of(TABLES[0], lambda _: canonical(tables, None, checker))
        or row.tests("examples")
    )
    return replace(COLUMNS.read(row), test_cases=tests)


ADAPTER = replace(
    COLUMNS,
    fields=COLUMNS.fields
    | {name: Field(name) for name in ("interaction_format", "generated_checker", OFFICIAL, *TABLES, "examples")},
    read=read,
)
