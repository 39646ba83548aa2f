r"""Quantities: the number, the unit and the noun of "12 cm", "$18", "5 \text{ kg m/s}^2" or "12 chickens".

A word that is no unit is a noun: it is kept, and means nothing for the number. Words that change the number ("5 less
than", "3 squared") are no nouns, and what has them is no quantity.
"""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from am_assets.verification.mathematics.languages import doubts
from am_assets.verification.mathematics.spellings import OTHER_SCRIPTS
from am_assets.verification.mathematics.units import UNITS, Unit, multiplied, product


class Quantity(NamedTuple):
    number: str
    unit: Unit | None
    noun: str


# Words after a number that change it, so that they are no noun.
NO_NOUN = re.compile(
    r"\b(?:less|more|fewer|greater|least|most|or|not|over|under|times(?= )|plus|minus|squared|cubed|factorial|half"
    r"|halves|thirds?|quarters?|fourths?|fifths?|tenths?|base|mod|modulo|and|between|to(?! the (?:left|right)\b)|per"
    r"|if|when|divided|approximately|about"
    r"|zero|one|two|three|four|five|six|seven|eight|nine|ten|negative|positive|pm|am|AM|PM|o'clock)\b"
)
NOUN = re.compile(rf"(?:[^\W\d_]{{2,}}|a|[{OTHER_SCRIPTS}])(?:\.?[ '-](?:[^\W\d_]{{2,}}|[as]))*")
PREFIX = re.compile(r"(-?)\s*(?:\\text\s*)?\{?(\\?\$|[€£¥₹])\}?\s*(-?)(?=[\d.\\(])")
NUMBER = (
    r"-?(?:\d{1,400}(?:\.\d{1,400})?|\((?:\d{1,99})\+\\frac\{\d{1,99}\}\{\d{1,99}\}\)|\\frac\{\d{1,99}\}\{\d{1,99}\}"
    r"|\d{1,99}/\d{1,99})"
)
PARTS = re.compile(
    rf"({NUMBER})\s*((?:\\text\{{[^{{}}]*\}}|\\?[$%]|\^\\circ|[A-Za-z]+)\.?)\s*(?:,|\\text\{{and\}})?\s*"
)
SYMBOLIC = re.compile(
    r"(?:[\d.,\s{}()/*^+!-]|\\(?:pi|frac|sqrt|cdot|times|binom|ln|log)(?![A-Za-z])|(?<![A-Za-z])[ei](?![A-Za-z]))+"
)
CUT = re.compile(
    r"\\text\{|\\%|%|\^\{?\\circ|\\?[$€£¥₹₽¢℃℉″]"
    rf"|(?<=[\d}})\s/])(?:[A-Za-zÅ{OTHER_SCRIPTS}]|\\mu|\\Omega)|(?<=\\pi)\s(?=[A-Za-z])"
)
MINUS = re.compile(r"\s-\s*$")  # and no hyphen

TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])")


@lru_cache(1024)
def unit_and_noun(text: str) -> tuple[Unit | None, str] | None:
    """The unit and the noun that `text` names; None if it is neither. "Square units" are nothing."""
    plain = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text).replace("^{\\circ}", "\\circ").replace("^\\circ", "\\circ")
    unit, rest = product(" ".join(plain.split()))
    rest = rest.strip(" .,")
    if rest and (not NOUN.fullmatch(rest) or NO_NOUN.search(rest) or doubts(rest)):
        return None
    return unit, "" if re.search(r"\bunits?$", rest) else rest.casefold()


def quantity(text: str) -> Quantity | None:
    r"""The number, unit and noun of `text` (see `notation.clean`); None if it has neither unit nor noun.

    >>> quantity(r"12 \text{cm}")
    Quantity(number='12', unit=Unit(dimension='length', factor=Fraction(1, 100)), noun='')
    """
    if prefix := PREFIX.match(text):
        behind = quantity(text[prefix.end() :])
        number = prefix[1] + prefix[3] + (behind.number if behind else text[prefix.end() :])
        unit = UNITS[prefix[2]]
        if behind and behind.unit and behind.unit != unit:  # "$3 million", "$5 per hour"
            unit = multiplied([(unit, 1), (behind.unit, 1)])
        return Quantity(number, unit, "")
    for cut in CUT.finditer(text):
        before, rest = text[: cut.start()], text[cut.start() :]
        number = before.rstrip(" -")
        if number.endswith("/"):
            number, rest = number[:-1].rstrip(), f"/{rest}"
        if not number or MINUS.search(before) or "\\text" in number or "\\circ" in number or not _balanced(number):
            continue
        if rest.startswith("^") and TRIGONOMETRIC.search(number):
            return None
        letters = re.match(r"/?([A-Za-z]+)", rest)
        marked = rest.removeprefix("/").startswith(("\\text", "\\%", "%", "^", "\\$", "$"))
        if not (marked or SYMBOLIC.fullmatch(number)):
            continue
        if letters and len(letters[1]) == 1 and not text[: cut.start()].endswith(" "):
            continue  # "3 m" is a length, "3m" a product
        told = unit_and_noun(rest)
        if told and (told[0] or not letters):
            return Quantity(number, *told)
    return None


def _balanced(text: str) -> bool:
    return text.count("{") == text.count("}") and text.count("(") == text.count(")")


def compound(text: str) -> Quantity | None:
    """The sum of a quantity in falling units, as in "2 hours 30 minutes" or "5 ft 4 in", in its first unit."""
    found = list(PARTS.finditer(text))
    if len(found) < 2 or "".join(part[0] for part in found) != text:
        return None
    told = [unit_and_noun(part[2]) for part in found]
    units = [one[0] for one in told if one and one[0]]
    if any(unit.dimension == "time" for unit in units):  # 2h15m
        units = [UNITS["min"] if unit == UNITS["m"] else unit for unit in units]
    if len(units) != len(found) or len({unit.dimension for unit in units}) > 1:
        return None
    if any(one.factor <= other.factor for one, other in pairwise(units)):
        return None
    shares = [unit.factor / units[0].factor for unit in units]
    terms = [
        f"({part[1]})\\cdot\\frac{{{share.numerator}}}{{{share.denominator}}}"
        for part, share in zip(found, shares, strict=True)
    ]
    return Quantity("+".join(terms), units[0], "")
