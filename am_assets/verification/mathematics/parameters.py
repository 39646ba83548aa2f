r"""Expressions with a letter that stands for any integer, or any constant: its name is no part of what they say.

A qualifier, as in `\frac{\pi}{4} + k\pi, k \in \mathbb{Z}`, has its letter read as `INTEGER`. An expression without one
may mean the same by a letter that only it has.
"""

import re
from itertools import permutations
from typing import Any

from am_assets.verification.mathematics import algebra
from am_assets.verification.mathematics.notation import letters

INTEGER = "k_{Z}"
BY_CUSTOM = [re.compile("[k-n]"), re.compile(r"[ABCKck](?:_\w)?")]  # integers and constants that nobody introduces
ARBITRARY = re.compile(r"[CcKk](?:_\w)?")  # the names that constants of integration have
NO_INTEGERS = {*"eixyz"}  # whatever is said of another letter
MOST_CONSTANTS = 2


def renamed(text: str, letter: str, name: str = INTEGER) -> str:
    """`text` with its `letter` as `name`, that of any integer."""
    found = re.compile(rf"\\text\{{[^{{}}]*\}}|\\[A-Za-z]+|{re.escape(letter)}(?!_)")
    return found.sub(lambda part: name if part[0] == letter else part[0], text)


def same(one: str, other: str, tolerance: float | None = None) -> bool | None:
    """As `algebra.same`, but for the names of such letters. With an integer on either side, two expressions are equal
    where they run through the same values; without one nothing is told of two that are equal by other names."""
    told = algebra.same(one, other, tolerance)
    if told or not (letters(one) and letters(other)):
        return told
    either = [text for text in (one, other) if INTEGER in text]
    if not either:
        return _renamed(one, other) if told is False else told
    if len(either) == 1:
        bare = other if INTEGER in one else one
        own = letters(bare) - letters(either[0].replace(INTEGER, "")) - NO_INTEGERS
        if len(own) != 1:
            return told
        one, other = either[0], renamed(bare, own.pop())
    return True if algebra.same(one, other) or _same_values(one, other) else told


def _same_values(one: str, other: str) -> bool:
    r"""Do two sequences a + bk take the same values, as -\frac{\pi}{4} + k\pi and \frac{3\pi}{4} + k\pi do?"""
    first, second = _sequence(one), _sequence(other)
    if first is None or second is None or not first[1] or not second[1]:
        return False
    steps, apart = (first[1] / second[1]).simplify(), ((first[0] - second[0]) / first[1]).simplify()
    return abs(steps) == 1 and bool(apart.is_integer)


def any_integer(text: str) -> tuple[Any, Any] | None:
    """Start and step of 7k + 3, whose only letter stands for any integer."""
    own = letters(text.replace(INTEGER, ""))
    if INTEGER not in text and len(own - NO_INTEGERS) == len(own) == 1:
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
