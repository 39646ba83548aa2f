"""What a question's tests are, and whether they can decide anything: the test half of code verdicts.

Reads only; running is `engines/sandbox`, and what a run means is `code.py`.
"""

import ast
import json
import sys
import warnings
from typing import NamedTuple

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
VALUES = ast.Assign | ast.AnnAssign | ast.AugAssign


class Runnable(NamedTuple):
    """As the sandbox's `Job` takes them, which says what they mean."""

    test_code: str
    entry_point: str | None = None
    is_script: bool = False
    tests: int = 0


class UnusableTests(ValueError):
    """The tests of a question can not decide anything; the message says why."""


def read_tests(test_cases: str | None, most: int) -> Runnable:
    """The first `most` tests of JSON {"test_code", "test_entry_point"}.

    Three forms: a `check(candidate)` and the entry point it is to be called with (HumanEval); functions `test_*`
    without arguments (pytest), which get called; statements that run by themselves (MBPP's asserts, joined by newlines
    or as a list). The program can be imported as `solution`. Raises UnusableTests where not every test would run, or
    none would: such tests would pass anything.
    """
    code, entry_point = parse_json(test_cases)
    tree = parse(code)
    if tree is None:
        raise UnusableTests("test_code is not Python")
    tree.body = [node for node in tree.body if not guards_main(node)]
    nodes = list(ast.walk(tree))
    imported = {name.split(".")[0] for node in nodes for name in modules(node)}
    if missing := sorted(imported - sys.stdlib_module_names - {"solution"}):
        raise UnusableTests(f"test_code needs {', '.join(missing)}, which the sandbox does not have")
    if not any(map(asserts, tree.body)):
        raise UnusableTests("test_code asserts nothing")
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if entry_point is not None and "check" in functions:
        return told_apart(code, tree, entry_point, most)
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    named = [node for node in tree.body if isinstance(node, DEFINITIONS)]
    tests = [node for node in named if node.name.startswith(("test_", "Test")) and node.name not in used]
    if unsupported := [test.name for test in tests if not callable_plainly(test)]:
        raise UnusableTests(f"can not call {', '.join(unsupported)}: only plain test functions without arguments")
    if not tests and not any(runs(node) for node in tree.body):
        raise UnusableTests("test_code defines tests, but nothing runs them")
    calls = [f"{test.name}()" for test in tests]
    tree.body += ast.parse("\n".join(calls)).body
    return told_apart("\n".join([code, *calls]), tree, None, most)


def told_apart(code: str, tree: ast.Module, entry_point: str | None, most: int) -> Runnable:
    """The tests with each statement marked (`guest/judge.py`) that is one; unmarked where that might change them."""
    blocks: list[ast.Module | ast.FunctionDef] = [tree]
    checks = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if entry_point is not None:
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if len(checks) > 1 or "check" in named or checks[0].decorator_list or leaves(checks[0]):
            return Runnable(code, entry_point)
        blocks += checks
    helpers = {node.name for node in tree.body if isinstance(node, DEFINITIONS) and asserts(node)}
    count = 0
    for block in blocks:
        body: list[ast.stmt] = []
        for statement in block.body:
            if is_test(statement, helpers):
                if count < most:
                    body.append(marked(statement, count))
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


def marked(statement: ast.stmt, number: int) -> ast.stmt:
    (mark,) = ast.parse(f"if __test__({number}):\n    with __test__:\n        pass").body
    assert isinstance(mark, ast.If) and isinstance(mark.body[0], ast.With)  # as written above
    mark.body[0].body = [statement]
    return mark


def leaves(function: ast.FunctionDef) -> bool:
    """May it end before its last statement, or is it no plain function at all?"""
    return any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) for node in ast.walk(function))


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


def parse(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a stranger's odd escapes
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or "." * node.level]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def guards_main(statement: ast.stmt) -> bool:
    """`if __name__ == "__main__"`, whose body never runs here: the tests are a module."""
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
    """Does it do more than define a name?"""
    definitions = DEFINITIONS | ast.Import | ast.ImportFrom | ast.Pass
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return not isinstance(statement, definitions | VALUES) and not is_text
