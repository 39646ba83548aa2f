"""Equations, inequalities, sets of reals and functions by cases."""

import re
from collections.abc import Sequence
from typing import Any

from am_assets.verification.mathematics import algebra
from am_assets.verification.mathematics.atoms import is_operation
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.regions import letters, region, same_region
from am_assets.verification.mathematics.told import Equality, Told, all_of, any_of, in_any_order
from am_assets.verification.mathematics.values import Equation, Group, Piecewise, Region, Term, Value

FLIPPED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "\\ne": "\\ne"}


def equations(one: Equation, other: Equation, same: Equality) -> Told:
    """Equations whose sides differ by the same expression, up to a constant factor; or with the same sides. Of two
    that say the value of operations, the values: of operations that are spelled otherwise nothing is told."""
    if is_operation(one.left) or is_operation(other.left):
        told = same.texts(one.right, other.right)
        lefts = {re.sub(r"[\s(){}]", "", each.left) for each in (one, other)}
        inverse = lefts == {"y", "f^-1x"}
        return told if not told or len(lefts) == 1 or inverse else None
    first, second = _difference(one.left, one.right), _difference(other.left, other.right)
    if first is None or second is None or 0 in (first.expand(), second.expand()):
        return None  # unread, or true of everything
    ratio = _ratio(first, second)
    if ratio is not None and ratio.is_number:
        return True
    return all_of([same.texts(one.left, other.left), same.texts(one.right, other.right)]) or False


def _difference(left: str, right: str) -> Any:
    sides = algebra.parse(left), algebra.parse(right)
    return None if sides[0] is None or sides[1] is None else sides[0] - sides[1]


def _ratio(one: Any, other: Any) -> Any:
    """one / other, of their numerators, reduced; None if it cannot be told or either is zero."""
    from sympy import cancel, fraction, together

    if one is None or other is None:
        return None
    tops = [fraction(together(side))[0].expand() for side in (one, other)]
    return None if 0 in tops else cancel(tops[0] / tops[1])


def sets(one: Value, other: Value, same: Equality) -> Told:
    """Sets of reals by their pieces; what is none is no such set."""
    first, second = region(one), region(other)
    return same_region(first, second) if first is not None and second is not None else False


def region_and_group(one: Region, other: Group, same: Equality) -> Told:
    """An interval in brackets; of one with letters, and of several side by side, nothing is told."""
    if region(other) is None and any(isinstance(item, Group) or _has_letters(item) for item in other.items):
        return None
    return sets(one, other, same)


def _has_letters(item: Value) -> bool:
    expression = algebra.parse(item.text) if isinstance(item, Term) else None
    return expression is not None and bool(expression.free_symbols)


def regions(one: Region, other: Region, same: Equality) -> Told:
    """Sets of reals, of one letter; comparisons of several side by side."""
    first, second = region(one), region(other)
    told = same_region(first, second) if first is not None and second is not None else None
    if told is not None:
        names = [{str(letter) for letter in letters(value)} for value in (one, other)]
        return told if not told or not all(names) or names[0] == names[1] else None
    if one.operator == other.operator == "compare":
        return _chains(one, other, same)
    if one.operator == other.operator != "without":
        parts = [[part for part in value.operands if not isinstance(part, str)] for value in (one, other)]
        return in_any_order(parts[0], parts[1], same)
    return None


def _chains(one: Region, other: Region, same: Equality) -> Told:
    """Chains: the same sides in one direction or the other; a single comparison also up to a positive factor."""
    mine = [str(part) for part in one.operands]
    theirs = [str(part) for part in other.operands]
    either = [theirs, [FLIPPED.get(part, part) for part in reversed(theirs)]]
    told = any_of([_same_chain(mine, operands, same) for operands in either])
    if told or len(mine) != 3 or len(theirs) != 3:
        return told
    for left, sign, right in either:
        ratio = _ratio(_difference(mine[0], mine[2]), _difference(left, right)) if sign == mine[1] else None
        if ratio is not None and ratio.is_number and (ratio.is_positive or sign == "\\ne"):
            return True
    return told


def _same_chain(one: Sequence[str], other: Sequence[str], same: Equality) -> Told:
    if one[1::2] != other[1::2]:
        return False
    return all_of([same.texts(a, b) for a, b in zip(one[::2], other[::2], strict=True)])


def piecewise(one: Piecewise, other: Piecewise, same: Equality) -> Told:
    """The same values under the same conditions, in any order."""
    if len(one.rows) != len(other.rows):
        return None
    if len(one.rows) == 1:
        equal = same.values(one.rows[0][0], other.rows[0][0])
        return equal if not equal or _same_condition(one.rows[0][1], other.rows[0][1], same) else None
    left = list(other.rows)
    told: list[Told] = []
    for value, condition in one.rows:
        matches = [_same_condition(condition, row[1], same) for row in left]
        if True in matches:
            told.append(same.values(value, left.pop(matches.index(True))[0]))
        else:
            rest = any("otherwise" in row[1] for row in (*one.rows, *other.rows))
            told.append(None if None in matches or rest else False)
    return all_of(told)


def piecewise_and_bare(one: Piecewise, other: Value, same: Equality) -> Told:
    """Of a condition that one side leaves out nothing is told. The value of one case is not that of all, but a formula
    like |x| may be."""
    told = [same.values(value, other) for value, _ in one.rows]
    if len(told) == 1:
        return False if told[0] is False else None
    return False if any(told) else None


def _same_condition(one: str, other: str, same: Equality) -> Told:
    spelled = [re.sub(r"\\text|[\s{}]", "", condition).casefold() for condition in (one, other)]
    if spelled[0] == spelled[1]:
        return True
    return any_of([same.values(a, b) for a in readings(one) for b in readings(other)])
