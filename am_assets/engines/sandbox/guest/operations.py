"""What one side does for the other with the objects that it has lent."""

import importlib
from collections.abc import Callable
from typing import Any

from am_assets.engines.sandbox.guest.wire import MUTABLE, plain_base


def replace_content(value: Any, after: Any) -> None:
    """Apply in-place changes by the other side to a list, dict, set, bytearray or array."""
    if value is after:
        return
    kind = next((kind for kind in MUTABLE if isinstance(value, kind)), None)
    if kind is None and type(value) is type(after) and hasattr(value, "dtype"):
        value[...] = after
        return
    if kind is None or not isinstance(after, kind):
        raise ValueError("another type")
    value.clear()
    (value.update if kind in (dict, set) else value.extend)(after)


def special(owner: type | None, name: str, value: Any, *operands: Any, **named: Any) -> Any:
    return getattr(owner or type(value), name)(value, *operands, **named)


def content_of(value: Any) -> Any:
    """The plain content of an instance of a class derived from a plain type."""
    kind = plain_base(type(value))
    if kind is None:
        raise TypeError("no plain content")
    return Plain(kind, value)


def apply(function: str, *operands: Any, **named: Any) -> Any:
    module, _, name = function.rpartition(".")
    return getattr(importlib.import_module(module), name)(*operands, **named)


def update(owner: Any, name: str, content: Any) -> None:
    """Give what an attribute holds another content, in place."""
    replace_content(getattr(owner, name), content)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda function, /, *operands, **named: function(*operands, **named),
    "get": getattr,
    "set": setattr,
    "del": delattr,
    "item": lambda value, key: value[key],
    "special": special,
    "content": content_of,
    "apply": apply,
    "update": update,
    "member": lambda owner, name, value: vars(owner)[name].__get__(value, type(value)),
}


class Plain:
    """A value to be sent as the plain type that its class is derived from."""

    def __init__(self, kind: type, value: Any) -> None:
        self.kind, self.value = kind, value
