"""The names that Python code binds at its top level, and those that it uses without binding them. Parsed, never run."""

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
IMPORTS = ast.Import | ast.ImportFrom
BUILTINS = frozenset(vars(builtins)) | {"__file__", "exit", "quit", "__test__"}


class Names(NamedTuple):
    bound: frozenset[str] = frozenset()  # at the top level
    free: frozenset[str] = frozenset()  # used anywhere, bound nowhere it could come from, and no built-in


def is_text(node: ast.stmt) -> bool:
    """Is it a text or another constant that stands alone?"""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def parse(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about invalid escapes in the text
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


@lru_cache(256)
def names_of(source: str) -> Names:
    """The names of a program; none where it is not Python.

    >>> names_of("import math\\ndef area(r): return math.pi * square(r)") == ({"math", "area"}, {"square"})
    True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            top = symtable.symtable(source, "program.py", "exec")
            scopes = list(_scopes(top))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return Names()
    bound = {one.get_name() for one in top.get_symbols() if one.is_assigned() or one.is_imported()}
    used = {one.get_name() for one in top.get_symbols() if one.is_referenced()}
    for scope in scopes:
        for one in scope.get_symbols():
            if one.is_declared_global() and one.is_assigned():
                bound.add(one.get_name())
            elif one.is_global() and one.is_referenced():
                used.add(one.get_name())
    return Names(frozenset(bound), frozenset(used - bound - BUILTINS))


def names_asked_for(test_code: str, entry_point: str | None) -> frozenset[str]:
    """The names that tests take from the program: those that they import of `solution`, and those that nobody binds."""
    found = set(names_of(f"{test_code}\n{entry_point or ''}").free)
    tree = parse(test_code)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.ImportFrom) and node.module == "solution":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "solution":
            found.add(node.attr)
    return frozenset(found - {"*"})


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _scopes(child)
