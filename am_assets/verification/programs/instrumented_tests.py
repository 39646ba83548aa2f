"""Instruments test code for per-test outcomes: wraps each statement that is a test, so that it is reported alone.

`engines/sandbox/guest/judge.py` runs the wrapped statements; which tests are usable is decided in `unit_tests.py`.
"""

import ast
from typing import NamedTuple

from am_assets.verification.programs.names import DEFINITIONS

VALUES = ast.Assign | ast.AnnAssign | ast.AugAssign


class Runnable(NamedTuple):
    """Test code as the sandbox's `Job` takes it, see there for the first fields; the names that it takes from the
    program; of them the one that was asked for, where the tests say so; and the function that it calls with values of
    JSON, if it does; and the source of a checker in C++."""

    test_code: str
    entry_point: str | None = None
    is_script: bool = False
    tests: int = 0
    wanted: frozenset[str] = frozenset()
    asked: str | None = None
    function: str | None = None
    checker: str | None = None


def instrument(code: str, tree: ast.Module, entry_point: str | None, most: int) -> Runnable:
    """The first `most` tests of `tree`, each wrapped; the `code` as it is where wrapping might change its meaning."""
    blocks: list[ast.Module | ast.FunctionDef] = [tree]
    checks = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if entry_point is not None:
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if len(checks) > 1 or "check" in named or checks[0].decorator_list or may_return_early(checks[0]):
            return Runnable(code, entry_point)
        blocks += checks
    helpers = {node.name for node in tree.body if isinstance(node, DEFINITIONS) and asserts(node)}
    count = 0
    for block in blocks:
        body: list[ast.stmt] = []
        for statement in block.body:
            if is_test(statement, helpers):
                if count < most:
                    body.append(guarded(statement, count))
                count += 1
            elif count <= most:
                body.append(statement)
        block.body = body or [ast.Pass()]
    try:
        return Runnable(ast.unparse(ast.fix_missing_locations(tree)), entry_point, tests=min(count, most))
    except (ValueError, RecursionError):  # code that `ast` cannot write
        return Runnable(code, entry_point)


def is_test(statement: ast.stmt, helpers: set[str]) -> bool:
    """Does it assert anything, itself or by calling one of `helpers`?"""
    if isinstance(statement, DEFINITIONS | VALUES):
        return False
    functions = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return asserts(statement) or any(isinstance(each, ast.Name) and each.id in helpers for each in functions)


def asserts(statement: ast.stmt) -> bool:
    """Can it fail by itself, or by a method such as `self.assertEqual`, `mock.assert_called` or `pytest.raises`?"""
    nodes = list(ast.walk(statement))
    called = {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    return any(isinstance(node, ast.Assert | ast.Raise) for node in nodes) or any(
        name.startswith(("assert", "raises", "fail", "warns")) for name in called
    )


def guarded(statement: ast.stmt, number: int) -> ast.stmt:
    (mark,) = ast.parse(f"if __test__({number}):\n    with __test__:\n        pass").body
    assert isinstance(mark, ast.If) and isinstance(mark.body[0], ast.With)  # as written above
    mark.body[0].body = [statement]
    return mark


def may_return_early(function: ast.FunctionDef) -> bool:
    """May the function end before its last statement, or is it a generator?"""
    return any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) for node in ast.walk(function))
