"""Values with names: x = 2, y = 5, or f(x) = x^2."""

import re
from dataclasses import replace

from am_assets.verification.mathematics.notation import letters
from am_assets.verification.mathematics.parameters import renamed
from am_assets.verification.mathematics.rules.relations import equations
from am_assets.verification.mathematics.told import Equality, Told, all_of, in_any_order, in_order
from am_assets.verification.mathematics.values import Equation, Group, Matrix, Named, Term, Value

COORDINATES = {"x", "y", "z"}
OF_A_LETTER = re.compile(r"([a-zA-Z](?:_\w+)?)\(([a-z])\)")
FUNCTION = re.compile(r"[a-zA-Z](?:_\w+)?\([xt]\)")
ROOT = re.compile(r"(x|t|z|\\lambda)_\{?(\d)\}?")  # of an equation: x_1, x_2, which have no order


def named(one: Named, other: Named, same: Equality) -> Told:
    """The same values for each name. Of single names that differ, as of names that only one side has, nothing is told,
    unless the equations are the same (x = 2y and y = x/2) or a name is a word."""
    one = _of_the_letter(one, other)
    first, second = by_name(one), by_name(other)
    rows, others = solutions(one), solutions(other)
    if rows and others and rows[0].keys() == others[0].keys():
        names = sorted(rows[0])
        return same.values(_points(rows, names), _points(others, names))
    for roots, named_so in ((first, second), (second, first)):
        if [*named_so] == [_letter_of(roots)]:
            return in_any_order([each[0] for each in roots.values()], next(iter(named_so.values())), same)
    if first.keys() == second.keys():
        told = all_of([_values(first[name], second[name], same) for name in first])
        if told is False and _letter_of(first) and in_any_order(_alone(first), _alone(second), same):
            return None  # x_1 = 2, x_2 = 3 of an equation, or of a system
        if told and all(len(values) == 1 for values in (*first.values(), *second.values())):
            told = same.together(*([values[name][0] for name in first] for values in (first, second)))
        return None if told and (rows or others) else told  # which belong together is not told by one side
    if len(first) == len(second) == 1:
        sides = _equation(one), _equation(other)
        if sides[0] and sides[1] and equations(sides[0], sides[1], same):
            return True
        (values,), (its,) = first.values(), second.values()
        told = _values(values, its, same)
        return told if told is False or _one_word(*first, *second) or _one_function(*first, *second) else None
    shared = first.keys() & second.keys()
    told = all_of([_values(first[name], second[name], same) for name in shared])
    if not shared and any(len(name) > 1 and name.isalpha() for name in (*first, *second)):  # length and width, l and w
        told = in_any_order([each for _, each in one.pairs], [each for _, each in other.pairs], same)
        return told and None
    return None if shared and told is not False else False


def _of_the_letter(one: Named, other: Named) -> Named:
    """f(t) = t^2 as f(x) = x^2, where the other function of this name is one of x."""
    found = [OF_A_LETTER.fullmatch(value.pairs[0][0]) for value in (one, other)]
    value = one.pairs[0][1]
    if len(one.pairs) > 1 or not (found[0] and found[1] and isinstance(value, Term)) or found[0][1] != found[1][1]:
        return one
    if found[1][2] in letters(value.text):
        return one
    return Named(((found[1][0], replace(value, text=renamed(value.text, found[0][2], found[1][2]))),))


def by_name(value: Named) -> dict[str, list[Value]]:
    """The values of each name; a tuple of names with one point is taken apart."""
    found: dict[str, list[Value]] = {}
    several_solutions = bool(solutions(value))
    for name, one in value.pairs:
        parts = name.strip("()").split(",") if name.startswith("(") else []
        alone = sum(other == name for other, _ in value.pairs) == 1
        if alone and not several_solutions and isinstance(one, Group) and len(parts) == len(one.items):
            for part, item in zip(parts, one.items, strict=True):
                found.setdefault(part, []).append(item)
        else:
            several = isinstance(one, Group) and one.kind in ("list", "set")
            found.setdefault(name, []).extend(one.items if several and isinstance(one, Group) else [one])
    return found


def solutions(value: Named) -> list[dict[str, Value]]:
    """Several solutions in several names, "x = 2, y = 3 or x = 4, y = 5" or "(x, y) = (2, 3), (4, 5)"; none if there is
    one, or it is not said which values belong together."""
    (first, one), *_ = value.pairs
    names = list(dict.fromkeys(name for name, _ in value.pairs))
    if len(names) == 1 and first.startswith("("):
        names = first.strip("()").split(",")
        listed = one.items if len(value.pairs) == 1 and isinstance(one, Group) else [each for _, each in value.pairs]
        points = [each.items for each in listed if isinstance(each, Group) and len(each.items) == len(names)]
        rows = [dict(zip(names, point, strict=True)) for point in points] if len(points) == len(listed) else []
    elif indexed := _indexed(value):
        names, rows = list(indexed[0]), indexed
    else:
        rows = [dict(value.pairs[at : at + len(names)]) for at in range(0, len(value.pairs), len(names))]
    return rows if len(rows) > 1 < len(names) and all(row.keys() == {*names} for row in rows) else []


def _indexed(value: Named) -> list[dict[str, Value]]:
    """x_1 = 3, y_1 = 1, x_2 = -1, y_2 = 4, by their indices."""
    rows: dict[str, dict[str, Value]] = {}
    for name, one in value.pairs:
        letter, _, index = name.partition("_")
        if not index.isdigit() or letter in rows.setdefault(index, {}):
            return []
        rows[index][letter] = one
    return [*rows.values()] if len(rows) > 1 < len(min(rows.values(), key=len)) else []


def _points(rows: list[dict[str, Value]], names: list[str]) -> Group:
    return Group("list", tuple(Group("point", tuple(row[name] for name in names), "()") for row in rows))


def _letter_of(found: dict[str, list[Value]]) -> str | None:
    """The letter of which all names are roots, numbered from 1 on, with one value each."""
    read = [ROOT.fullmatch(name) for name in found]
    if len(read) < 2 or any(one is None or len(found[one[0]]) > 1 for one in read):
        return None
    numbers = [int(one[2]) for one in read if one]
    letters = {one[1] for one in read if one}
    return letters.pop() if len(letters) == 1 and numbers == [*range(1, len(read) + 1)] else None


def _alone(found: dict[str, list[Value]]) -> list[Value]:
    return [values[0] for values in found.values()]


def _values(one: list[Value], other: list[Value], same: Equality) -> Told:
    return same.values(one[0], other[0]) if len(one) == len(other) == 1 else in_any_order(one, other, same)


def _one_function(one: str, other: str) -> bool:
    """Are two names those of the same function: y and y(x), y and f(x), or y' and f'(x)?"""
    if one.count("'") != other.count("'"):
        return False
    bare, of_x = sorted((name.replace("'", "") for name in (one, other)), key=len)
    return bool(FUNCTION.fullmatch(of_x)) and (of_x.startswith(f"{bare}(") or (bare, of_x[-3:]) == ("y", "(x)"))


def _one_word(one: str, other: str) -> bool:
    """May two names be one, since one of them is a word: Area and S? Of two words one has to be in the other."""
    bare, word = sorted((re.sub(r"_.*|\(.*|\\|'", "", name).casefold() for name in (one, other)), key=len)
    return len(word) > 1 and (len(bare) < 2 or (bare in word and not ("(" in one and "(" in other)))


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
    if isinstance(other, Matrix) and len(found) > 1 and {len(row) for row in other.rows} == {1}:
        other = Group("point", tuple(Term(cell) for (cell,) in other.rows), "()")
    if len(found) == 1:
        (values,) = found.values()
        if isinstance(other, Group) and any(isinstance(item, Equation) for item in other.items):
            return in_any_order([Named(((name, value),)) for name, value in one.pairs], other.items, same)
        return same.values(values[0] if len(values) == 1 else Group("list", tuple(values)), other)
    items = other.items if isinstance(other, Group) else ()
    if any(isinstance(item, Named) for item in items):
        return None  # x = 2 or y = 3
    if items and all(isinstance(each, Group) for each in (*items, *(value for _, value in one.pairs))):
        return in_any_order([value for _, value in one.pairs], items, same)  # A(1,2), B(3,4)
    if not isinstance(other, Group) and len({value for _, value in one.pairs}) == 1:  # x = y = 1
        return same.values(one.pairs[0][1], other)
    if rows := solutions(one):
        names = [*rows[0]]
        return same.values(_points(rows, sorted(names) if COORDINATES.issuperset(names) else names), other)
    if isinstance(other, Group) and other.kind != "point" and _letter_of(found):
        return in_any_order([values[0] for values in found.values()], other.items, same)
    if isinstance(other, Group) and other.kind != "set" and all(len(values) == 1 for values in found.values()):
        told = in_order([values[0] for values in found.values()], other.items, same)
        if list(found) == sorted(found) or not COORDINATES.issuperset(found):
            return told
        return in_order([found[name][0] for name in sorted(found)], other.items, same) or (None if told else told)
    return False
