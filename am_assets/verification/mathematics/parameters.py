r"""Expressions with a letter that stands for any integer, or any constant: its name is no part of what they say.

A qualifier, as in `\frac{\pi}{4} + k\pi, k \in \mathbb{Z}`, has its letters read as bound (`k_{Z}`, `c_{R}`). An
expression without one may mean the same by letters that only it has.
"""

import re
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from am_assets.verification.mathematics import algebra
from am_assets.verification.mathematics.notation import letters
from am_assets.verification.mathematics.told import Told, all_of

INTEGER = "k_{Z}"
BOUND = re.compile(r"[A-Za-z]_\{[ZNPR]\}")  # an integer, a natural or positive number, a constant
BY_CUSTOM = [re.compile("[k-n]"), re.compile(r"[ABCKck](?:_\w)?")]  # integers and constants that nobody introduces
ARBITRARY = re.compile(r"[CcKk](?:_\w)?")  # the names that constants of integration have
UNBOUND = {*"eixyz"}  # whatever is said of another letter
MOST_CONSTANTS = 2


def renamed(text: str, letter: str, name: str = INTEGER) -> str:
    """`text` with its `letter` as `name`, that of any integer."""
    found = re.compile(rf"\\text\{{[^{{}}]*\}}|\\[A-Za-z]+|{re.escape(letter)}(?!_)")
    return found.sub(lambda part: name if part[0] == letter else part[0], text)


def same(one: str, other: str, tolerance: float | None = None) -> Told:
    """As `algebra.same`, but for the names of such letters. With bound ones on either side, two expressions are equal
    where they run through the same values; without one nothing is told of two that are equal by other names."""
    told = together([one], [other], tolerance)
    if told is False and letters(one) and letters(other) and not BOUND.search(one + other):
        return _renamed(one, other)
    return told


def together(ones: Sequence[str], others: Sequence[str], tolerance: float | None = None) -> Told:
    """Are expressions equal one by one, with one meaning of each bound letter: (k, -k) is not (k, k)?"""
    told = all_of([algebra.same(one, other, tolerance) for one, other in zip(ones, others, strict=True)])
    sides = ["\n".join(ones), "\n".join(others)]
    bound = [sorted({found[0] for found in BOUND.finditer(side)}) for side in sides]
    if told or not any(bound):
        return told
    if not all(bound):
        if bound[1]:
            ones, others, sides, bound = others, ones, sides[::-1], bound[::-1]
        own = sorted(letters(sides[1]) - letters(BOUND.sub("", sides[0])) - UNBOUND)
        if len(own) != len(bound[0]):
            return told
        for letter, name in zip(own, bound[0], strict=True):
            others = [renamed(text, letter, name) for text in others]
        bound[1] = bound[0]
    if len(bound[0]) != len(bound[1]) or len(bound[0]) > MOST_CONSTANTS:
        return told
    for order in permutations(bound[1]):
        names = dict(zip(order, bound[0], strict=True))
        moved = [_called(text, names) for text in others]
        if all(algebra.same(one, other) for one, other in zip(ones, moved, strict=True)):
            return True if all(a[-2] == b[-2] for a, b in names.items()) else None  # integers, natural numbers
    if bound[0][0].endswith("{Z}") and len(bound[0]) == 1:
        by_integer = ([BOUND.sub(INTEGER, text) for text in side] for side in (ones, others))
        return True if _same_values(*by_integer) else told
    return told


def _called(text: str, names: dict[str, str]) -> str:
    return BOUND.sub(lambda found: names[found[0]], text)


def _same_values(ones: Sequence[str], others: Sequence[str]) -> bool:
    r"""Do sequences a + bk take the same values side by side, as -\frac{\pi}{4} + k\pi and \frac{3\pi}{4} + k\pi do?"""
    moves = set()
    for one, other in zip(ones, others, strict=True):
        first, second = _sequence(one), _sequence(other)
        if first is None or second is None or not first[1] or not second[1]:
            if algebra.same(one, other):
                continue
            return False
        moves.add(((first[1] / second[1]).simplify(), ((first[0] - second[0]) / second[1]).simplify()))
    return len(moves) == 1 and all(abs(steps) == 1 and bool(apart.is_integer) for steps, apart in moves)


def any_integer(text: str) -> tuple[Any, Any] | None:
    """Start and step of 7k + 3, whose only letter stands for any integer."""
    text = BOUND.sub(INTEGER, text)
    own = letters(text.replace(INTEGER, ""))
    if INTEGER not in text and len(own - UNBOUND) == len(own) == 1:
        text = renamed(text, own.pop())
    return _sequence(text) if INTEGER in text and not own else None


def _sequence(text: str) -> tuple[Any, Any] | None:
    """Start and step; None where it has no constant one."""
    from sympy import Symbol

    expression, k = algebra.parse(text), Symbol("k_Z")
    if expression is None:
        return None
    step = expression.expand().diff(k)
    return None if step.has(k) else (expression.subs(k, 0), step)


def _renamed(one: str, other: str) -> bool | None:
    """Are two expressions equal, once letters that only one has, and that may be such, have the names of the other? Yes
    for constants that one side calls C or K before functions of a letter that both have, and for integers of which a
    multiple of pi is added; else it is not told."""
    from sympy import pi

    first, second = algebra.parse(one), algebra.parse(other)
    if first is None or second is None:
        return False
    ours = sorted(first.free_symbols - second.free_symbols, key=str)
    theirs = sorted(second.free_symbols - first.free_symbols, key=str)
    if not ours and not theirs:  # C_1 and C_2 may change places
        ours = theirs = sorted((each for each in first.free_symbols if ARBITRARY.fullmatch(str(each))), key=str)
    if not 0 < len(ours) == len(theirs) <= MOST_CONSTANTS:
        return False
    if not any(all(custom.fullmatch(str(symbol)) for symbol in (*ours, *theirs)) for custom in BY_CUSTOM):
        return False
    names = (dict(zip(ours, order, strict=True)) for order in permutations(theirs))
    if not any(algebra.same_expression(first.xreplace(name), second) for name in names):
        return False
    if BY_CUSTOM[0].fullmatch(str(ours[0])):
        return True if len(ours) == 1 and (first.diff(ours[0]) / pi).is_Rational else None
    arbitrary = any(all(ARBITRARY.fullmatch(str(symbol)) for symbol in letters) for letters in (ours, theirs))
    return True if arbitrary and _before_functions(first, {*ours}) else None


def _before_functions(expression: Any, constants: set[Any]) -> bool:
    """Is it made of exponentials or trigonometric functions, and no constant within them?"""
    from sympy import exp
    from sympy.functions.elementary.trigonometric import TrigonometricFunction

    functions = expression.atoms(exp, TrigonometricFunction)
    return bool(functions) and all(each.free_symbols and not each.free_symbols & constants for each in functions)
