r"""Units: what they are called, and what a product of them is in base units.

A unit is known by the tables below, with the prefixes of the SI and in any product, quotient or power; two units are of
one dimension if their base units and powers are. "Pound" is left out, as it may be mass or money.
"""

import re
from collections import Counter
from fractions import Fraction
from typing import NamedTuple

from am_assets.verification.mathematics.spellings import OTHER_SCRIPTS


class Unit(NamedTuple):
    dimension: str  # base units and their powers: "length time^-2"; empty for a pure count
    factor: Fraction  # in base units


# By dimension: the size of each unit, and its spellings (names without the plural s).
KNOWN: dict[str, dict[str, str]] = {
    "length": {
        "0.0254": "in inch inche ″", "0.3048": "ft foot feet", "0.9144": "yd yard", "1609.344": "mi mile",
        "1852": "nmi", "1/10000000000": "Å angstrom ångström", "149597870700": "au",
        "9460730472580800": "ly lightyear light\\year light-year", "30856775814913673": "pc parsec",
        "30856775814913673000": "kpc kiloparsec", "30856775814913673000000": "Mpc megaparsec",
        "1": "米 м метр", "1/10": "分米 дм дециметр", "1/100": "厘米 см сантиметр", "1/1000": "毫米 мм миллиметр",
        "1000": "千米 公里 км километр",
    },
    "mass": {
        "28.349523125": "oz ounce", "453.59237": "lb lbs", "6350.29318": "stone",
        "1.66053906660/1000000000000000000000000": "amu dalton Da",
        "1000000": "t tonne ton 吨 т тонн", "1": "克 г грамм", "1/1000": "毫克 мг", "1000": "千克 公斤 кг килограмм",
    },
    "time": {
        "60": "min minute 分钟 分間 分 분 мин минут", "3600": "h hr hour 小时 時間 시간 ч час",
        "86400": "d day 天 день дня дней", "604800": "week wk 周", "1": "秒 sec 초 с сек секунд",
    },
    "year": {"1": "yr year 年 год года лет", "1/12": "month mo 个月", "10": "decade", "100": "century"},
    "angle": {
        "1": r"\circ ° degree deg 度 도 градус",
        "1/60": "arcminute arcmin", "1/3600": "arcsecond arcsec", "360": "turn",
    },
    "radian": {"1": "rad radian"},
    "celsius": {"1": r"\circC degree\celsius degrees\celsius celsius ℃"},
    "fahrenheit": {"1": r"\circF degree\fahrenheit degrees\fahrenheit fahrenheit ℉"},
    "dollar": {"1": r"$ \$ dollar usd buck", "1/100": r"¢ \cents cent penny pennie"},
    "euro": {"1": "€ euro eur"},
    "pound sterling": {"1": "£ gbp", "1/100": "pence"},
    "yuan": {"1": "¥ yuan rmb cny 元", "10000": "万元", "100000000": "亿元"},
    "rupee": {"1": "₹ rupee inr"},
    "ruble": {"1": "₽ ruble rouble руб рубль рубля рублей", "1/100": "коп копейка копейки копеек"},
    "yen": {"1": "円 yen jpy"},
    "won": {"1": "원 krw"},
    "percent": {"1": r"% \% percent pct percentage\point percentage процент"},
    "": {
        "12": "dozen", "100": "hundred", "1000": "thousand", "1000000": "million", "1000000000": "billion",
        "1000000000000": "trillion", "10000": "万", "100000000": "亿",
    },
    "length^2": {
        "4046.8564224": "acre", "10000": "hectare ha", "1": "平方米", "1/100": "平方分米", "1/10000": "平方厘米",
    },
    "length^3": {
        "1": "立方米", "1/1000": "立方分米 升 л литр", "1/1000000": "立方厘米 毫升 мл cc ccm",
        "0.003785411784": "gallon gal", "0.000946352946": "quart qt",
        "0.000473176473": "pint", "0.0002365882365": "cup", "0.0000295735295625": r"fluid\ounce fluidounce",
        "0.158987294928": "barrel",
    },
    "length^-2": {"1609.344/0.003785411784": "mpg"},
    "length time^-1": {"1609.344/3600": "mph", "1000/3600": "kph kmh", "1852/3600": "knot kn"},
    "length^-1 mass time^-2": {
        "101325000": "atm atmosphere", "101325000/760": "torr mmHg", "100000000": "bar", "100000": "mbar millibar hPa",
        "6894757.293168": "psi",
    },
    "length mass time^-2": {"1/100": "dyn dyne", "4448.2216152605": "lbf", "9806.65": "kgf"},
    "length^2 mass time^-3": {"745699.87158227022": "hp horsepower"},
    "bit": {"1": "bit", "8": "byte"},
    "length^2 mass time^-2": {
        "1000": "Nm",
        "4184000": "kcal kilocalorie", "4184": "cal calorie", "3600000000": "kWh kilowatthour kilowatt-hour",
        "3600000": "Wh",
        "1055055.85262": "BTU btu", "1/10000": "erg",
    },
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
    "mass time^-2 current^-1": ("T", "tesla", "1000"), "length^-3 amount": ("M", "molar", "1000"),
    "mass length^2 time^-2": ("eV", "electronvolt", "1.602176634/10000000000000000"),
}  # fmt: skip
PREFIXES = {
    "f": ("femto", -15), "p": ("pico", -12), "n": ("nano", -9), "u": ("micro", -6), "μ": ("micro", -6),
    "µ": ("micro", -6), r"\mu": ("micro", -6), "m": ("milli", -3), "c": ("centi", -2),
    "d": ("deci", -1), "k": ("kilo", 3),
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
UNITS = _table()
POWER_WORDS = {"square": 2, "sq": 2, "кв": 2, "cubic": 3, "cu": 3, "куб": 3}
ENDING = re.compile("(?:s|а|ы|ов|е|у)$")  # of more than one, and of a Russian case
TOKEN = re.compile(
    r"\s*(?:(?P<power>\^\{?(?P<exponent>-?\d)\}?)|(?P<over>/|\bper\b)|(?P<times>\\cdot|\\times|\*|-(?=[a-z]))"
    rf"|(?P<name>\\circ\s*[CF]\b|(?:\\mu\s*)?[A-Za-zμµΩÅ{OTHER_SCRIPTS}]+\.?"
    r"|\\(?:Omega|circ|cents|%|\$)|[%$€£¥₹₽¢°℃℉″])"
    r"|(?P<open>[(])|(?P<close>[)]))"
)
SECOND = re.compile(r"\s*([A-Za-z]+)")


def product(text: str) -> tuple[Unit | None, str]:
    """The unit that `text` begins with, None if with none, and what stands behind it."""
    factors: list[tuple[Unit, int]] = []
    sign, power, depth, at, end = 1, 1, 0, 0, 0  # `end` is behind the last unit
    while token := TOKEN.match(text, at):
        word = (token["name"] or "").rstrip(".").replace(" ", "")
        if raised := int(token["exponent"] or {"squared": 2, "cubed": 3}.get(word.lower(), 0)):
            if not factors:
                break
            factors[-1] = (factors[-1][0], factors[-1][1] * raised)
            end = token.end()
        elif token["over"]:
            sign = -1
        elif token["open"] or token["close"]:
            depth += 1 if token["open"] else -1
            sign = sign if token["open"] else 1
            end = token.end() if token["close"] and end else end
        elif word.lower() in POWER_WORDS:
            power = POWER_WORDS[word.lower()]
        elif word:
            second = SECOND.match(text, token.end())
            both = named(f"{word} {second[1]}") if second else None
            unit = both or named(word)
            if unit is None or (factors and word == "in"):  # "dollars in total"
                break
            factors.append((unit, sign * power))
            power, sign = 1, sign if depth else 1
            end = second.end() if both and second else token.end()
        at = max(token.end(), end)
    return (multiplied(factors) if factors else None), text[end:]


def multiplied(factors: list[tuple[Unit, int]]) -> Unit:
    powers: Counter[str] = Counter()
    size = Fraction(1)
    for unit, exponent in factors:
        size *= unit.factor**exponent
        for name, power in _powers(unit.dimension).items():
            powers[name] += power * exponent
    return Unit(_dimension(powers), size)


def named(word: str) -> Unit | None:
    """The unit of this name or symbol; the case counts for symbols alone, and names may have a plural s."""
    for name in (word, ENDING.sub("", word)) if len(word) > 2 else (word,):
        if name in UNITS:
            return UNITS[name]
    lower = word.casefold()
    if len(lower) < 2:
        return None
    return UNITS.get(lower) or UNITS.get(ENDING.sub("", lower) if len(lower) > 3 else lower)
