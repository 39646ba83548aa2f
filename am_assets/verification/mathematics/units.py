r"""Quantities: the number and the unit of "12 cm", "$18" or "24 square meters", and the conversion of units.

As graders do it, a unit that only one side names is ignored, and two that disagree are a difference. Only the units
below are known: in "5 apples" the number alone counts. "Pound" is left out, as it may be mass or money.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from am_assets.verification.mathematics.normalization import normalize


class Unit(NamedTuple):
    dimension: str
    factor: Fraction  # in the dimension's first unit below


# By dimension: the size of each unit, and its spellings without the plural s.
KNOWN: dict[str, dict[str, str]] = {
    "length": {
        "1": "m meter metre", "1/1000": "mm millimeter millimetre", "1/100": "cm centimeter centimetre",
        "1/10": "dm decimeter decimetre", "1000": "km kilometer kilometre", "0.0254": "in inch inche",
        "0.3048": "ft foot feet", "0.9144": "yd yard", "1609.344": "mi mile",
    },
    "mass": {
        "1": "g gram", "1/1000": "mg milligram", "1000": "kg kilogram", "1000000": "tonne", "28.349523125": "oz ounce",
        "453.59237": "lb",
    },
    "time": {
        "1": "s sec second", "60": "min minute", "3600": "h hr hour", "86400": "day", "604800": "week",
        "1/1000": "ms millisecond",
    },
    "year": {"1": "year yr", "1/12": "month"},
    "length3": {"1/1000": "l liter litre", "1/1000000": "ml milliliter millilitre"},
    "angle": {"1": r"\circ ° degree deg"},
    "radian": {"1": "rad radian"},
    "dollar": {"1": "$ dollar usd", "1/100": "cent ¢"},
    "euro": {"1": "€ euro eur"},
    "pound sterling": {"1": "£ gbp"},
    "count": {"12": "dozen", "100": "hundred", "1000": "thousand", "1000000": "million", "1000000000": "billion"},
    "percent": {"1": r"% \% percent"},
    "speed": {"1609.344/3600": "mph", "1000/3600": "kph kmh"},
}  # fmt: skip


def _size(written: str) -> Fraction:
    over, _, under = written.partition("/")
    return Fraction(over) / Fraction(under or 1)


UNITS = {
    name: Unit(dimension, _size(size))
    for dimension, sizes in KNOWN.items()
    for size, names in sizes.items()
    for name in names.split()
}
NAME = "|".join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))
MEASURE = re.compile(
    rf"\^?\{{?(?<![a-z\\])(?:(?P<squared>square|sq|cubic|cu)\.? )?(?P<name>{NAME})s?\}}?"
    rf"(?:\^\{{?(?P<power>[23])\}}?|(?P<sign>[²³]))?(?: ?(?:/|per) ?(?P<per>{NAME})s?)?"
)
PREFIX = re.compile(r"(-?)\s*(\\?\$|€|£)\s*(?=[\d.])")
NUMERIC = re.compile(r"[-+]?(?:[\d.,]|\\?pi\b|\\[dt]?frac|\\sqrt|[{}()/*^+\- ]|\\cdot|\\times)*(?:[\d})i]|\\?pi)")
APART = re.compile(r"\\(?:text|mathrm|[,;: ])|~|[\d})] [a-zA-Z]")  # "3 m" is a length, "3m" may be a product
POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "²": 2, "³": 3}


def quantity(text: str) -> tuple[str, Unit | None]:
    r"""(number, unit) of a number with a known unit; else the text itself and None. Thousands and millions are part of
    the number.

    >>> quantity("12 cm")
    ('12', Unit(dimension='length', factor=Fraction(1, 100)))
    """
    if (prefix := PREFIX.match(bare := text.strip())) and bare.count("$") < 2:
        return prefix[1] + bare[prefix.end() :], UNITS[prefix[2].removeprefix("\\")]
    plain = normalize(text).casefold()
    for measure in MEASURE.finditer(plain):
        number = plain[: measure.start()].strip()
        apart = len(measure["name"]) > 1 or APART.search(text) or not measure["name"].isalpha()
        if measure.end() == len(plain) and apart and NUMERIC.fullmatch(number):
            unit = _unit(measure)
            return (number, unit) if unit.dimension != "count" else (rf"({number})\cdot {unit.factor}", None)
    return text, None


def is_number(text: str) -> bool:
    return bool(NUMERIC.fullmatch(normalize(text).casefold()))


def _unit(measure: re.Match[str]) -> Unit:
    unit = UNITS[measure["name"]]
    power = POWERS.get(measure["squared"] or measure["sign"] or "", int(measure["power"] or 1))
    if power > 1:
        unit = Unit(f"{unit.dimension}{power}", unit.factor**power)
    if measure["per"]:
        below = UNITS[measure["per"]]
        dimension = f"{unit.dimension}/{below.dimension}".replace("length/time", "speed")
        unit = Unit(dimension, unit.factor / below.factor)
    return unit
