r"""Are two expressions equal? Exactly, and in three values: yes, no, and not to be told.

An expression is parsed by math-verify's grammar (latex2sympy2-extended), its decimals read as exact fractions. Two
whole numbers or fractions are compared as such. Else numbers at random points come first: one point where the two
differ refutes, within milliseconds. What they cannot tell apart algebra has to prove; where it cannot, nothing is said.
Everything here runs in a worker process that is killed on timeout.
"""

import random
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympy import Expr

RATIONAL = re.compile(
    r"([-+]?)\s*(?:\(?([-+]?\d{1,400}(?:\.\d{1,400})?)\)?(?:\s*/\s*\(?(-?\d{1,400}(?:\.\d{1,400})?)\)?)?"
    r"|\\frac\{([-+]?\d{1,400}(?:\.\d{1,400})?)\}\{([-+]?\d{1,400}(?:\.\d{1,400})?)\})"
)
MIXED = re.compile(r"(-?)\((\d{1,99})\+\\frac\{(\d{1,99})\}\{(\d{1,99})\}\)")
POWER_OF_TEN = re.compile(r"([-+]?\d{1,400}(?:\.\d{1,400})?)\s*\\(?:times|cdot)\s*10\^\{([-+]?\d{1,3})\}")
DECIMAL = re.compile(r"(?<![\w.])(\d{1,400})\.(\d{1,400})")
ANGLE = re.compile(r"\\angle\s*([A-Z]{3})(?![A-Za-z])")  # no product
PRIME = re.compile(r"([A-Za-z])('+)")
DEGREES = re.compile(r"(\d{1,400})\s*\^\\circ(?![A-Za-z])")
PRODUCT = re.compile(
    r"(?<=[\d)])\s*(?=\()|(?<=\))\s*(?=\d|\\frac|\\binom)|(?<=\d)\s*(?=\\frac|\\binom|e(?![A-Za-z]))"
)  # the grammar adds numbers side by side
CHOOSE = re.compile(r"\\binom\{(\d{1,4})\}\{(\d{1,4})\}")
APART = re.compile(r"\d\s+\d")  # digits side by side, which the grammar would add
UNREAD = re.compile(
    r"\d\s*'|!!|\\(?:gcd|lcm)[^)]*[a-zA-Z][^)]*\)|\\text|\\ldots|[;?#@&\"%]"
    r"|\\pm|\\mp|\\%|^[-+]?$|\\\\|\\[lg]e(?![a-z])|[<>]|(?<!_\{\w)="
)
WHOLE_PART = re.compile(r"(?<!sqrt)\[([^\[\],]+)\]")
COMMAND = re.compile(r"\s*(\\[A-Za-z]+)\s*")
SPACED_SIGN = re.compile(r"\s*([^\w\s])\s*")
POINTS = 6  # random points at which both expressions are defined
DIGITS = 40  # of precision at each of them
CLOSE = Fraction(1, 10**25)  # a relative difference below is rounding; algebra decides
HUGE = 10**7  # an exponent above makes an exact number that fills the memory


def rational(text: str) -> Fraction | None:
    """The value of a whole number, decimal, fraction or mixed number, without the grammar's milliseconds."""
    text = text.strip()
    if whole := RATIONAL.fullmatch(text):
        sign, number, under, over, below = whole.groups()
        bottom = Fraction(under or below or 1)
        return Fraction(number or over) / bottom * (-1 if sign == "-" else 1) if bottom else None
    if mixed := MIXED.fullmatch(text):
        value = Fraction(int(mixed[2])) + (Fraction(int(mixed[3]), int(mixed[4])) if int(mixed[4]) else 0)
        return -value if mixed[1] else value
    if scientific := POWER_OF_TEN.fullmatch(text):
        return Fraction(scientific[1]) * Fraction(10) ** int(scientific[2])
    return None


@lru_cache(2048)  # answers to one question come in sequence, with the same reference
def parse(text: str) -> "Expr | None":
    """`text` (see `notation.clean`) as an expression of sympy; None if it is none."""
    from sympy import I, Integer, Rational, Symbol

    if (value := rational(text)) is not None:
        return Rational(value.numerator, value.denominator)
    if UNREAD.search(re.sub(r"\\begin\{vmatrix\}.*\\end\{vmatrix\}", "x", text)) or APART.search(text):
        return None
    text = DECIMAL.sub(lambda m: rf"(\frac{{{int(m[1] + m[2])}}}{{1{'0' * len(m[2])}}})", text)
    text = CHOOSE.sub(lambda m: f"({comb(int(m[1]), int(m[2]))})", text)
    text = PRODUCT.sub(r"\\cdot ", re.sub(r"(?<![A-Za-z\\])([ie])\s*\(", r"\1\\cdot(", text))  # "i(3)" is no function
    text = DEGREES.sub(r"(\1\\cdot\\frac{\\pi}{180})", text)
    text = ANGLE.sub(r"\\alpha_{\1}", text)
    text = PRIME.sub(lambda m: rf"{m[1]}_{{{'p' * len(m[2])}}}", text)
    expression = _grammar(text)
    if expression is None:
        return None
    if Symbol("i") in expression.free_symbols:  # and no index of a sum
        expression = expression.xreplace({Symbol("i"): I})
    if any(power.exp.is_Integer and abs(power.exp) > HUGE for power in expression.atoms(_power())):
        return expression
    expression = expression.replace(_odd_root, lambda root: (-1) ** root.exp.p * (-root.base) ** root.exp)
    return expression.doit() if not expression.has(Integer(0) ** -1) else None


def _odd_root(part: Any) -> bool:
    """Is it an odd root of a negative number? That is a real one here, and complex to sympy."""
    odd = part.is_Pow and part.exp.is_Rational and part.exp.q % 2 == 1 and part.exp.q > 1
    return bool(odd and part.base.is_number and part.base.is_negative)


def _power() -> Any:
    from sympy import Pow

    return Pow


def _grammar(text: str) -> "Expr | None":
    from latex2sympy2_extended import NormalizationConfig, latex2sympy
    from latex2sympy2_extended.latex2sympy2 import ConversionConfig
    from sympy import Expr

    as_it_stands = NormalizationConfig(
        basic_latex=False, units=False, malformed_operators=False, nits=False, boxed="none", equations=False
    )
    conversion = ConversionConfig(interpret_as_mixed_fractions=False, lowercase_symbols=False)
    try:
        parsed = latex2sympy(text, normalization_config=as_it_stands, conversion_config=conversion)
    except Exception:  # the grammar raises bare exceptions on what it does not know
        return None
    return parsed if isinstance(parsed, Expr) else None


def same(first: str, second: str, tolerance: float | None = None) -> bool | None:
    """Are two expressions equal? None where that cannot be told; numbers within the relative `tolerance` are."""
    if first == second:
        return True
    exact = rational(first), rational(second)
    if exact[0] is not None and exact[1] is not None:
        return exact[0] == exact[1] or _within(exact[0], exact[1], tolerance)
    if "\\lfloor" in first + second:  # [x] is its whole part, as in school books
        first, second = (WHOLE_PART.sub(r"\\lfloor \1\\rfloor ", text) for text in (first, second))
    one, other = parse(first), parse(second)
    if one is None or other is None:
        return _unspaced(first) == _unspaced(second) or None
    result = same_expression(one, other, tolerance)
    if result is not True and "\\log" in first + second:  # a logarithm without a base has either of two
        natural = [parse(re.sub(r"\\log(?![_A-Za-z])", r"\\ln", text)) for text in (first, second)]
        if natural[0] is not None and natural[1] is not None and same_expression(natural[0], natural[1], tolerance):
            return True
    return result


def _unspaced(text: str) -> str:
    return SPACED_SIGN.sub(r"\1", COMMAND.sub(r"\1 ", text))


def constant_difference(first: str, second: str) -> bool:
    """Do two expressions differ by a number alone, as antiderivatives do?"""
    from sympy import Symbol, expand_log

    one, other = parse(first), parse(second)
    if one is None or other is None:
        return False
    positive = {symbol: Symbol(symbol.name, positive=True) for symbol in one.free_symbols | other.free_symbols}
    difference = expand_log((one - other).xreplace(positive), force=True).simplify()
    return bool(difference.is_number)


def _within(one: Any, other: Any, tolerance: float | None) -> bool:
    return bool(tolerance) and abs(one - other) <= Fraction(tolerance or 0) * max(abs(one), abs(other))


def same_expression(one: "Expr", other: "Expr", tolerance: float | None = None) -> bool | None:
    if one == other:
        return True
    symbols = one.free_symbols | other.free_symbols
    if symbols and one.free_symbols != other.free_symbols and _plain(one) and _plain(other):
        return False  # polynomials in other letters, once they are multiplied out
    seen, apart = 0, False
    for values in _points(symbols):
        pair = _number(one, values, DIGITS), _number(other, values, DIGITS)
        if pair[0] is None or pair[1] is None:
            continue
        seen += 1
        if not symbols and _close(*pair, CLOSE):  # constants once more, as they may be near each other by design
            pair = _number(one, values, 16 * DIGITS), _number(other, values, 16 * DIGITS)
        if not _close(*pair, CLOSE if symbols else CLOSE**16):
            if len(symbols) == 1 or all(value > 0 for value in values.values()):
                return not symbols and _within(_fraction(pair[0]), _fraction(pair[1]), tolerance)
            apart = True  # for lengths and masses, which are positive, they may be equal
        if seen == POINTS or not symbols:
            break
    return None if apart else _proved(one, other)


def _plain(expression: "Expr") -> bool:
    return bool(expression.is_polynomial(*expression.free_symbols)) and expression == expression.expand()


def _points(symbols: Any) -> Iterator[dict[Any, Any]]:
    """Points of both signs, small and larger, the same for the same letters. Exact, so that a power of -1 stays one."""
    from sympy import Integer, Rational

    draw = random.Random(len(symbols))
    ordered = sorted(symbols, key=str)
    for attempt in range(4 * POINTS if symbols else 1):
        if attempt % 4 == 3:  # whole numbers, for factorials, indices and powers of negative numbers
            yield {symbol: Integer(draw.randrange(2, 12)) for symbol in ordered}
        else:
            signs = [1, -1, draw.choice([1, -1])][attempt % 3]
            yield {
                symbol: Rational(draw.randrange(101, 997), 211) * (signs if attempt % 3 < 2 else draw.choice([1, -1]))
                for symbol in ordered
            }


def _number(expression: "Expr", values: dict[Any, Any], digits: int) -> Any:
    """The value at a point; None where it has none, or none that is real for real letters."""
    try:
        if values and not expression.has(_imaginary()) and not _real(expression, values):
            return None
        value = expression.xreplace(values).evalf(digits)
    except (TypeError, ValueError, ZeroDivisionError, AttributeError, OverflowError, NotImplementedError):
        return None
    if not value.is_number or not value.is_finite or value.is_finite is None:
        return value if not values and value.is_infinite else None
    if not all(part.is_Float or part.is_Rational for part in value.as_real_imag()):
        return None
    return None if values and not value.is_real and not expression.has(_imaginary()) else value


def _real(expression: "Expr", values: dict[Any, Any]) -> bool:
    """Is every root and logarithm in it one of a positive number? Roots of negative ones may multiply to real ones."""
    from sympy import Pow, log

    inner = [part.base for part in expression.atoms(Pow) if not part.exp.is_integer and not part.base.is_positive]
    inner += [part.args[0] for part in expression.atoms(log)]
    return all(part.xreplace(values).evalf(15).is_positive is not False for part in inner)


def _imaginary() -> Any:
    from sympy import I

    return I


def _close(one: Any, other: Any, near: Fraction) -> bool:
    from sympy import Rational

    if one.is_infinite or other.is_infinite:
        return bool(one == other)
    size = max(abs(one), abs(other))
    return bool(size == 0 or abs(one - other) <= size * Rational(near.numerator, near.denominator))


def _fraction(number: Any) -> Any:
    return Fraction(str(number)) if number.is_real and number.is_finite else float("nan")


def _proved(one: "Expr", other: "Expr") -> bool | None:
    """Do the two differ by zero, as algebra finds? Letters stand for positive numbers where they are defined."""
    from sympy import Dummy, cancel, expand_log, logcombine, powdenest, simplify, together

    if one.is_infinite or other.is_infinite:
        return bool(one == other)
    difference = one - other
    letters = {symbol: Dummy(symbol.name, positive=True) for symbol in difference.free_symbols}
    difference = difference.xreplace(letters)
    if not letters:
        if difference.is_Rational:
            return bool(difference == 0)
        return _zero(difference)
    for prove in (
        lambda d: d.expand(),
        lambda d: cancel(together(d)),
        lambda d: powdenest(d, force=True).simplify(),
        lambda d: expand_log(d, force=True).simplify(),
        lambda d: simplify(logcombine(d, force=True)),
        lambda d: d.rewrite("tan").simplify() if d.has(*_trigonometric()) else d,
    ):
        difference = prove(difference)
        if difference == 0:
            return True
    return None


def _trigonometric() -> Any:
    from sympy.functions.elementary.trigonometric import TrigonometricFunction

    return (TrigonometricFunction,)


def _zero(number: "Expr") -> bool | None:
    """Is a number zero, exactly: by simplification, then by its minimal polynomial."""
    from sympy import Symbol, expand_log, minimal_polynomial, simplify, sin, sqrtdenest
    from sympy.functions.elementary.trigonometric import InverseTrigonometricFunction
    from sympy.polys.polyerrors import NotAlgebraic

    def without_logarithms(given: Any) -> Any:
        return simplify(expand_log(given, force=True))

    def of_angles(given: Any) -> Any:  # near zero, so that it is zero where its sine is
        return simplify(sin(given).expand(trig=True)) if given.has(InverseTrigonometricFunction) else given

    for prove in (lambda given: given.expand(complex=True), sqrtdenest, simplify, without_logarithms, of_angles):
        number = prove(number)
        if number == 0:
            return True
    if number.is_Rational:
        return False
    try:
        return bool(minimal_polynomial(number, Symbol("t")) == Symbol("t"))
    except (NotAlgebraic, NotImplementedError, AttributeError, ZeroDivisionError):
        return None
