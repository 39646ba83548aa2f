"""Tests as tables of inputs and outputs, turned into Python that the sandbox's judge runs.

Two forms, as APPS and its kin have them, in JSON with as many `outputs` as `inputs`:

- {"fn_name": "add", "inputs": [[1, 2]], "outputs": [3]}: calls of a function, by its arguments;
- {"inputs": ["1 2\\n"], "outputs": ["3\\n"]}: a script, by standard input and output.

What counts as equal is stated in the code below, which is run as it stands: it is part of `code.VERIFIER`.
"""

import json
from typing import Any, NamedTuple

from am_assets.verification.code_tests import UnusableTests, read_tests

CALLS = """
def plain(value):  # JSON knows no tuples
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
for number, (arguments, expected) in enumerate(zip({inputs!r}, {outputs!r}, strict=True)):
    got = plain({function}(*arguments))
    assert got == expected, f"call {{number}}"
"""
SCRIPTS = """
import math
def same(got, expected):
    if got == expected:
        return True
    try:
        return "." in expected and math.isclose(float(got), float(expected), rel_tol=1e-6, abs_tol=1e-6)
    except ValueError:
        return False
for number, (given, expected) in enumerate(zip({inputs!r}, {outputs!r}, strict=True)):
    got, wanted = run_program(given).split(), expected.split()
    assert len(got) == len(wanted) and all(map(same, got, wanted)), f"input {{number}}"
"""


class Tests(NamedTuple):
    """As `Job` takes them."""

    test_code: str
    entry_point: str | None
    is_script: bool


def read_cases(test_cases: str | None) -> Tests:
    """The tests of a question, in whichever form. Raises UnusableTests."""
    try:
        table = json.loads(test_cases or "")
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or "inputs" not in table:
        return Tests(*read_tests(test_cases), is_script=False)
    inputs, outputs, function = table["inputs"], table.get("outputs"), table.get("fn_name")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs) or not inputs:
        raise UnusableTests("inputs and outputs have to be lists of one length, and not empty")
    if function is None:
        if not all(isinstance(text, str) for text in inputs + outputs):
            raise UnusableTests("not a JSON table of texts, and no fn_name")
        return Tests(SCRIPTS.format(inputs=inputs, outputs=outputs), None, is_script=True)
    if not isinstance(function, str) or not function.isidentifier():
        raise UnusableTests("fn_name has to be a name")
    return Tests(CALLS.format(inputs=list(map(as_list, inputs)), outputs=outputs, function=function), None, False)


def as_list(arguments: Any) -> list:
    if not isinstance(arguments, list):
        raise UnusableTests("each input has to be a list of arguments")
    return arguments
