"""Tells the tests of a script apart: marks each statement that is one, so that the sandbox's judge reports it alone."""

import ast
from typing import NamedTuple

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
VALUES = ast.Assign | ast.AnnAssign | ast.AugAssign


class Runnable(NamedTuple):
    """As the sandbox's `Job` takes them, which says what they mean."""

    test_code: str
    entry_point: str | None = None
    is_script: bool = False
    tests: int = 0


def instrument(code: str, tree: ast.Module, entry_point: str | None, most: int) -> Runnable:
    """The tests with each statement marked that is one; unmarked where that might change them.

    `engines/sandbox/guest/judge.py` reads the marks."""
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
    except (ValueError, RecursionError):  # what it can not write
        return Runnable(code, entry_point)


def is_test(statement: ast.stmt, helpers: set[str]) -> bool:
    """Does it assert something, itself or by calling one of `helpers`?"""
    if isinstance(statement, DEFINITIONS | VALUES):
        return False
    functions = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return asserts(statement) or any(isinstance(each, ast.Name) and each.id in helpers for each in functions)


def asserts(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(statement))


def guarded(statement: ast.stmt, number: int) -> ast.stmt:
    (mark,) = ast.parse(f"if __test__({number}):\n    with __test__:\n        pass").body
    assert isinstance(mark, ast.If) and isinstance(mark.body[0], ast.With)  # as written above
    mark.body[0].body = [statement]
    return mark


def may_return_early(function: ast.FunctionDef) -> bool:
    """May it end before its last statement, or is it no plain function at all?"""
    return any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) for node in ast.walk(function))
