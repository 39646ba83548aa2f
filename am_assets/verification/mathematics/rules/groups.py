"""Several values: lists, sets, points, matrices, and lists with an ellipsis."""

import re
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

from am_assets.verification.mathematics import algebra
from am_assets.verification.mathematics.regions import region, same_region
from am_assets.verification.mathematics.rules.terms import share_a_noun
from am_assets.verification.mathematics.told import Equality, Told, all_of, each_in, in_any_order, in_order
from am_assets.verification.mathematics.values import Congruence, Group, Matrix, Named, Range, Term


def groups(one: Group, other: Group, same: Equality) -> Told:
    """Points in order, and with the same brackets if there are two; lists and sets in any order. A point is no set; it
    is a bare list in its order, but two numbers that rise may be the ends of an interval."""
    kinds = {one.kind, other.kind}
    alternatives = [any(isinstance(item, Named) for item in group.items) for group in (one, other)]
    if alternatives[0] != alternatives[1] and "point" in kinds:
        return None  # x = 3 or y = 2
    if kinds == {"point"}:
        if len(one.items) == 2 and one.brackets and other.brackets and one.brackets != other.brackets:
            return False
        return in_order(one.items, other.items, same)
    if kinds == {"point", "set"}:
        return False
    if "point" in kinds:
        point = one if one.kind == "point" else other
        told = in_order(one.items, other.items, same)
        return None if told and len(point.items) == 2 and region(point) is not None else told
    if "set" in kinds:
        return all_of([each_in(one.items, other.items, same), each_in(other.items, one.items, same)])
    if _spelled(one) or _spelled(other):
        return in_order(one.items, other.items, same)
    named = _by_noun(one, other, same)
    return named if named is not None else in_any_order(one.items, other.items, same)


def _spelled(group: Group) -> bool:
    """Is it a sequence of letters, as T, F, T?"""
    letters = [item.text for item in group.items if isinstance(item, Term) and re.fullmatch("[A-Z]", item.text)]
    return len({*letters}) < len(letters) == len(group.items)


def _by_noun(one: Group, other: Group, same: Equality) -> Told:
    """Counts of different things go by their nouns, "12 chickens, 18 rabbits"; None if these do not say which."""
    nouns = [{item.noun for item in group.items if isinstance(item, Term) and item.noun} for group in (one, other)]
    if any(len(found) != len(group.items) for found, group in zip(nouns, (one, other), strict=True)):
        return None
    pairs = [
        same.values(a, b)
        for a in one.items
        for b in other.items
        if isinstance(a, Term) and isinstance(b, Term) and share_a_noun(a, b)
    ]
    return all_of(pairs) if len(pairs) == len(one.items) == len(other.items) else None


def congruence_and_group(one: Congruence, other: Group, same: Equality) -> Told:
    """Several residues, with or without their modulus: 1, 3 (mod 8), 8k+1 or 8k+3."""
    return groups(Group("list", tuple(replace(one, residues=(each,)) for each in one.residues)), other, same)


def group_and_term(one: Group, other: Term, same: Equality) -> Told:
    """A point in unit vectors, a set by its name, one value in several forms ("3/4 or 75%"); else several values are
    not one."""
    if (one.kind == "list" or len(one.items) == 1) and all(same.values(item, other) for item in one.items):
        return True
    if one.kind == "point" and (parts := _components(other.text)):
        return in_order(one.items, parts, same) if len(parts) == len(one.items) else None
    sets = region(one), region(other)
    return same_region(*sets) if sets[0] is not None and sets[1] is not None else False


def _components(text: str) -> list[Term] | None:
    r"""Those of 2\hat{i} - 3\hat{j}: two, or three where \hat{k} occurs."""
    if "\\hat{" not in text or (expression := algebra.parse(text)) is None:
        return None
    from sympy import Symbol, latex

    axes = [Symbol(f"hat{{{axis}}}") for axis in ("ijk" if "\\hat{k}" in text else "ij")]
    return [Term(latex(expression.expand().coeff(axis))) for axis in axes]


def matrices(one: Matrix, other: Matrix, same: Equality) -> Told:
    if [len(row) for row in one.rows] != [len(row) for row in other.rows]:
        return False
    cells = zip(chain(*one.rows), chain(*other.rows), strict=True)
    return all_of([same.texts(a, b) for a, b in cells])


def matrix_and_point(one: Matrix, other: Group, same: Equality) -> Told:
    """A column or row of numbers is the point of these; a matrix the point of its rows, [[1,2],[3,4]]."""
    rows = [item.items for item in other.items if isinstance(item, Group) and item.kind == "point"]
    if other.kind == "point" and len(rows) == len(other.items) == len(one.rows):
        return all_of(
            [in_order([Term(cell) for cell in row], items, same) for row, items in zip(one.rows, rows, strict=True)]
        )
    if other.kind != "point" or min(len(one.rows), len(one.rows[0])) != 1:
        return False
    return in_order([Term(cell) for cell in chain(*one.rows)], other.items, same)


def matrix_and_term(one: Matrix, other: Term, same: Equality) -> Told:
    """A column or row in unit vectors."""
    parts = _components(other.text)
    return matrix_and_point(one, Group("point", tuple(parts)), same) if parts else False


def ranges(one: Range, other: Range, same: Equality) -> Told:
    """Lists with an ellipsis: part by part, or as the arithmetic sequences that their first and last terms make."""
    if {one.kind, other.kind} == {"point", "set"}:
        return False
    if len(one.parts) == len(other.parts):
        parts = zip(one.parts, other.parts, strict=True)
        if all(a == b or (bool(a and b) and same.texts(a, b)) for a, b in parts):
            return True
    first, second = _progression(one.parts), _progression(other.parts)
    if first is None or second is None:
        return None
    return all_of([algebra.same_expression(a, b) for a, b in zip(first, second, strict=True)])


def _progression(parts: tuple[str, ...]) -> list[Any] | None:
    """(first term, difference, last term) of a, b, …, z; None if the terms that stand there are no such sequence."""
    from sympy import Integer, oo

    if parts.count("") != 1 or not parts[0]:
        return None
    gap = parts.index("")
    head: list[Any]
    tail: list[Any]
    head, tail = ([algebra.parse(part) for part in side] for side in (parts[:gap], parts[gap + 1 :]))
    if None in head or None in tail:
        return None
    step = head[1] - head[0] if gap > 1 else Integer(1)
    steps = [(after - before - step).expand() for side in (head, tail) for before, after in pairwise(side)]
    return [head[0], step, tail[-1] if tail else oo] if not any(steps) else None
