"""Input-output tests, translated into Python that the sandbox runs.

Two forms, as in APPS and similar datasets, in JSON with as many `outputs` as `inputs`:

- {"fn_name": "add", "inputs": [[1, 2]], "outputs": [3]}: calls of a function, by its arguments;
- {"inputs": ["1 2\\n"], "outputs": ["3\\n"]}: a script, by standard input and output.

The code below defines equality and is run as it stands: it is part of `code.VERSION`; the instrument sets its
tolerance. Unit tests are read in `unit_tests.py`.
"""

import json
from typing import Any

from am_assets.config.instruments import Code
from am_assets.verification.programs.unit_tests import Runnable, UnusableTests, read_tests

CALLS = """
def plain(value):  # JSON knows no tuples
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
for number, (arguments, expected) in enumerate(zip({inputs!r}, {outputs!r}, strict=True)):
    if __test__(number):
        with __test__:
            got = plain({function}(*arguments))
            assert got == expected, f"call {{number}}"
"""
SCRIPTS = """
import math, re
def words(text):  # with the space between them, where that counts
    if {whitespace!r} == "any":
        return text.split()
    if {whitespace!r} == "trailing":
        text = "\\n".join(line.rstrip() for line in text.rstrip().split("\\n"))
    return re.split(r"(\\s+)", text)
def same(got, expected):
    if got == expected:
        return True
    try:  # integers have to be exact
        return not expected.lstrip("+-").isdigit() and math.isclose(
            float(got), float(expected), rel_tol={tolerance!r}, abs_tol={tolerance!r})
    except ValueError:
        return False
for number, (given, expected) in enumerate(zip({inputs!r}, {outputs!r}, strict=True)):
    if __test__(number):
        with __test__:
            got, wanted = words(run_program(given)), words(expected)
            assert len(got) == len(wanted) and all(map(same, got, wanted)), f"input {{number}}"
"""


def read_cases(test_cases: str | None, instrument: Code) -> Runnable:
    r"""The tests of a question, of either kind. Raises UnusableTests.

    >>> read_cases('{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}', Code()).is_script
    True
    """
    try:
        table = json.loads(test_cases or "")
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or "inputs" not in table:
        return read_tests(test_cases, instrument.max_tests)
    inputs, outputs, function = table["inputs"], table.get("outputs"), table.get("fn_name")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs) or not inputs:
        raise UnusableTests("inputs and outputs have to be lists of one length, and not empty")
    inputs, outputs = inputs[: instrument.max_tests], outputs[: instrument.max_tests]
    if function is None:
        if not all(isinstance(text, str) for text in inputs + outputs):
            raise UnusableTests("not a JSON table of texts, and no fn_name")
        tolerance = {"whitespace": instrument.whitespace, "tolerance": instrument.float_tolerance}
        code = SCRIPTS.format(inputs=inputs, outputs=outputs, **tolerance)
        return Runnable(code, is_script=True, tests=len(inputs))
    if not isinstance(function, str) or not function.isidentifier():
        raise UnusableTests("fn_name has to be a name")
    code = CALLS.format(inputs=list(map(as_list, inputs)), outputs=outputs, function=function)
    return Runnable(code, tests=len(inputs))


def as_list(arguments: Any) -> list:
    if not isinstance(arguments, list):
        raise UnusableTests("each input has to be a list of arguments")
    return arguments
