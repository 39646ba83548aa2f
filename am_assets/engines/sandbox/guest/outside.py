"""Whether a test can fail because tests and program share no files, no logs, no warnings and no lives of objects.

It can where the tests look at them and the program may have to do with them: one that imports nothing but what computes
has to do with no files, logs and warnings, and is wrong by itself.
"""

import ast
import re

FILES = {"tempfile", "tmp_path", "tmp_path_factory", "tmpdir", "shutil", "sqlite3", "pathlib", "Path"}
OF_OS = {"open", "exists", "isfile", "isdir", "listdir", "mkdir", "makedirs", "remove"}  # of a module
REPORTS = {"assertLogs", "assertNoLogs", "caplog", "assertWarns", "assertWarnsRegex", "catch_warnings", "recwarn"} | {
    "deprecated_call", "warns", "capfd",
}  # fmt: skip
LIVES = {"weakref", "gc"}
HINT = re.compile(rf"\b(?:{'|'.join(FILES | OF_OS | REPORTS | LIVES)})\b")  # cheaper than reading the code
COMPUTING = {
    "__future__", "abc", "bisect", "cmath", "collections", "copy", "dataclasses", "decimal", "enum", "fractions",
    "functools", "heapq", "itertools", "math", "operator", "random", "re", "statistics", "string", "sys", "typing",
}  # fmt: skip
OPEN_DOORS = {"open", "exec", "eval", "compile", "__import__", "globals", "vars", "getattr", "modules", "__builtins__"}


def unshown(test_code: str, tests: ast.Module, program: str) -> str | None:
    """What the sandbox can't do, by which a test may fail; None where there is nothing."""
    ends = "def __del__" in program
    if HINT.search(test_code) is None and not ends:
        return None
    used = names(tests)
    if LIVES & used or ends:
        return "end the life of an object of the program"
    looks_at_files = FILES & used or opens(tests)
    if not (looks_at_files or REPORTS & used) or ("capfd" not in used and only_computes(program)):
        return None
    if looks_at_files:
        return "show the tests and the program the same files"
    return "show the tests the program's logs and warnings"


def names(tree: ast.AST) -> set[str]:
    """All names in code, of any kind; no text counts."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.add(name)
            case ast.Import(names=aliases):
                found.update(part for alias in aliases for part in alias.name.split("."))
            case ast.ImportFrom(module=module, names=aliases):
                found.update([*(module or "").split("."), *(alias.name for alias in aliases)])
    return found


def opens(tests: ast.Module) -> bool:
    """Do they open a file, or ask Python's library for one? A method of a program's object has such a name too."""
    modules = {
        alias.asname or alias.name for node in ast.walk(tests) if isinstance(node, ast.Import) for alias in node.names
    }
    for node in ast.walk(tests):
        match node:
            case ast.Call(func=ast.Name(id="open")):
                return True
            case ast.Attribute(attr=name, value=ast.Name(id=owner)) if name in OF_OS and owner in modules:
                return True
            case ast.Attribute(attr=name, value=ast.Attribute(attr="path", value=ast.Name(id="os"))) if name in OF_OS:
                return True
    return False


def only_computes(program: str) -> bool:
    """Does it import nothing but what computes, and nothing in another way? Not what the prelude gives it, either."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    tree.body = [statement for node in tree.body for statement in prelude(node)]
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return modules <= COMPUTING and not names(tree) & OPEN_DOORS


def prelude(node: ast.stmt) -> list[ast.stmt]:
    """The statements that a line before the program executes (`verification/programs/prelude.py`)."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="exec"), args=[ast.Constant(value=str(text)), ast.Call()])):
            return ast.parse(text).body
    return [node]
