r"""Are two values equal? Yes, no, or not to be told; by their kinds, in `RULES`.

The rules are symmetric: each is tried with its two values in either order. What has no rule is different, but for words
and what could not be parsed, of which nothing is said.
"""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from am_assets.verification.mathematics import algebra
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.regions import letters, region, same_region
from am_assets.verification.mathematics.units import Unit
from am_assets.verification.mathematics.values import (
    Contradiction,
    Equation,
    Group,
    Matrix,
    Named,
    Numeral,
    Piecewise,
    Range,
    Ratio,
    Region,
    Rounded,
    Term,
    Value,
    Words,
)

Told = bool | None


def all_of(told: Sequence[Told]) -> Told:
    """No if any is no, else untold if any is, else yes."""
    return False if False in told else None if None in told else True


def any_of(told: Sequence[Told]) -> Told:
    return True if True in told else None if None in told else False


def same_results(one: str, other: str, tolerance: float | None = None) -> Told:
    """Do two result strings mean the same?"""
    return any_of([same(a, b, tolerance) for a in readings(one) for b in readings(other)]) if one and other else False


def same(one: Value, other: Value, tolerance: float | None = None) -> Told:
    if one == other and not isinstance(one, Contradiction):
        return True
    for kinds, rule in RULES.items():
        for first, second in ((one, other), (other, one)):
            if isinstance(first, kinds[0]) and isinstance(second, kinds[1]):
                return rule(first, second, tolerance)
    return False


def _terms(one: Term, other: Term, tolerance: float | None) -> Told:
    """Numbers with their units: of one dimension, converted; a unit or noun that only one side names is ignored."""
    first, second = one.unit, other.unit
    number = partial(algebra.same, tolerance=tolerance)
    if first and first.dimension == "":
        return _terms(Term(_times(one.text, first.factor), None, one.noun), other, tolerance)
    if second and second.dimension == "":
        return _terms(one, Term(_times(other.text, second.factor), None, other.noun), tolerance)
    dimensions = [unit.dimension if unit else None for unit in (first, second)]
    if "percent" in dimensions and dimensions[0] != dimensions[1]:
        percent, bare = (one, other) if dimensions[0] == "percent" else (other, one)
        if bare.unit and bare.unit.dimension != "percent":
            return False
        share = number(_times(percent.text, Fraction(1, 100)), bare.text)
        alike = number(percent.text, bare.text)
        small = alike and (value := algebra.rational(bare.text)) is not None and abs(value) < 1
        return any_of([share, None if small else alike])  # 0.5 is 50 %; nobody says that it is not 0.5 %
    if first and second:
        if {*dimensions} == {"angle", "radian"} or first.dimension == second.dimension:
            return number(_in_base(one.text, first), _in_base(other.text, second)) if first != second else number(
                one.text, other.text
            )
        return None if {*dimensions} == {"time", "year"} else False
    equal = number(one.text, other.text)
    angle = first or second
    if angle and angle.dimension == "angle" and equal is not True:
        degrees, bare = (one, other) if first else (other, one)
        if "\\pi" in bare.text:
            return number(_in_base(degrees.text, angle), bare.text)
    if equal is not True and not (first or second):
        equal = _with_constants(one.text, other.text, equal)
    if equal and (one.noun or other.noun) and (first or one.noun) and (second or other.noun):
        return True if _same_noun(one, other) else None
    return equal


CONSTANT = re.compile(r"(.+)\+\s*([Cc])|([Cc])\s*\+(.+)", re.DOTALL)


def _with_constants(one: str, other: str, equal: Told) -> Told:
    """Antiderivatives: their constant may be left out, and two that have one may differ by a number."""
    found = [CONSTANT.fullmatch(text) for text in (one, other)]
    rests = [match[1] or match[4] if match else text for match, text in zip(found, (one, other), strict=True)]
    names = [match[2] or match[3] for match in found if match]
    if not names or not all(re.search(r"[a-zA-Z]", re.sub(r"\\[a-z]+", "", rest)) for rest in rests):
        return equal
    if any(re.search(rf"(?<![A-Za-z\\]){names[0]}(?![A-Za-z])", rest) for rest in rests):
        return equal
    told = algebra.same(*rests)
    if len(names) == 2 and told is not True:
        return True if algebra.constant_difference(*rests) else told
    return told if told is not True or len(names) == 2 or names == ["C"] else None


def _same_noun(one: Term, other: Term) -> bool:
    """Have the nouns a word in common? A unit beside a noun has none."""
    words = [{word.removesuffix("s") for word in re.findall(r"\w+", term.noun)} for term in (one, other)]
    return bool(words[0] & words[1])


def _times(text: str, factor: Fraction) -> str:
    if (value := algebra.rational(text)) is not None:
        product = value * factor
        return rf"\frac{{{product.numerator}}}{{{product.denominator}}}" if product.denominator > 1 else str(product)
    return rf"({text})\cdot\frac{{{factor.numerator}}}{{{factor.denominator}}}"


def _in_base(text: str, unit: Unit) -> str:
    scaled = _times(text, unit.factor)
    return rf"({scaled})\cdot\frac{{\pi}}{{180}}" if unit.dimension == "angle" else scaled


def _numerals(one: Numeral, other: Numeral, tolerance: float | None) -> Told:
    """The same number; but the same digits in another base are a mistake that a single digit hides."""
    if one.digits == other.digits and one.base != other.base:
        return False
    return int(one.digits, one.base) == int(other.digits, other.base)


def _numeral_and_term(one: Numeral, other: Term, tolerance: float | None) -> Told:
    """A base that only one side names is ignored; the value in base ten may or may not be what was asked for."""
    if re.sub(r"[\s{}]|\\text", "", other.text).lstrip("0") == one.digits:
        return True
    return None if algebra.same(str(int(one.digits, one.base)), other.text) else False


def _ratios(one: Ratio, other: Ratio, tolerance: float | None) -> Told:
    """Ratios in proportion. Two digits after a colon may be minutes, which are compared as they stand."""
    if len(one.parts) != len(other.parts) or (one.half and other.half and one.half != other.half):
        return False
    told = all_of([algebra.same(a, b) for a, b in zip(one.parts, other.parts, strict=True)])
    if told or all(re.fullmatch(r"\d\d", part) for ratio in (one, other) for part in ratio.parts[1:]):
        return told
    cross = zip(one.parts, one.parts[1:], other.parts, other.parts[1:], strict=False)
    return all_of([algebra.same(rf"({a})\cdot({d})", rf"({b})\cdot({c})") for a, b, c, d in cross])


def _ratio_and_term(one: Ratio, other: Term, tolerance: float | None) -> Told:
    if len(one.parts) != 2 or other.unit:
        return False
    return algebra.same(rf"\frac{{{one.parts[0]}}}{{{one.parts[1]}}}", other.text)


def _groups(one: Group, other: Group, tolerance: float | None) -> Told:
    """Points in order, and with the same brackets if there are two; lists and sets in any order."""
    kinds = {one.kind, other.kind}
    if kinds == {"point"}:
        if len(one.items) == 2 and one.brackets != other.brackets:
            return False
        return _in_order(one.items, other.items, tolerance)
    if kinds == {"point", "set"}:
        return False
    if kinds == {"point", "list"}:
        point, bare = (one, other) if one.kind == "point" else (other, one)
        told = _in_order(point.items, bare.items, tolerance)
        return None if told and len(point.items) == 2 and region(point) is not None else told  # or two ends of an interval
    if kinds == {"list"} and (nouns := _by_noun(one, other, tolerance)) is not None:
        return nouns
    if "set" in kinds:
        return all_of([_each_in(one, other, tolerance), _each_in(other, one, tolerance)])
    return _in_any_order(list(one.items), list(other.items), tolerance)


def _by_noun(one: Group, other: Group, tolerance: float | None) -> Told:
    """Counts of different things go by their nouns: "12 chickens, 18 rabbits"; None if not all items have one."""
    nouns = [[item.noun for item in group.items if isinstance(item, Term) and item.noun] for group in (one, other)]
    if any(len(set(found)) != len(group.items) for found, group in zip(nouns, (one, other), strict=True)):
        return None
    pairs = [
        same(a, b, tolerance)
        for a in one.items
        for b in other.items
        if isinstance(a, Term) and isinstance(b, Term) and _same_noun(a, b)
    ]
    return all_of(pairs) if len(pairs) == len(one.items) == len(other.items) else None


def _in_order(one: Sequence[Value], other: Sequence[Value], tolerance: float | None) -> Told:
    if len(one) != len(other):
        return False
    return all_of([same(a, b, tolerance) for a, b in zip(one, other, strict=True)])


def _in_any_order(one: list[Value], other: list[Value], tolerance: float | None) -> Told:
    if len(one) != len(other):
        return False
    left = list(other)
    untold = False
    for item in one:
        told = [same(item, candidate, tolerance) for candidate in left]
        if True in told:
            left.pop(told.index(True))
        elif None in told:
            untold = True
        else:
            return False
    return None if untold else True


def _each_in(one: Group, other: Group, tolerance: float | None) -> Told:
    return all_of([any_of([same(item, candidate, tolerance) for candidate in other.items]) for item in one.items])


def _group_and_term(one: Group, other: Term, tolerance: float | None) -> Told:
    """The empty set, components of a vector in unit vectors; else one value is not several."""
    if one.kind == "point" and (parts := _components(other.text)):
        told = [algebra.same(a.text, b) for a, b in zip(one.items, parts, strict=False) if isinstance(a, Term)]
        return all_of(told) if len(told) == len(one.items) else None
    sets = region(one), region(other)
    return same_region(*sets) if sets[0] is not None and sets[1] is not None else False


def _components(text: str) -> list[str] | None:
    if "\\hat{" not in text:
        return None
    from sympy import Symbol, latex

    expression = algebra.parse(text)
    if expression is None:
        return None
    axes = [Symbol(f"hat{{{axis}}}") for axis in "ijk"]
    return [latex(expression.expand().coeff(axis)) for axis in axes if axis.name != "hat{k}" or expression.has(axis)]


def _ranges(one: Range, other: Range, tolerance: float | None) -> Told:
    """Lists with an ellipsis: part by part, or as the arithmetic sequences that their first and last terms make."""
    if {one.kind, other.kind} == {"point", "set"}:
        return False
    if len(one.parts) == len(other.parts):
        told = all_of([not a and not b or bool(a and b) and algebra.same(a, b) for a, b in zip(one.parts, other.parts, strict=True)])
        if told:
            return True
    first, second = _progression(one.parts), _progression(other.parts)
    if first is None or second is None:
        return None
    return all_of([algebra.same_expression(a, b) for a, b in zip(first, second, strict=True)])


def _progression(parts: tuple[str, ...]) -> list[Any] | None:
    """(first term, difference, last term) of a, b, …, z; None if the terms that stand there are no such sequence."""
    from sympy import Integer

    terms = [algebra.parse(part) if part else None for part in parts]
    if parts.count("") != 1 or any(term is None and part for term, part in zip(terms, parts, strict=True)):
        return None
    gap = parts.index("")
    if gap == 0:
        return None
    head, tail = terms[:gap], terms[gap + 1 :]
    step = head[1] - head[0] if gap > 1 else Integer(1)  # type: ignore[operator]
    known = [(b - a - step).expand() == 0 for a, b in zip(head, head[1:], strict=False)]  # type: ignore[operator]
    known += [(b - a - step).expand() == 0 for a, b in zip(tail, tail[1:], strict=False)]  # type: ignore[operator]
    return [head[0], step, tail[-1] if tail else Integer(0)] if all(known) else None


def _regions(one: Value, other: Value, tolerance: float | None) -> Told:
    """Sets of reals by their pieces; comparisons of several letters side by side."""
    first, second = region(one), region(other)
    told = same_region(first, second) if first is not None and second is not None else None
    if told is not None:
        if told and isinstance(one, Region) and isinstance(other, Region):
            names = [{str(letter) for letter in letters(value)} for value in (one, other)]
            return told if not all(names) or names[0] == names[1] else None
        return told
    if not (isinstance(one, Region) and isinstance(other, Region)):
        return None if _symbolic(other) else False
    if one.operator == other.operator == "compare":
        return _chains(one, other)
    if one.operator == other.operator and one.operator != "without":
        return _in_any_order(list(one.operands), list(other.operands), tolerance)  # type: ignore[arg-type]
    return None


def _symbolic(value: Value) -> bool:
    """Is `value` a pair that has letters, and may be an interval?"""
    items = value.items if isinstance(value, Group) else ()
    found = [algebra.parse(item.text) for item in items if isinstance(item, Term)]
    return any(part is not None and bool(part.free_symbols) for part in found)


FLIPPED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le", "\\ne": "\\ne"}


def _chains(one: Region, other: Region) -> Told:
    """Chains of comparisons: the same sides in one direction or the other; a single one also up to a positive factor."""
    turned = tuple(FLIPPED.get(str(part), part) for part in reversed(other.operands))
    told = [_same_chain(one.operands, operands) for operands in (other.operands, turned)]
    if True in told or len(one.operands) != 3 or len(other.operands) != 3:
        return any_of(told)
    for operands in (other.operands, turned):
        if one.operands[1] != operands[1]:
            continue
        ratio = _ratio_of(_difference(*one.operands[::2]), _difference(*operands[::2]))
        if ratio is not None and ratio.is_number and (ratio.is_positive or one.operands[1] == "\\ne"):
            return True
    return any_of(told)


def _same_chain(one: Sequence[Any], other: Sequence[Any]) -> Told:
    if one[1::2] != other[1::2]:
        return False
    return all_of([algebra.same(str(a), str(b)) for a, b in zip(one[::2], other[::2], strict=True)])


def _difference(left: Any, right: Any) -> Any:
    sides = algebra.parse(str(left)), algebra.parse(str(right))
    return None if sides[0] is None or sides[1] is None else sides[0] - sides[1]


def _ratio_of(one: Any, other: Any) -> Any:
    """one / other, reduced; None if it cannot be told or either is zero."""
    from sympy import cancel, fraction, together

    if one is None or other is None:
        return None
    tops = [fraction(together(side))[0].expand() for side in (one, other)]
    return None if 0 in tops else cancel(tops[0] / tops[1])


def _equations(one: Equation, other: Equation, tolerance: float | None) -> Told:
    """Equations whose sides differ by the same expression, up to a constant factor."""
    first, second = _difference(one.left, one.right), _difference(other.left, other.right)
    if first is None or second is None:
        return None
    if 0 in (first.expand(), second.expand()):
        return None  # true of everything
    ratio = _ratio_of(first, second)
    if ratio is not None and ratio.is_number:
        return True
    return all_of([algebra.same(one.left, other.left), algebra.same(one.right, other.right)]) or False


def _named_and_equation(one: Named, other: Equation, tolerance: float | None) -> Told:
    if len(one.pairs) != 1 or not isinstance(one.pairs[0][1], Term):
        return None
    return _equations(Equation(_symbols(one.pairs[0][0]), one.pairs[0][1].text), other, tolerance)


def _symbols(name: str) -> str:
    return re.sub(r"_(\w+)", r"_{\1}", name)


def _named(one: Named, other: Named, tolerance: float | None) -> Told:
    """Names with the same values each; two single names that differ name one value or another, which is not told."""
    first, second = _by_name(one), _by_name(other)
    if first.keys() == second.keys():
        return all_of([_values(first[name], second[name], tolerance) for name in first])
    if len(first) == len(second) == 1:
        (a,), (b,) = first.items(), second.items()
        if len(a[1]) == len(b[1]) == 1 and isinstance(a[1][0], Term) and isinstance(b[1][0], Term):
            swapped = _equations(Equation(_symbols(a[0]), a[1][0].text), Equation(_symbols(b[0]), b[1][0].text), None)
            if swapped:
                return True
        told = _values(a[1], b[1], tolerance)
        return told if told is False or _worded(a[0]) or _worded(b[0]) else None
    shared = first.keys() & second.keys()
    told = all_of([_values(first[name], second[name], tolerance) for name in shared])
    return False if not shared or told is False else None


def _worded(name: str) -> bool:
    return len(re.sub(r"_.*|\(.*|\\", "", name)) > 1


def _by_name(value: Named) -> dict[str, list[Value]]:
    """The values of each name; a tuple of names with one point is taken apart."""
    found: dict[str, list[Value]] = {}
    for name, one in value.pairs:
        names = name.strip("()").split(",") if name.startswith("(") else []
        alone = sum(other == name for other, _ in value.pairs) == 1
        if alone and isinstance(one, Group) and len(names) == len(one.items):
            for part, item in zip(names, one.items, strict=True):
                found.setdefault(part, []).append(item)
        else:
            items = one.items if isinstance(one, Group) and one.kind in ("list", "set") else (one,)
            found.setdefault(name, []).extend(items)
    return found


def _values(one: list[Value], other: list[Value], tolerance: float | None) -> Told:
    return same(one[0], other[0], tolerance) if len(one) == len(other) == 1 else _in_any_order(one, other, tolerance)


def _named_and_bare(one: Named, other: Value, tolerance: float | None) -> Told:
    """A value without its name; several names in their order."""
    found = _by_name(one)
    if len(found) == 1:
        (values,) = found.values()
        if len(values) == 1:
            return same(values[0], other, tolerance)
        return same(Group("list", tuple(values)), other, tolerance)
    if isinstance(other, Group) and other.kind != "set" and all(len(values) == 1 for values in found.values()):
        return _in_order([values[0] for values in found.values()], other.items, tolerance)
    return False


def _piecewise(one: Piecewise, other: Piecewise, tolerance: float | None) -> Told:
    """The same values under the same conditions, in any order."""
    if len(one.rows) != len(other.rows):
        return None
    left = list(other.rows)
    told: list[Told] = []
    for value, condition in one.rows:
        matches = [_same_condition(condition, row[1]) for row in left]
        if True not in matches:
            told.append(None if None in matches or any("otherwise" in row[1] for row in (*one.rows, *other.rows)) else False)
            continue
        told.append(same(value, left.pop(matches.index(True))[0], tolerance))
    return all_of(told)


def _same_condition(one: str, other: str) -> Told:
    spelled = [re.sub(r"\\text|[\s{}]", "", condition).casefold() for condition in (one, other)]
    return True if spelled[0] == spelled[1] else same_results(one, other)


def _matrices(one: Matrix, other: Matrix, tolerance: float | None) -> Told:
    if [len(row) for row in one.rows] != [len(row) for row in other.rows]:
        return False
    cells = zip(sum(one.rows, ()), sum(other.rows, ()), strict=True)
    return all_of([algebra.same(a, b, tolerance) for a, b in cells])


def _matrix_and_point(one: Matrix, other: Group, tolerance: float | None) -> Told:
    """A column or row of numbers is the point of these."""
    if other.kind != "point" or min(len(one.rows), len(one.rows[0])) != 1:
        return False
    return _in_order([Term(cell) for row in one.rows for cell in row], other.items, tolerance)


def _rounded(one: Rounded, other: Value, tolerance: float | None) -> Told:
    """An exact value with its approximation is the exact value, if the one is near the other."""
    if one.exact is None:
        return None if same(Term(one.decimal), other, tolerance) else False
    return same(one.exact, other, tolerance) if consistent(one) else False


def consistent(value: Rounded) -> bool:
    """Is the decimal within one unit of its last place of the exact value?"""
    number = readings(value.decimal)
    exact = value.exact
    while isinstance(exact, Named) and len(exact.pairs) == 1:
        exact = exact.pairs[0][1]
    if not isinstance(exact, Term) or not number or not isinstance(number[0], Term):
        return False
    places = re.search(r"\.(\d+)", number[0].text)
    close = algebra.parse(f"({exact.text})-({number[0].text})")
    if close is None or not close.is_number:
        return False
    return bool(abs(close.evalf(30)) <= Fraction(1, 10 ** len(places[1]) if places else 1))


def _words(one: Words, other: Value, tolerance: float | None) -> Told:
    """Words and formulas that no rule reads: the same text, or nothing is said."""
    texts = [re.sub(r"\\text|[\s{}]", "", value.text) for value in (one, other) if isinstance(value, Words | Term)]
    return True if len(texts) == 2 and texts[0] == texts[1] else None


def _with_contradiction(one: Value, other: Value, tolerance: float | None) -> Told:
    return False


RULES: dict[tuple[Any, Any], Callable[..., Told]] = {
    (Contradiction, Value): _with_contradiction,
    (Words, Value): _words,
    (Rounded, Value): _rounded,
    (Term, Term): _terms,
    (Numeral, Numeral): _numerals,
    (Numeral, Term): _numeral_and_term,
    (Ratio, Ratio): _ratios,
    (Ratio, Term): _ratio_and_term,
    (Equation, Equation): _equations,
    (Named, Equation): _named_and_equation,
    (Named, Named): _named,
    (Region, Region): _regions,
    (Region, Group): _regions,
    (Region, Term): _regions,
    (Named, Value): _named_and_bare,
    (Group, Group): _groups,
    (Matrix, Matrix): _matrices,
    (Matrix, Group): _matrix_and_point,
    (Group, Term): _group_and_term,
    (Range, Range): _ranges,
    (Piecewise, Piecewise): _piecewise,
}
