"""Lists of tests as linked lists and trees, where the program's annotations say that it takes or returns such.

The source of this file runs beside the program; what it makes of a result is compared by the judge as any other list.
A `kind` is `ListNode`, `TreeNode`, `List[…]` of a kind, or "" for any other value; `node` has the classes by name.
"""

from typing import Any

MOST = 100_000  # nodes of a result, which may have a cycle


def with_nodes(function: Any, place: int, kinds: list, result: str, node: dict) -> Any:
    """`function` with lists instead of nodes; `kinds` are those of its arguments from `place` on, `result` is that of
    its result, or "None" where it changes its first argument in place."""
    running: list = []

    def call(*arguments: Any) -> Any:
        if running:  # a call of the program's own
            return function(*arguments)
        given = zip(arguments[place:], [*kinds, *[""] * len(arguments)], strict=False)
        values = [made(value, kind, node) for value, kind in given]
        running.append(function)
        try:
            got = function(*arguments[:place], *values)
        finally:
            running.pop()
        return plain(values[0], kinds[0]) if result == "None" and got is None else plain(got, result)

    return call


def made(value: Any, kind: str, node: dict) -> Any:
    if not kind or not isinstance(value, list):
        return value
    if kind.startswith("List["):
        return [made(item, kind[5:-1], node) for item in value]
    return linked(value, node[kind]) if kind == "ListNode" else tree(value, node[kind])


def linked(values: list, node: Any) -> Any:
    head = None
    for value in reversed(values):
        before = node(value)
        before.next, head = head, before
    return head


def tree(values: list, node: Any) -> Any:
    """By levels, None where there is no child."""
    if not values or values[0] is None:
        return None
    root = node(values[0])
    level, rest = [root], iter(values[1:])
    for parent in level:
        for side in ("left", "right"):
            value = next(rest, None)
            if value is not None:
                setattr(parent, side, node(value))
                level.append(getattr(parent, side))
    return root


def plain(value: Any, kind: str) -> Any:
    if kind.startswith("List[") and isinstance(value, list | tuple):
        return [plain(item, kind[5:-1]) for item in value]
    if kind in ("ListNode", "TreeNode") and value is None:
        return []
    if kind == "ListNode" and hasattr(value, "next"):
        return items(value)
    return levels(value) if kind == "TreeNode" and hasattr(value, "left") else value


def items(head: Any) -> list:
    found: list = []
    while head is not None and len(found) < MOST:
        found.append(head.val)
        head = head.next
    return found


def levels(root: Any) -> list:
    found, level = [root.val], [root]
    for one in level:
        for child in (one.left, one.right):
            found.append(None if child is None else child.val)
            level += [] if child is None or len(level) > MOST else [child]
    while found[-1] is None:
        found.pop()
    return found
