"""Classes that stand for those of the other process; their instances stand for its objects.

A shadow has the name, the bases and the operators of its original, so that Python's own rules hold for it:
`isinstance`, `type(x) is P` and `except Bad`, reflected operators, iteration by items, equality by identity where there
is no `__eq__`. An operator is asked of the other process (`Peer.operate`), with the class whose operator it is.
"""

import sys
import types
from typing import Any

from am_assets.engines.sandbox.guest.wire import IMMUTABLE, PLAIN

COMPARISONS = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}
NUMBERS = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"
CALCULATIONS = {f"__{prefix}{name}__" for name in NUMBERS.split() for prefix in ("", "r", "i")}
TO_NUMBERS = "bool int float complex index abs round trunc floor ceil len iter"
CONVERSIONS = {f"__{name}__" for name in TO_NUMBERS.split()}  # to a number or a truth value
OTHERS = (
    "str repr hash bytes format next reversed contains getitem setitem delitem missing call enter exit neg pos invert "
    "length_hint fspath aiter anext aenter aexit await set_name get set delete init"
)
SPECIAL = COMPARISONS | CALCULATIONS | CONVERSIONS | {f"__{name}__" for name in OTHERS.split()}
# What is asked of the other process by `getattr`, beside the names without two underscores before them.
READABLE_NAMES = (
    "dict name qualname doc annotations wrapped code defaults kwdefaults closure self func members match_args "
    "dataclass_fields dataclass_params abstractmethods isabstractmethod slots cause context notes origin args "
    "parameters"
)
READABLE = {f"__{name}__" for name in READABLE_NAMES.split()}
STDLIB_TYPES = {("builtins", each.__name__): each for each in vars(types).values() if isinstance(each, type)}


# Modules whose classes never stand for themselves: an exception of these would skip a test or end the judge.
OUTSIDE = {"solution", "unittest", "_pytest", "pytest"}


class Here:
    """This process's end of the channel (`peers.Peer`), once it has one."""

    peer: Any


def readable(name: str) -> bool:
    return not name.startswith("__") or name in READABLE


class Shadow(type):
    """The metaclass: what is done with a class itself. The original is asked, as it may be an enumeration."""

    def __new__(meta, name: str, bases: tuple[type, ...], space: dict[str, Any], **named: Any) -> Any:
        """A class that is derived from shadows is made on the other side."""
        return Here.peer.derived(name, bases, space, **named) if bases else super().__new__(meta, name, bases, space)

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return Here.peer.construct(cls, *arguments, **named)

    def __getattr__(cls, name: str) -> Any:
        if cls is Remote or not readable(name):
            raise AttributeError(name)
        return Here.peer.get(cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name.startswith("__") and Here.peer.keeps_specials:
            return super().__setattr__(name, value)
        Here.peer.ask("set", cls, name, value)

    def __delattr__(cls, name: str) -> None:
        Here.peer.ask("del", cls, name)

    def __iter__(cls) -> Any:
        return Here.peer.operate("__iter__", None, cls)

    def __len__(cls) -> Any:
        return Here.peer.operate("__len__", None, cls)

    def __getitem__(cls, key: Any) -> Any:
        return Here.peer.ask("item", cls, key)

    def __contains__(cls, item: Any) -> Any:
        return Here.peer.operate("__contains__", None, cls, item)

    def __reversed__(cls) -> Any:
        return Here.peer.operate("__reversed__", None, cls)

    def __bool__(cls) -> bool:
        return True


class Remote(metaclass=Shadow):
    """The base of all shadows. Instances have no state: `Peer` knows which object each stands for."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if not readable(name):  # protocols of copying, pickling and the like
            raise AttributeError(name)
        return Here.peer.get(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):  # of an exception
            return object.__setattr__(self, name, value)
        Here.peer.ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        Here.peer.ask("del", self, name)

    def __dir__(self) -> Any:
        return Here.peer.ask("apply", "builtins.dir", self)

    def __copy__(self) -> Any:
        return Here.peer.copied("copy.copy", self)

    def __deepcopy__(self, memo: Any) -> Any:
        return Here.peer.copied("copy.deepcopy", self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise Here.peer.refusal("pickle an object of the program")


class Member:
    """An attribute of a class, for `super().name`; any other access asks the other side for the attribute by name."""

    def __init__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, value: Any, kind: type) -> Any:
        if value is None:
            return Here.peer.get(kind, self.name)
        if next(each for each in type(value).__mro__ if self.name in vars(each)) is self.owner:
            return Here.peer.get(value, self.name)
        return Here.peer.ask("member", self.owner, self.name, value)


def is_remote(value: object) -> bool:
    """Is it a shadow, or an instance of one?"""
    return type(type(value)) is Shadow or type(value) is Shadow


def new_shadow(name: str, module: str, bases: list[type], members: list[str]) -> type:
    """The shadow of the class `name`; a name in `members` after `!` is an operator that the class forbids.

    A class of the library that is an exception and known here stands for itself.
    """
    known = STDLIB_TYPES.get((module, name)) or vars(sys.modules.get(module, sys)).get(name)
    if module.partition(".")[0] in OUTSIDE or not isinstance(known, type) or type(known) is Shadow:
        known = None
    if known is not None and issubclass(known, BaseException):
        return known
    above = tuple(shadow_of_plain(base) if base in PLAIN else base for base in bases if base is not object)
    if not any(type(base) is Shadow for base in above):
        above = (Remote, *above)
    space: dict[str, Any] = {"__slots__": (), "__module__": module, "__qualname__": name}
    if known is not None:
        space["__class__"] = property(lambda self: claimed(type(self), made, known))
    try:
        made = type.__new__(Shadow, name, above, space)
    except TypeError:  # bases that do not go together without what the program adds to them
        made = type.__new__(Shadow, name, (Remote,), space)
    for each in members:
        if each == "!__hash__":
            type.__setattr__(made, "__hash__", None)
        elif each in SPECIAL:
            type.__setattr__(made, each, special(each, made))
        elif each == "__doc__" or not each.startswith("__"):
            type.__setattr__(made, each, Member(made, each))
    return made


def claimed(kind: type, shadow: type, known: type) -> type:
    """The `__class__` of an instance of `kind`, which is `shadow`, or derived from it, and that stands for `known`.

    So `isinstance` holds of what the tests import from the library themselves.
    """
    if kind is shadow:
        return known
    return types.new_class(kind.__name__, (known,)) if known.__module__ == "enum" else kind


def special(name: str, owner: type) -> Any:
    """The operator `name` of the shadow `owner`, or of a plain type that it is derived from."""

    def operator(self: Any, *operands: Any, **named: Any) -> Any:
        return Here.peer.operate(name, owner, self, *operands, **named)

    operator.__name__ = operator.__qualname__ = name
    return operator


def shadow_of_plain(kind: type) -> type:
    """What a class derived from a plain type has for a base: the type itself, unless its objects can change."""
    return kind if kind in IMMUTABLE else MUTABLE_SHADOWS[kind]


def mutable_shadow(kind: type) -> type:
    space: dict[str, Any] = {"__slots__": (), "__hash__": None}
    space["__class__"] = property(lambda self: type(type(self).__name__, (kind,), {}))
    for name in SPECIAL:
        inherited = next((vars(base)[name] for base in kind.__mro__[:-1] if name in vars(base)), None)
        if inherited is not None:
            space[name] = by_content(kind, name) if name in JUDGED else special(name, kind)
    return type.__new__(Shadow, kind.__name__, (Remote,), space)


JUDGED = COMPARISONS | CALCULATIONS | {"__contains__"}  # the program's word would decide them


def by_content(kind: type, name: str) -> Any:
    """An operator that a class has from a plain type: done here, on the plain content of the operands."""

    def operator(self: Any, *operands: Any) -> Any:
        if name.startswith("__i") and name in CALCULATIONS:
            return Here.peer.ask("special", kind, name, self, *operands)
        plain = [Here.peer.content(each) if isinstance(type(each), Shadow) else each for each in operands]
        return getattr(kind, name)(Here.peer.content(self), *plain)

    return operator


MUTABLE_SHADOWS: dict[type, type] = {
    kind: mutable_shadow(kind) for kind in PLAIN if kind not in (*IMMUTABLE, bool, type(None))
}
# Of kinds that nearly every program has: made before any job, so that they cost it nothing.
KINDS: list[type] = [types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.GeneratorType]
COMMON: dict[type, type] = {
    kind: new_shadow(str(kind.__name__), "builtins", [object], [*(SPECIAL & vars(kind).keys()), "__doc__"])
    for kind in KINDS
}
COMMON_BY_NAME = {kind.__name__: shadow for kind, shadow in COMMON.items()}
ORIGINALS = {shadow: kind for kind, shadow in COMMON.items()}
