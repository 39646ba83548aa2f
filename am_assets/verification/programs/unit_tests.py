"""Unit tests of a question: parses them and rejects those that cannot decide anything.

Parsing only: the sandbox (`engines/sandbox/`) runs them, and `verifiers/code.py` interprets a run. Tests given as
inputs and outputs are read in `io_tests.py`.
"""

import ast
import json
import re

from am_assets.engines.sandbox.guest.suites import collected
from am_assets.verification.programs.instrumented_tests import VALUES, Runnable, asserts, instrument
from am_assets.verification.programs.names import DEFINITIONS, IMPORTS, is_text, parse

SETS_UP = re.compile(r"\bautouse\b|^def (setup|teardown)_(module|function)\b", re.M)


class UnusableTests(ValueError):
    """The tests of a question cannot decide anything; the message says why."""


class Lacking(UnusableTests):
    """They need something that is not there; the message is `needs NAME`."""


def read_tests(test_cases: str | None, most: int) -> Runnable:
    """The first `most` tests of JSON {"test_code", "test_entry_point"}.

    Four forms: a `check(candidate)` and the entry point it is to be called with (HumanEval); functions `test_*` without
    arguments, which are called; suites of pytest and unittest, which count as one test; top-level statements (MBPP's
    asserts, in one text or a list). The program can be imported as `solution`. Raises UnusableTests where some or all
    tests would not run, as such tests would pass any program.

    >>> read_tests('{"test_code": "assert add(1, 2) == 3"}', most=50).tests
    1
    """
    code, entry_point = parse_json(test_cases)
    tree = parse(code)
    if tree is None:
        raise UnusableTests("test_code is not Python")
    tree.body = [node for node in tree.body if not guards_main(node)]
    nodes = list(ast.walk(tree))
    if not any(map(asserts, tree.body)):
        raise UnusableTests("test_code asserts nothing")
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if entry_point is not None and "check" in functions:
        return instrument(code, tree, entry_point, most)
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    named = [node for node in tree.body if isinstance(node, DEFINITIONS)]
    tests = [node for node in named if node.name not in used and collected(node)]
    if not all(map(callable_plainly, tests)) or (tests and SETS_UP.search(code)):
        return Runnable(code)  # a suite, which pytest runs
    if not tests and not any(runs(node) for node in tree.body):
        raise UnusableTests("test_code defines tests, but nothing runs them")
    calls = [f"{test.name}()" for test in tests]
    tree.body += ast.parse("\n".join(calls)).body
    return instrument("\n".join([code, *calls]), tree, None, most)


def parse_json(test_cases: str | None) -> tuple[str, str | None]:
    if not test_cases:
        raise UnusableTests("none given")
    try:
        cases = json.loads(test_cases)
        code, entry_point = cases["test_code"], cases.get("test_entry_point")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnusableTests('not a JSON object with "test_code"') from error
    code = "\n".join(map(str, code)) if isinstance(code, list) else code
    if not isinstance(code, str) or not isinstance(entry_point, str | None):
        raise UnusableTests("test_code and test_entry_point have to be text")
    return code, entry_point or None


def guards_main(statement: ast.stmt) -> bool:
    """Is it `if __name__ == "__main__"`, whose body never runs as the tests are imported?"""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def callable_plainly(test: ast.stmt) -> bool:
    if not isinstance(test, ast.FunctionDef) or test.decorator_list:
        return False
    arguments = test.args
    return not any(default is None for default in arguments.kw_defaults) and (
        len(arguments.posonlyargs + arguments.args) == len(arguments.defaults)
    )


def runs(statement: ast.stmt) -> bool:
    """Does it do more than define names?"""
    return not isinstance(statement, DEFINITIONS | IMPORTS | ast.Pass | VALUES) and not is_text(statement)
