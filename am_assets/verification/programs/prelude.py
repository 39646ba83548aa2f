"""The prelude: what LeetCode and the graders of APPS, LiveCodeBench and rLLM put before a program.

Their programs may use `List`, `Counter`, `math`, `heappush` or `ListNode` without an import. Only the names that a
program uses and nowhere binds are given to it, and as built-ins: a name of the prelude is the program's to use, and is
nothing that the program defines, so that no test finds in the library the function that the program lacks.
"""

import ast
import re
from functools import cache
from importlib import import_module

from am_assets.verification.programs.names import BUILTINS, names_of, parse

MODULES = [
    "bisect", "cmath", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq", "io",
    "itertools", "json", "math", "operator", "os", "random", "re", "statistics", "string", "sys", "time", "typing",
]  # fmt: skip
# Star imports; of two with the same name the later one counts.
STARS = [
    "string", "re", "datetime", "decimal", "fractions", "copy", "random", "statistics", "operator", "io", "sys", "json",
    "functools", "itertools", "heapq", "bisect", "math", "collections", "typing",
]  # fmt: skip
OUTSIDE = {  # given by the graders of APPS and by LeetCode; a sandbox without them says so
    "np": "import numpy as np",
    **{name: f"from sortedcontainers import {name}" for name in ("SortedList", "SortedDict", "SortedSet")},
}
NODES = {
    "ListNode": "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val, self.next = val, next",
    "TreeNode": "class TreeNode:\n    def __init__(self, val=0, left=None, right=None):\n"
    "        self.val, self.left, self.right = val, left, right",
}
# Graders raise the limit of recursion, and the Pythons that published programs ran on had none for the digits of text.
LIMITS = "import sys; sys.setrecursionlimit(50_000); sys.set_int_max_str_digits(0)"


def with_prelude(program: str) -> str:
    """A Python program behind what it needs of the prelude, which is one line, after any `from __future__`."""
    if (tree := parse(program)) is None:
        return program
    given = [statement for name in sorted(names_of(program).free) if (statement := _statement(name, program))]
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    lines = program.split("\n")
    text = "\n".join([LIMITS, *given])
    lines.insert(future[-1].end_lineno or 0 if future else 0, f"exec({text!r}, vars(__import__('builtins')))")
    return "\n".join(lines)


def imports_missing(test_code: str) -> str:
    """Imports of modules that tests use, as in `math.isclose`, and lack: graders run them behind the program's imports.

    Only modules, as a function that nobody defines may be the one that was asked for.
    """
    if not (free := names_of(test_code).free & {*MODULES, "np"}) or (tree := parse(test_code)) is None:
        return ""
    nodes = list(ast.walk(tree))
    dotted = [node.value.id for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    named = [node.id for node in nodes if isinstance(node, ast.Name)]
    lacking = sorted(name for name in free if named.count(name) == dotted.count(name))
    return "".join(f"{OUTSIDE.get(name, f'import {name}')}\n" for name in lacking)


def _statement(name: str, program: str) -> str | None:
    """What gives `name`, if anything: a module where the program takes an attribute of it."""
    single = functions().get(name)
    if name in MODULES and (single is None or re.search(rf"\b{name}\s*\.", program)):
        return f"import {name}"
    return single


@cache
def functions() -> dict[str, str]:
    """The statement that gives each name of the prelude that is no module."""
    found = dict(OUTSIDE)
    for module in STARS:
        content = import_module(module)
        public = getattr(content, "__all__", None) or [name for name in vars(content) if not name.startswith("_")]
        found |= {name: f"from {module} import {name}" for name in public}
    return {name: statement for name, statement in (found | NODES).items() if name not in BUILTINS}
