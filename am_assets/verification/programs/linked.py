"""Programs that take or return linked lists and trees, which tests in JSON write as lists, or change what they take in
place (`nodes.py`)."""

import ast
import inspect
from functools import cache

from am_assets.verification.programs import nodes
from am_assets.verification.programs.names import parse

LISTS = ("List", "list", "Sequence", "Iterable")


def with_lists(program: str, function: str) -> str:
    """The program, whose `function` takes and returns lists where its annotations say nodes. The result of a method of
    `Solution` that returns None, as its annotation says, is its first argument, which it changes."""
    tree = parse(program)
    place, found = _function(tree, function) if tree else ("", None)
    if found is None or found.decorator_list:
        return program
    arguments = (found.args.posonlyargs + found.args.args)[bool(place) :]
    kinds = [_kind(one.annotation) for one in arguments]
    returns_none = isinstance(found.returns, ast.Constant) and found.returns.value is None
    result = "None" if returns_none and kinds and (place or kinds[0]) else _kind(found.returns)
    classes = [name for name in ("ListNode", "TreeNode") if any(name in kind for kind in [*kinds, result])]
    if not classes and result != "None":
        return program
    given = f"{{{', '.join(f'{name!r}: {name}' for name in classes)}}}"
    wrapped = f"__nodes__['with_nodes']({place}{function}, {int(bool(place))}, {kinds!r}, {result!r}, {given})"
    return f"{program}\n__nodes__ = {{}}\nexec({_source()!r}, __nodes__)\n{place}{function} = {wrapped}\n"


def _function(tree: ast.Module, name: str) -> tuple[str, ast.FunctionDef | None]:
    """The last definition of a method of `Solution`, or else of a function, and what is written before its name."""
    for node in reversed(tree.body):
        if isinstance(node, ast.ClassDef) and node.name == "Solution":
            for inner in reversed(node.body):
                if isinstance(inner, ast.FunctionDef) and inner.name == name:
                    return "Solution.", inner
    plain = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    return "", plain[-1] if plain else None


def _kind(annotation: ast.expr | None) -> str:
    """`ListNode`, `TreeNode`, `List[…]` of one of them, or "" for anything else; None beside it counts for nothing."""
    match annotation:
        case ast.Constant(value=str(text)):
            tree = parse(text.strip())
            return _kind(tree.body[0].value) if tree and tree.body and isinstance(tree.body[0], ast.Expr) else ""
        case ast.Name(id="ListNode" | "TreeNode" as name):
            return name
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _kind(left) or _kind(right)
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
            return _kind(inner)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner) if name in LISTS:
            return f"List[{kind}]" if (kind := _kind(inner)) else ""
    return ""


@cache
def _source() -> str:
    return inspect.getsource(nodes)
