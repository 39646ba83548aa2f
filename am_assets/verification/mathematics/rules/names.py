"""Values with names: x = 2, y = 5, or f(x) = x^2."""

import re

from am_assets.verification.mathematics.rules.relations import equations
from am_assets.verification.mathematics.told import Equality, Told, all_of, in_any_order, in_order
from am_assets.verification.mathematics.values import Equation, Group, Named, Term, Value

COORDINATES = {"x", "y", "z"}


def named(one: Named, other: Named, same: Equality) -> Told:
    """The same values for each name. Of single names that differ, as of names that only one side has, nothing is told,
    unless the equations are the same (x = 2y and y = x/2) or a name is a word."""
    first, second = by_name(one), by_name(other)
    if first.keys() == second.keys():
        return all_of([_values(first[name], second[name], same) for name in first])
    if len(first) == len(second) == 1:
        sides = _equation(one), _equation(other)
        if sides[0] and sides[1] and equations(sides[0], sides[1], same):
            return True
        (values,), (others,) = first.values(), second.values()
        told = _values(values, others, same)
        return told if told is False or any(map(_is_word, (*first, *second))) else None
    shared = first.keys() & second.keys()
    told = all_of([_values(first[name], second[name], same) for name in shared])
    return None if shared and told is not False else False


def by_name(value: Named) -> dict[str, list[Value]]:
    """The values of each name; a tuple of names with one point is taken apart."""
    found: dict[str, list[Value]] = {}
    for name, one in value.pairs:
        parts = name.strip("()").split(",") if name.startswith("(") else []
        alone = sum(other == name for other, _ in value.pairs) == 1
        if alone and isinstance(one, Group) and len(parts) == len(one.items):
            for part, item in zip(parts, one.items, strict=True):
                found.setdefault(part, []).append(item)
        else:
            several = isinstance(one, Group) and one.kind in ("list", "set")
            found.setdefault(name, []).extend(one.items if several and isinstance(one, Group) else [one])
    return found


def _values(one: list[Value], other: list[Value], same: Equality) -> Told:
    return same.values(one[0], other[0]) if len(one) == len(other) == 1 else in_any_order(one, other, same)


def _is_word(name: str) -> bool:
    return len(re.sub(r"_.*|\(.*|\\", "", name)) > 1


def _equation(value: Named) -> Equation | None:
    """y = 2x + 1 as an equation."""
    (name, one), *others = value.pairs
    if others or not isinstance(one, Term) or one.unit:
        return None
    return Equation(re.sub(r"_(\w+)", r"_{\1}", name), one.text)


def named_and_equation(one: Named, other: Equation, same: Equality) -> Told:
    equation = _equation(one)
    return equations(equation, other, same) if equation else None


def named_and_bare(one: Named, other: Value, same: Equality) -> Told:
    """A value without its name; several names in their order, coordinates in that of the alphabet."""
    found = by_name(one)
    if len(found) == 1:
        (values,) = found.values()
        return same.values(values[0] if len(values) == 1 else Group("list", tuple(values)), other)
    if isinstance(other, Group) and other.kind != "set" and all(len(values) == 1 for values in found.values()):
        told = in_order([values[0] for values in found.values()], other.items, same)
        if list(found) == sorted(found) or not COORDINATES.issuperset(found):
            return told
        return in_order([found[name][0] for name in sorted(found)], other.items, same) or (None if told else told)
    return False
