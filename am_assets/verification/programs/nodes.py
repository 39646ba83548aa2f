"""Lists of tests as linked lists and trees, where the program's annotations say that it takes or returns such.

The source of this file runs beside the program, of which it needs `ListNode` and `TreeNode`: what it makes of a result
is compared by the judge as any other list.
"""

from typing import Any

MOST = 100_000  # nodes of a result, which may have a cycle


def with_nodes(function: Any, kinds: list, result: str, node: dict) -> Any:
    """`function` with lists instead of nodes. `kinds` are those of its arguments, "" for other values; with "None" as
    `result` it changes its first argument in place. `node` are the classes of nodes by their names."""

    running: list = []

    def call(*arguments: Any) -> Any:
        if running:  # a call of the program's own
            return function(*arguments)
        place = len(arguments) - len(kinds)  # behind `self`
        values = [*map(made, arguments[place:], kinds)]
        running.append(function)
        try:
            got = function(*arguments[:place], *values)
        finally:
            running.pop()
        return plain(values[0], kinds[0]) if result == "None" and got is None else plain(got, result)

    def made(value: Any, kind: str) -> Any:
        if kind.startswith("List[") and isinstance(value, list):
            return [made(item, kind[5:-1]) for item in value]
        if not isinstance(value, list):
            return value
        return linked(value) if kind == "ListNode" else tree(value) if kind == "TreeNode" else value

    def linked(values: list) -> Any:
        head = None
        for value in reversed(values):
            before = node["ListNode"](value)
            before.next, head = head, before
        return head

    def tree(values: list) -> Any:
        """By levels, None where there is no child."""
        if not values or values[0] is None:
            return None
        root = node["TreeNode"](values[0])
        level, rest = [root], iter(values[1:])
        for parent in level:
            for side in ("left", "right"):
                value = next(rest, None)
                if value is not None:
                    child = node["TreeNode"](value)
                    setattr(parent, side, child)
                    level.append(child)
        return root

    def plain(value: Any, kind: str) -> Any:
        if kind.startswith("List[") and isinstance(value, list | tuple):
            return [plain(item, kind[5:-1]) for item in value]
        if value is None and kind in ("ListNode", "TreeNode"):
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

    return call
