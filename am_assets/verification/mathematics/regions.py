r"""Sets of real numbers: intervals, unions, inequalities of one letter, as pieces whose ends can be compared."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from am_assets.verification.mathematics import algebra
from am_assets.verification.mathematics.values import Group, Named, Region, Term, Value

if TYPE_CHECKING:
    from sympy import Set

SIGNS = {"<": "<", ">": ">", "\\le": "<=", "\\ge": ">=", "\\ne": "!="}
NUMBER_SETS = re.compile(r"\\mathbb\{([RZNQ])\}(?:\s*\^\{?([+-])\}?)?")


@lru_cache(512)
def region(value: Value) -> "Set | None":
    """`value` as a set of real numbers; None if it is none, or has letters besides the one it restricts."""
    from sympy import FiniteSet, Intersection, Interval, S, Union

    if isinstance(value, Term) and value.unit is None:
        if value.text == "\\emptyset":
            return S.EmptySet
        named = NUMBER_SETS.fullmatch(value.text)
        if named and not named[2]:
            return {"R": S.Reals, "Z": S.Integers, "N": S.Naturals, "Q": S.Rationals}[named[1]]
        return None
    if isinstance(value, Named) and len({name for name, _ in value.pairs}) == 1:
        parts = [region(one) for _, one in value.pairs]
        return None if any(part is None for part in parts) else Union(*parts)
    if isinstance(value, Group):
        ends = [_real(item) for item in value.items]
        if any(end is None for end in ends):
            return None
        if value.kind == "point" and value.brackets and len(ends) == 2:
            lower, upper = ends
            opened = value.brackets[0] == "(", value.brackets[1] == ")"
            return Interval(lower, upper, *opened) if bool(lower <= upper) else None
        return FiniteSet(*ends) if value.kind == "set" else None
    if not isinstance(value, Region):
        return None
    if value.operator == "compare":
        return _compared(value)
    parts = [region(part) for part in value.operands if not isinstance(part, str)]
    if any(part is None for part in parts) or not _one_letter(value):
        return None
    if value.operator == "without":
        first, *others = parts
        for other in others:
            first = first - other  # type: ignore[operator]
        return first
    return Union(*parts) if value.operator == "union" else Intersection(*parts)


def _real(item: Value) -> Any:
    """The number of `item`, or an infinity; None if it has letters or is no real number."""
    expression = algebra.parse(item.text) if isinstance(item, Term) else None
    return expression if expression is not None and expression.is_extended_real and expression.is_number else None


def _one_letter(value: Region) -> bool:
    return len({str(letter) for part in value.operands for letter in letters(part)}) <= 1


def letters(value: "Value | str") -> set[Any]:
    if isinstance(value, Region) and value.operator == "compare":
        found = [algebra.parse(str(side)) for side in value.operands[::2]]
        return set().union(*(side.free_symbols for side in found if side is not None))
    return set().union(*map(letters, value.operands)) if isinstance(value, Region) else set()


def _compared(value: Region) -> "Set | None":
    """The reals that satisfy a chain of comparisons in one letter."""
    from sympy import I, Intersection, S, Symbol, solveset
    from sympy.core.function import AppliedUndef
    from sympy.core.relational import Relational

    sides = [algebra.parse(str(side)) for side in value.operands[::2]]
    free = letters(value)
    functions = set().union(*(side.atoms(AppliedUndef) for side in sides if side is not None))
    if len(functions) == 1:  # the values of f(x) are restricted, not x
        value_of = Symbol("y")
        sides = [side and side.xreplace({next(iter(functions)): value_of}) for side in sides]
        free = set().union(*(side.free_symbols for side in sides if side is not None))
    if any(side is None or side.has(I) for side in sides) or len(free) != 1:
        return None
    letter = Symbol("x", real=True)
    sides = [side.xreplace({next(iter(free)): letter}) for side in sides]  # type: ignore[union-attr]
    solved = []
    for left, sign, right in zip(sides, value.operands[1::2], sides[1:], strict=False):
        relation = Relational(left, right, SIGNS[str(sign)])
        if relation is S.true and any(side in (S.Infinity, S.NegativeInfinity) for side in (left, right)):
            continue
        if relation in (S.true, S.false):
            return None
        solved.append(_beside_number(relation, letter) or solveset(relation, letter, S.Reals))
    return Intersection(*solved) if solved else None


def _beside_number(relation: Any, letter: Any) -> "Set | None":
    """What x > 5 and the like say, without the time that solving takes; None for other relations."""
    from sympy import Interval, S

    if relation.lhs != letter:
        relation = relation.reversed
    bound = relation.rhs
    if relation.lhs != letter or not bound.is_number or not bound.is_real:
        return None
    below, above = Interval.open(S.NegativeInfinity, bound), Interval.open(bound, S.Infinity)
    if relation.rel_op == "!=":
        return below | above
    side = below if "<" in relation.rel_op else above
    return side | {bound} if "=" in relation.rel_op else side


def same_region(one: "Set", other: "Set") -> bool | None:
    """Have two sets the same pieces?"""
    if one == other:
        return True
    first, second = _pieces(one), _pieces(other)
    if first is None or second is None:
        return None
    if len(first) != len(second):
        return False
    told: list[bool | None] = []
    for a, b in zip(first, second, strict=True):
        told += [a[2:] == b[2:], algebra.same_expression(a[0], b[0]), algebra.same_expression(a[1], b[1])]
    return False if False in told else None if None in told else True


def _pieces(given: "Set") -> "list[tuple[Any, Any, bool, bool]] | None":
    """(from, to, left open, right open) of each interval or number, in order."""
    from sympy import FiniteSet, Interval, S, Union

    if given is S.Reals:
        given = Interval(-S.Infinity, S.Infinity)
    parts = given.args if isinstance(given, Union) else [given]
    found: list[tuple[Any, Any, bool, bool]] = []
    for part in parts:
        if isinstance(part, FiniteSet):
            found += [(number, number, False, False) for number in part]
        elif isinstance(part, Interval):
            found.append((part.start, part.end, bool(part.left_open), bool(part.right_open)))
        elif part is not S.EmptySet:
            return None
    return sorted(found, key=lambda piece: (float(piece[0]), float(piece[1])))
