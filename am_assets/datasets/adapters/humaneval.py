"""HumanEval and HumanEval+: a function to complete, and a `check` of it."""

import ast
import re

from am_assets.datasets.adapters.base import Adapter, Field, Item, Row, fields, humaneval_tests
from am_assets.datasets.cases import canonical
from am_assets.datasets.evalplus import tests_of

PLUS = ("task_id", "base_input", "plus_input", "atol")  # beside program and entry point


def read(row: Row) -> Item:
    if row.get("plus_input") is not None:
        return with_inputs(row)
    question, test, entry_point = row.text("question"), row.text("test"), row.text("entry_point")
    return Item(question, test_cases=humaneval_tests(_with_helpers(test, question, entry_point), entry_point))


def with_inputs(row: Row) -> Item:
    """A row of the JSON lines of evalplus, of either data set: both the first inputs and those that it adds."""
    question, inputs = row.text("question"), row.of("plus_input", lambda more: [*(row.get("base_input") or []), *more])
    program = f"{question or ''}\n{row.text('solution') or ''}"
    made = tests_of(row.text("task_id"), program, row.text("entry_point"), inputs, row.get("atol") or 0)
    return Item(question, test_cases=canonical(made))


def _with_helpers(test: str | None, prompt: str | None, entry_point: str | None) -> str | None:
    """The tests behind what they use of the prompt beside the function that is asked for, as `encode_cyclic`."""
    try:
        body = ast.parse(prompt or "").body
    except (SyntaxError, ValueError, RecursionError):
        return test
    named = set(re.findall(r"\w+", test or ""))
    helpers = [node for node in body if isinstance(node, ast.FunctionDef) and node.name in named - {entry_point}]
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return f"{ast.unparse(ast.Module([*imports, *helpers], []))}\n\n{test}" if helpers else test


ADAPTER = Adapter(
    fields(
        "prompt",
        *("test", *PLUS),
        solution=Field("canonical_solution"),
        entry_point=Field("entry_point", required=True),
    ),
    read,
    version="6",
    doc="HumanEval and HumanEval+, of the hub and in the JSON lines of evalplus; the tests call `check`",
    signature=("prompt", "test|plus_input", "entry_point"),
    example={
        "task_id": "1",
        "prompt": 'def add(a, b):\n    """The sum."""\n',
        "entry_point": "add",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    },
)
