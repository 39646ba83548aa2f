r"""Quantities: the number, the unit and the noun of "12 cm", "$18", "5 \text{ kg m/s}^2" or "12 chickens".

A unit is known by the table below, with the prefixes of the SI and in any product, quotient or power; two units are of
one dimension if their base units and powers are. A word that is no unit is a noun: it is kept, and means nothing for
the number. "Pound" is left out, as it may be mass or money.
"""

import re
from collections import Counter
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple


class Unit(NamedTuple):
    dimension: str  # base units and their powers: "length time^-2"; empty for a pure count
    factor: Fraction  # in base units


class Quantity(NamedTuple):
    number: str
    unit: Unit | None
    noun: str


# By dimension: the size of each unit, and its spellings (names without the plural s).
KNOWN: dict[str, dict[str, str]] = {
    "length": {
        "0.0254": "in inch inche ″", "0.3048": "ft foot feet", "0.9144": "yd yard", "1609.344": "mi mile",
        "1852": "nmi", "1": "米", "1/100": "厘米", "1/1000": "毫米", "1000": "千米 公里",
    },
    "mass": {
        "28.349523125": "oz ounce", "453.59237": "lb lbs", "1000000": "t tonne ton", "1": "克", "1000": "千克 公斤",
    },
    "time": {
        "60": "min minute 分钟", "3600": "h hr hour 小时", "86400": "d day 天", "604800": "week wk 周", "1": "秒 sec",
    },
    "year": {"1": "yr year 年", "1/12": "month mo 个月", "10": "decade", "100": "century"},
    "angle": {"1": r"\circ ° degree deg 度", "1/60": "arcminute arcmin", "1/3600": "arcsecond arcsec", "360": "revolution"},
    "radian": {"1": "rad radian"},
    "celsius": {"1": r"\circC degree\celsius celsius ℃"},
    "fahrenheit": {"1": r"\circF degree\fahrenheit fahrenheit ℉"},
    "dollar": {"1": r"$ \$ dollar usd buck", "1/100": r"¢ \cents cent penny pennie"},
    "euro": {"1": "€ euro eur"},
    "pound sterling": {"1": "£ gbp"},
    "yuan": {"1": "¥ yuan rmb cny 元"},
    "rupee": {"1": "₹ rupee inr"},
    "percent": {"1": r"% \% percent pct percentage\point percentage"},
    "": {
        "12": "dozen", "100": "hundred", "1000": "thousand", "1000000": "million", "1000000000": "billion",
        "1000000000000": "trillion", "10000": "万",
    },
    "length^2": {"4046.8564224": "acre", "10000": "hectare ha", "1": "平方米", "1/10000": "平方厘米"},
    "length^3": {"1": "立方米", "0.003785411784": "gallon gal", "0.000946352946": "quart qt"},
    "length time^-1": {"1609.344/3600": "mph", "1000/3600": "kph kmh"},
    "bit": {"1": "bit", "8": "byte"},
    "length^2 mass time^-2": {"4184": "kcal kilocalorie", "4.184": "cal calorie", "3600000": "kWh kilowatthour"},
}  # fmt: skip
# By dimension: units that take a prefix, as symbols and as names, and their size.
PREFIXABLE: dict[str, tuple[str, str, str]] = {
    "length": ("m", "meter metre", "1"), "mass": ("g", "gram", "1"), "time": ("s", "second", "1"),
    "length^3": ("L l", "liter litre", "1/1000"), "current": ("A", "ampere amp", "1"), "kelvin": ("K", "kelvin", "1"),
    "amount": ("mol", "mole", "1"), "time^-1": ("Hz", "hertz", "1"),
    "length mass time^-2": ("N", "newton", "1000"), "length^2 mass time^-2": ("J", "joule", "1000"),
    "length^2 mass time^-3": ("W", "watt", "1000"), "length^-1 mass time^-2": ("Pa", "pascal", "1000"),
    "current time": ("C", "coulomb", "1"), "length^2 mass time^-3 current^-1": ("V", "volt", "1000"),
    "length^2 mass time^-3 current^-2": (r"Ω \Omega ohm", "ohm", "1000"),
    "length^-2 mass^-1 time^4 current^2": ("F", "farad", "1/1000"),
    "mass time^-2 current^-1": ("T", "tesla", "1000"),
    "length^2 mass time^-2 ": ("eV", "electronvolt", "1.602176634/10000000000000000"),
}  # fmt: skip
PREFIXES = {
    "f": ("femto", -15), "p": ("pico", -12), "n": ("nano", -9), "u": ("micro", -6), "μ": ("micro", -6), "µ": ("micro", -6),
    r"\mu": ("micro", -6), "m": ("milli", -3), "c": ("centi", -2), "d": ("deci", -1), "k": ("kilo", 3),
    "M": ("mega", 6), "G": ("giga", 9), "T": ("tera", 12),
}  # fmt: skip


def _size(written: str) -> Fraction:
    over, _, under = written.partition("/")
    return Fraction(over) / Fraction(under or 1)


def _table() -> dict[str, Unit]:
    units = {
        name.replace("\\", " ") if name[0].isalpha() else name: Unit(dimension, _size(size))
        for dimension, sizes in KNOWN.items()
        for size, names in sizes.items()
        for name in names.split()
    }
    for dimension, (symbols, names, size) in PREFIXABLE.items():
        base = Unit(_dimension(Counter(_powers(dimension))), _size(size))
        units |= dict.fromkeys(symbols.split() + names.split(), base)
        for prefix, (long, power) in PREFIXES.items():
            prefixed = base._replace(factor=base.factor * Fraction(10) ** power)
            units |= dict.fromkeys([prefix + symbol for symbol in symbols.split()], prefixed)
            units |= dict.fromkeys([long + name for name in names.split()], prefixed)
    return units


def _powers(dimension: str) -> dict[str, int]:
    bases = (base.partition("^") for base in dimension.split()) if dimension not in WORDY else [(dimension, "", "")]
    return {name: int(power or 1) for name, _, power in bases}


def _dimension(powers: Counter[str]) -> str:
    return " ".join(f"{name}^{power}" if power != 1 else name for name, power in sorted(powers.items()) if power)


WORDY = {"pound sterling"}
UNITS = _table() | {"square": Unit("square", Fraction(1)), "cubic": Unit("cubic", Fraction(1))}
POWER_WORDS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "squared": 2, "cubed": 3}
# Words after a number that change it, so that they are no noun.
NO_NOUN = re.compile(
    r"\b(?:less|more|fewer|greater|least|most|or|not|over|under|times|plus|minus|squared|cubed|factorial|half|halves"
    r"|thirds?|quarters?|fourths?|fifths?|tenths?|base|mod|modulo|and|between|to|per|if|when|divided|approximately|about"
    r"|zero|one|two|three|four|five|six|seven|eight|nine|ten|negative|positive|pm|am|AM|PM|o'clock)\b"
)
TOKEN = re.compile(
    r"\s*(?:(?P<power>\^\{?(-?\d)\}?)|(?P<over>/|\bper\b)|(?P<times>\\cdot|\\times|\*|-(?=[a-z]))"
    r"|(?P<name>\\circ\s*[CF]\b|(?:\\mu\s*)?[A-Za-zμµΩ\u4e00-\u9fff]+\.?|\\(?:Omega|circ|cents|%|\$)|[%$€£¥₹¢°℃℉″])|(?P<open>[(])|(?P<close>[)]))"
)
PREFIX = re.compile(r"(-?)\s*(?:\\text\s*)?\{?(\\?\$|[€£¥₹])\}?\s*(-?)(?=[\d.\\(])")
NUMBER = (
    r"-?(?:\d{1,400}(?:\.\d{1,400})?|\((?:\d{1,99})\+\\frac\{\d{1,99}\}\{\d{1,99}\}\)|\\frac\{\d{1,99}\}\{\d{1,99}\}"
    r"|\d{1,99}/\d{1,99})"
)
PARTS = re.compile(rf"({NUMBER})\s*((?:\\text\{{[^{{}}]*\}}|\\?[$%]|\^\\circ|[A-Za-z]+)\.?)\s*(?:,|\\text\{{and\}})?\s*")
SYMBOLIC = re.compile(r"(?:[\d.,\s{}()/*^+!-]|\\(?:pi|frac|sqrt|cdot|times|binom|ln|log)(?![A-Za-z])|(?<![A-Za-z])[ei](?![A-Za-z]))+")
CUT = re.compile(r"\\text\{|\\%|%|\^\{?\\circ|\\?[$€£¥₹¢℃℉″]|(?<=[\d})\s])(?:[A-Za-z\u4e00-\u9fff]|\\mu|\\Omega)|(?<=\\pi)\s(?=[A-Za-z])")


@lru_cache(1024)
def unit_of(text: str) -> tuple[Unit | None, str] | None:
    """(unit, noun) that `text` names; None if it is neither. Words after a unit ("dollars in total") are ignored."""
    plain = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text).replace("^{\\circ}", "\\circ").replace("^\\circ", "\\circ")
    plain = " ".join(plain.split()).strip()
    powers: Counter[str] = Counter()
    factor, sign, at, pending, depth, known = Fraction(1), 1, 0, 1, 0, False
    last: tuple[dict[str, int], Fraction, int] | None = None
    while at < len(plain) and (token := TOKEN.match(plain, at)):
        if token["power"] or (token["name"] or "").lower() in ("squared", "cubed"):
            power = int(token[2]) if token["power"] else POWER_WORDS[token["name"].lower()]
            if last is None:
                return None
            for name, exponent in last[0].items():
                powers[name] += exponent * (power - 1) * last[2]
            factor *= last[1] ** ((power - 1) * last[2])
            last = None
        elif token["over"]:
            sign = -1
        elif token["open"] or token["close"]:
            depth += 1 if token["open"] else -1
            sign = sign if token["open"] else 1
        elif token["name"]:
            word = token["name"].rstrip(".").replace(" ", "")
            if word.lower() in POWER_WORDS:
                pending = POWER_WORDS[word.lower()]
            else:
                two = re.compile(r"\s*([A-Za-z]+)").match(plain, token.end())
                unit = (_named(f"{word} {two[1]}") if two else None) or _named(word)
                if unit is None or (known and word == "in"):  # "dollars in total"
                    break
                if two and _named(f"{word} {two[1]}"):
                    token = two
                last = ({name: exponent * pending for name, exponent in _powers(unit.dimension).items()},
                        unit.factor**pending, sign)
                for name, exponent in last[0].items():
                    powers[name] += exponent * sign
                factor *= last[1] ** sign
                known, pending = True, 1
                sign = sign if depth > 0 else 1
        at = token.end()
    if pending != 1 and not known:  # "square units"
        at, pending = 0, 1
    rest = plain[at:].strip(" .,")
    if rest and (not re.fullmatch(r"(?:[^\W\d_]{2,}|a|[\u4e00-\u9fff])(?:\.?[ '-](?:[^\W\d_]{2,}|[as]))*", rest) or NO_NOUN.search(rest)):
        return None
    if pending != 1 or sign == -1 and not known:
        return None
    noun = "" if re.search(r"\bunits?$", rest) else rest.casefold()
    return (Unit(_dimension(powers), factor) if known else None), noun


def _named(word: str) -> Unit | None:
    for name in (word, word.removesuffix("s")) if len(word) > 2 else (word,):
        if name in UNITS:
            return UNITS[name]
    lower = word.casefold()
    if len(lower) < 2:
        return None
    return UNITS.get(lower) or UNITS.get(lower.removesuffix("s") if len(lower) > 3 else lower)


def quantity(text: str) -> Quantity | None:
    r"""The number, unit and noun of `text` (see `notation.clean`); None if it has neither unit nor noun.

    >>> quantity(r"12 \text{cm}")
    Quantity(number='12', unit=Unit(dimension='length', factor=Fraction(1, 100)), noun='')
    """
    if prefix := PREFIX.match(text):
        rest = quantity(text[prefix.end() :])
        number = prefix[1] + prefix[3] + (rest.number if rest else text[prefix.end() :])
        unit = UNITS[prefix[2]]
        if rest and rest.unit and rest.unit.dimension == "":
            unit = unit._replace(factor=unit.factor * rest.unit.factor)
        elif rest and rest.unit and rest.unit != unit:
            unit = Unit(_dimension(Counter(_powers(unit.dimension)) + Counter()), unit.factor)
        return Quantity(number, unit, "")
    for cut in CUT.finditer(text):
        number, rest = text[: cut.start()].rstrip(" -"), text[cut.start() :]
        worded = rest.startswith(("\\text", "\\%", "%", "^", "\\$", "$"))
        if not number or "\\text" in number or number.count("{") != number.count("}") or number.count("(") != number.count(")"):
            continue
        if not (SYMBOLIC.fullmatch(number) or worded):
            continue
        if rest.startswith("^") and re.search(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])", number):
            return None
        letters = re.match(r"[A-Za-z]+", rest)
        if letters and len(letters[0]) == 1 and not text[: cut.start()].endswith(" "):
            continue  # "3 m" is a length, "3m" a product
        told = unit_of(rest)
        if told is None or (letters and told[0] is None):
            continue
        return Quantity(number, *told)
    return None


def compound(text: str) -> Quantity | None:
    """The sum of a quantity in falling units, as in "2 hours 30 minutes" or "5 ft 4 in", in its first unit."""
    found = list(PARTS.finditer(text))
    if len(found) < 2 or "".join(part[0] for part in found) != text:
        return None
    units = [told[0] for part in found if (told := unit_of(part[2])) and told[0]]
    if len(units) != len(found) or len({unit.dimension for unit in units}) > 1:
        return None
    if any(one.factor <= other.factor for one, other in zip(units, units[1:], strict=False)):
        return None
    ratios = [unit.factor / units[0].factor for unit in units]
    terms = [f"({part[1]})\\cdot\\frac{{{r.numerator}}}{{{r.denominator}}}" for part, r in zip(found, ratios, strict=True)]
    return Quantity("+".join(terms), units[0], "")
