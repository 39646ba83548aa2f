"""HumanEval and HumanEval+: a function to complete, and a `check` of it."""

import ast
import re

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, fields, humaneval_tests


def read(row: Row) -> Item:
    if row.get("plus_input") is not None:
        raise Fault("field `plus_input`: inputs without results; read the Parquet files of evalplus/humanevalplus")
    question, test, entry_point = row.text("question"), row.text("test"), row.text("entry_point")
    return Item(question, test_cases=humaneval_tests(_with_helpers(test, question, entry_point), entry_point))


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
    fields("prompt", "plus_input", test=Field("test", required=True), entry_point=Field("entry_point", required=True)),
    read,
    version="5",
    doc="HumanEval and HumanEval+; the tests call `check`",
    signature=("prompt", "test", "entry_point"),
    example={
        "task_id": "1",
        "prompt": 'def add(a, b):\n    """The sum."""\n',
        "entry_point": "add",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    },
)
