r"""The smallest results: expressions, quantities, numerals, ratios and the names that values have."""

import re

from am_assets.verification.mathematics import algebra
from am_assets.verification.mathematics.notation import closing
from am_assets.verification.mathematics.quantities import compound, quantity
from am_assets.verification.mathematics.spellings import NUMBER_WORDS
from am_assets.verification.mathematics.values import (
    Congruence,
    Group,
    Matrix,
    Numeral,
    Ratio,
    Term,
    Value,
    Words,
    split,
)

NAME = re.compile(
    r"(?:\\(?:vec|overrightarrow|overline|hat|mathbf)\{[A-Za-z]+\}|\\text\{[^{}]*\}|\\(?:angle|triangle)\s*[A-Z]{1,3}"
    r"|\\[a-zA-Z]+|[A-Za-z])(?:_\{?\w+\}?|_\{\s*\\text\{[^{}]*\}\s*\})?'*(?:\s*\((?:[A-Za-z\d],?\s*)+\))?"
    r"|\((?:[A-Za-z](?:_\{?\w+\}?)?,\s*)+[A-Za-z](?:_\{?\w+\}?)?\)|[A-Z]{2,3}|\|[A-Z]{2}\||[A-Z](?:\s*\\c[au]p\s*[A-Z])+"
)
# One operation, as the left side of an equation that says its value: a derivative, an integral, a limit, f^{-1}(x).
OPERATION = re.compile(
    r"\\frac\{(?:d|\\partial)(?:\^\{?\d\}?)?\s*(?:\\?[A-Za-z]+)?\}\{(?:d|\\partial)\s*[A-Za-z](?:\^\{?\d\}?)?\}(?P<of>.*)"
    r"|\\(?:i*int|oint)(?![a-z]).*(?:\bd|\{d\})\s*(?:[A-Za-z]+|\\[A-Za-z]+(?:\{[A-Za-z]+\})?)"
    r"|\\(?:lim|sum|prod)(?:sup|inf)?(?![a-z]).*"
    r"|(?:\\(?:max|min|gcd|det|deg|dim|arg)|[fghFGHPEV]|\\mathbb\{[EP]\})(?:_\{?\w+\}?|\^\{-1\}|'+)?\s*(?P<inside>[(\[].*[)\]])"
    r"|\\(?:det|dim|deg)\s+[A-Za-z]"
    r"|\|(?:[A-Z]{1,3}|\\(?:vec|overrightarrow|overline|mathbf)\{[A-Za-z]+\})\|"
)
NUMERAL = re.compile(
    r"(?:\\overline)?[(\[{]*(?P<digits>[0-9A-Za-z]+)[)\]}]*\s*"
    r"(?:_\{?\s*(?:\\text\{\s*base\s*\}\s*)?\(?(?P<base>\d{1,2})\)?\s*\}?"
    r"|_\{\s*\\text\{(?:base )?(?P<named>[a-z]+)\}\s*\}"
    r"|\(?\s*\\text\{\(?base\s*(?P<worded>\d{1,2}|)\)?\}\s*(?P<apart>\d{1,2})?\s*\)?)"
)

RESIDUE = r"(?:\\pm\s*)?-?\d{1,40}"
CONGRUENCE = re.compile(
    rf"(?:[A-Za-z](?:_\{{?\w+\}}?)?\s*\\equiv\s*)?(?P<residues>{RESIDUE}(?:(?:,?\s*\\text\{{(?:or|and)\}}|,)\s*{RESIDUE}){{0,20}})"
    r"\s*\(?\s*\\mod\s*\{?\s*(?P<modulus>[1-9]\d{0,39})\s*\}?\s*\)?"
)


def compound_quantity(text: str) -> Value | None:
    total = compound(text)
    return Term(total.number, total.unit) if total else None


def is_number(text: str) -> bool:
    if algebra.rational(text) is not None:
        return True
    bare = re.sub(r"\\(?:text\{[^{}]*\}|[a-z]+)", "", text)
    if re.search(r"[A-Za-df-hj-z]", bare):
        return False
    measured = quantity(text)
    expression = algebra.parse(measured.number if measured else text)
    return expression is not None and bool(expression.is_number)


def amount(text: str) -> str:
    """The number of a side of an equation without its unit; of a percentage its share."""
    measured = quantity(text)
    if measured is None:
        return text
    percent = measured.unit is not None and measured.unit.dimension == "percent"
    return rf"\frac{{{measured.number}}}{{100}}" if percent else measured.number


def is_operation(text: str) -> bool:
    """Is it one operation, and no sum or product with others?"""
    found = OPERATION.fullmatch(text)
    if not found:
        return False
    of = (found["of"] or "").strip()
    inside = found["inside"] or (of if of[:1] in ("(", "[") else "")
    return len(of) == 1 or not of + inside or closing(inside, 0) == len(inside) - 1


def name(text: str) -> str:
    text = re.sub(r"\\(?:vec|overrightarrow|overline|hat|mathbf)\{([A-Za-z]+)\}|\\text\{([^{}]*)\}", r"\1\2", text)
    return re.sub(r"[\s{}]|^\||\|$|\\(?=max|min)|(?<=max)imum$|(?<=min)imum$", "", text)


def ratio(text: str) -> Value | None:
    half = re.search(r"\s*(?:\\text)?\{?([ap])\.?\s?m\.?\}?$", text, re.IGNORECASE)
    parts, cuts = split(text[: half.start()].replace(".", ":") if half else text, re.compile(":"))
    if half and not cuts and re.fullmatch(r"1?\d", parts[0]):  # 8 AM
        parts, cuts = [parts[0], "00"], [":"]
    if not cuts or not all(algebra.parse(part) is not None for part in parts):
        return None
    return Ratio(tuple(parts), half[1].lower() if half else "")


def congruence(text: str) -> Value | None:
    found = CONGRUENCE.fullmatch(text)
    if not found:
        return None
    written = re.findall(r"(\\pm)?\s*(-?\d+)", found["residues"])
    residues = [residue for both, number in written for residue in (int(number), -int(number))[: 2 if both else 1]]
    return Congruence(tuple(residues), int(found["modulus"]))


def congruent(parts: list[str], values: list[Value]) -> Value | None:
    """n = 1 (mod 8) or n = 3 (mod 8)."""
    classes = [value for value in values if isinstance(value, Congruence)]
    names = {part.partition("\\equiv")[0].strip() for part in parts if "\\equiv" in part}
    if len(classes) < len(values) or len(names) > 1 or len({one.modulus for one in classes}) > 1:
        return None
    return Congruence(tuple(residue for one in classes for residue in one.residues), classes[0].modulus)


def scaled(rows: list[list[str]], factor: str | None) -> Matrix | None:
    """A matrix by its rows, times a number or a minus before it."""
    if factor is None:
        return Matrix(tuple(map(tuple, rows)))
    if factor != "-" and not is_number(factor):
        return None
    times = "-" if factor == "-" else f"({factor})"
    return Matrix(tuple(tuple(f"{times}({cell})" for cell in row) for row in rows))


def numeral(text: str) -> Value | None:
    found = NUMERAL.fullmatch(text)
    if not found:
        return None
    base = int(found["base"] or NUMBER_WORDS.get(found["named"] or "", 0) or found["worded"] or found["apart"] or 0)
    digits = found["digits"]
    if not 2 <= base <= 36 or not (digits[0].isdigit() or digits.isupper()) or (digits.isalpha() and base <= 10):
        return None
    if any(int(digit, 36) >= base for digit in digits):
        return None if digits.isalpha() else Words(text)
    return Numeral(digits.lstrip("0") or "0", base)


def row(text: str) -> Value | None:
    """Numbers side by side, a list and no product; in brackets in their order."""
    numbers = text.removeprefix("(").removesuffix(")").split()
    if len(numbers) < 2 or not all(re.fullmatch(r"-?\d+(?:\.\d+)?", number) for number in numbers):
        return None
    return Group("point" if text.startswith("(") else "list", tuple(map(Term, numbers)))


def term(text: str) -> Value | None:
    if "\\ldots" in text:
        return None
    text = re.sub(r"\\text\{([A-Za-z])\}", r"\1", text) if text.startswith("\\text") else text
    measured = quantity(text)
    if measured:
        return Term(measured.number.strip(), measured.unit, measured.noun)
    if "\\text" in text and algebra.parse(text) is None:
        return None
    return Term(text)
