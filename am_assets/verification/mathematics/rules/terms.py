"""Numbers and expressions: units, percentages, nouns, constants of integration, bases, ratios, approximations."""

import re
from fractions import Fraction
from itertools import pairwise, product

from am_assets.verification.mathematics import algebra, parameters, phrases
from am_assets.verification.mathematics.notation import letters
from am_assets.verification.mathematics.told import Equality, Told, all_of, any_of
from am_assets.verification.mathematics.units import Unit
from am_assets.verification.mathematics.values import Congruence, Named, Numeral, Ratio, Rounded, Term, Value, Words

CONSTANT = re.compile(r"(.+)\+\s*([CcK](?:_\{\w\})?)|([CcK](?:_\{\w\})?)\s*(?:\+|(?=-))(.+)", re.DOTALL)
ARC = re.compile(r"\\arc(?:sin|cos|tan)(?![a-z])|\\(?:sin|cos|tan)\^\{-1\}")  # an angle, which is in radians
# In kelvins: the size of a degree, and where its zero is.
TEMPERATURES = {
    "kelvin": (Fraction(1), Fraction(0)),
    "celsius": (Fraction(1), Fraction("273.15")),
    "fahrenheit": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}
MONEY = {"dollar", "euro", "pound sterling", "yuan", "rupee"}
MILLION = 10**6
SIDES = {"left", "right"}  # of the meanings of "right", no angle
NO_THINGS = {"of", "the", "a", "in", "on", "at", "from", "for", "with", "per", "and"}
MINUTES = re.compile(r"\d\d")


def terms(one: Term, other: Term, same: Equality) -> Told:
    """Numbers with their units and nouns."""
    told, nouns = _amounts(_counted(one), _counted(other), same), _nouns(one.noun, other.noun)
    return told if nouns or told is False else nouns


def _nouns(one: str, other: str) -> Told:
    """May two nouns be of the same? Not where a word of one excludes one of the other, as in "m/s upward" and "m/s
    downward" or "red balls" and "blue balls"; and "north of east" is not "east of north"."""
    words = one.split(), other.split()
    apart = {*words[0]} - {*words[1]}, {*words[1]} - {*words[0]}
    if not all(words):
        return True
    if any(phrases.same(*pair) is False or {*pair} == SIDES for pair in [(one, other), *product(*apart)]):
        return False
    return None if not any(apart) and words[0] != words[1] else True


def _amounts(one: Term, other: Term, same: Equality) -> Told:
    """Units of one dimension, converted; a unit or noun that only one side names is ignored."""
    kinds = [term.unit.dimension if term.unit else None for term in (one, other)]
    if kinds.count("percent") == 1:
        return _percent(*((one, other) if kinds[0] == "percent" else (other, one)), same)
    if one.unit and other.unit:
        if kinds[0] != kinds[1] and {*kinds} <= TEMPERATURES.keys():
            return same.texts(*(_kelvin(term.text, term.unit) for term in (one, other) if term.unit))
        if kinds[0] != kinds[1] and {*kinds} != {"angle", "radian"}:
            return None if {*kinds} == {"time", "year"} else False
        if one.unit == other.unit:
            return same.texts(one.text, other.text)
        return same.texts(_in_base(one.text, one.unit), _in_base(other.text, other.unit))
    equal = same.texts(one.text, other.text)
    if equal and MONEY.intersection(kinds) and any(term.unit and term.unit.factor >= MILLION for term in (one, other)):
        return None  # $12 million, 12
    if equal is False and MONEY.intersection(kinds):  # $3 million, 3000000; 50 cents, 0.5
        return same.texts(*(_in_base(term.text, term.unit) for term in (one, other)))
    if "angle" in kinds and equal is not True:
        return _degrees(*((one, other) if one.unit else (other, one)), same, equal)
    if equal is not True and not one.unit and not other.unit:
        equal = _up_to_constants(one.text, other.text, equal)
    if (one.unit or one.noun) and (other.unit or other.noun) and not share_a_noun(one, other):
        return None  # 5 apples, 5 dollars; 3 fathoms, 18 ft
    return equal


def _counted(term: Term) -> Term:
    """Dozens, thousands and millions are part of the number."""
    if term.unit is None or term.unit.dimension:
        return term
    return Term(_times(term.text, term.unit.factor), None, term.noun)


def _percent(percent: Term, bare: Term, same: Equality) -> Told:
    """A percentage is its share, and its number too where the sign is left out; 0.5 is 50 %, and may be 0.5 %."""
    if bare.unit:
        return False
    share = same.texts(_times(percent.text, Fraction(1, 100)), bare.text)
    number = same.texts(percent.text, bare.text)
    value = algebra.rational(bare.text)
    return any_of([share, None if number and value is not None and abs(value) < 1 else number])


def _degrees(degrees: Term, bare: Term, same: Equality, equal: Told) -> Told:
    """Degrees beside a multiple of pi, which is in radians, or beside a sum of degrees."""
    in_radians = "\\pi" in bare.text or "\\circ" in bare.text or ARC.search(bare.text)
    return same.texts(_in_base(degrees.text, degrees.unit), bare.text) if in_radians else equal


def _up_to_constants(one: str, other: str, equal: Told) -> Told:
    """Antiderivatives: their constant may be left out, and two that have one may differ by a number."""
    found = [CONSTANT.fullmatch(text) for text in (one, other)]
    rests = [match[1] or match[4] if match else text for match, text in zip(found, (one, other), strict=True)]
    names = [match[2] or match[3] for match in found if match]
    inside = [letters(rest) for rest in rests]
    if not names or not all(inside) or any(name in found for name in names for found in inside):
        return equal
    if len(names) == 2:
        return True if algebra.constant_difference(*rests) else algebra.same(rests[0], rests[1])
    told = algebra.same(rests[0], rests[1])
    return None if told and names == ["c"] else told


def share_a_noun(one: Term, other: Term) -> bool:
    first, second = ({word.removesuffix("s") for word in re.findall(r"\w+", term.noun)} for term in (one, other))
    return bool(first & second - NO_THINGS)


def _times(text: str, factor: Fraction) -> str:
    if (value := algebra.rational(text)) is None:
        return rf"({text})\cdot\frac{{{factor.numerator}}}{{{factor.denominator}}}"
    product = value * factor
    return rf"\frac{{{product.numerator}}}{{{product.denominator}}}" if product.denominator > 1 else str(product)


def _in_base(text: str, unit: Unit | None) -> str:
    """The number in base units; degrees in radians."""
    scaled = _times(text, unit.factor if unit else Fraction(1))
    return rf"({scaled})\cdot\frac{{\pi}}{{180}}" if unit and unit.dimension == "angle" else scaled


def _kelvin(text: str, unit: Unit) -> str:
    size, zero = TEMPERATURES[unit.dimension]
    return rf"({_times(text, size * unit.factor)})+\frac{{{zero.numerator}}}{{{zero.denominator}}}"


def numerals(one: Numeral, other: Numeral, same: Equality) -> Told:
    """The same number; but the same digits in another base are a mistake that a single digit hides."""
    if one.digits == other.digits and one.base != other.base:
        return False
    return int(one.digits, one.base) == int(other.digits, other.base)


def numeral_and_term(one: Numeral, other: Term, same: Equality) -> Told:
    """A base that only one side names is ignored; the value in base ten may or may not be what was asked for."""
    if re.sub(r"[\s{}]|\\text", "", other.text).lstrip("0") == one.digits:
        return True
    return None if same.texts(str(int(one.digits, one.base)), other.text) else False


def congruences(one: Congruence, other: Congruence, same: Equality) -> Told:
    classes = [{residue % each.modulus for residue in each.residues} for each in (one, other)]
    return one.modulus == other.modulus and classes[0] == classes[1]


def congruence_and_term(one: Congruence, other: Term, same: Equality) -> Told:
    """The residue, or the least one, where the modulus is left out; of another number of its class nothing is told."""
    residue, *others = one.residues
    if others:
        return None
    if any(same.texts(str(least), other.text) for least in (residue, residue % one.modulus)):
        return True
    number = algebra.rational(other.text)
    if number is None:
        return _runs_through(one, residue, other.text)
    return False if (number - residue) % one.modulus else None


def _runs_through(one: Congruence, residue: int, text: str) -> Told:
    """Does 7k + 3 run through the numbers of a congruence?"""
    sequence = parameters.any_integer(text)
    if sequence is None or not (sequence[0].is_Integer and sequence[1].is_Integer):
        return None
    return abs(sequence[1]) == one.modulus and (sequence[0] - residue) % one.modulus == 0


def ratios(one: Ratio, other: Ratio, same: Equality) -> Told:
    """Ratios in proportion. Two digits after each colon may be minutes, which are compared as they stand; the halves of
    the day with its 24 hours."""
    one, other = _of_the_day(one, other), _of_the_day(other, one)
    if len(one.parts) != len(other.parts) or (one.half and other.half and one.half != other.half):
        return False
    if any((a[0] == "0") != (b[0] == "0") for a, b in zip(one.parts[1:], other.parts[1:], strict=True)):
        return False  # 9:05, 9:5
    told = all_of([same.texts(a, b) for a, b in zip(one.parts, other.parts, strict=True)])
    if told or all(MINUTES.fullmatch(part) for ratio in (one, other) for part in ratio.parts[1:]):
        return told
    cross = zip(pairwise(one.parts), pairwise(other.parts), strict=True)
    return all_of([same.texts(rf"({a})\cdot({d})", rf"({b})\cdot({c})") for (a, b), (c, d) in cross])


def _of_the_day(time: Ratio, other: Ratio) -> Ratio:
    """3:45 pm as 15:45, where the other time has an hour that only the 24 hours of a day have."""
    hours = [ratio.parts[0] for ratio in (time, other)]
    if not time.half or other.half or not all(re.fullmatch(r"\d\d?", hour) for hour in hours):
        return time
    if 0 < int(hours[1]) < 13 or not 0 < int(hours[0]) < 13:
        return time
    hour = int(hours[0]) % 12 + (12 if time.half == "p" else 0)
    return Ratio((str(hour), *time.parts[1:]))


def ratio_and_term(one: Ratio, other: Term, same: Equality) -> Told:
    """A ratio is its fraction; whether 5:1 is asked for as the whole number 5, or 1:20 as a time, is not told."""
    if len(one.parts) != 2 or other.unit:
        return None if other.unit and other.unit.dimension == "time" else False
    told = same.texts(rf"\frac{{{one.parts[0]}}}{{{one.parts[1]}}}", other.text)
    number = algebra.rational(other.text)
    return None if told and number is not None and number.denominator == 1 else told


def rounded(one: Rounded, other: Value, same: Equality) -> Told:
    """An exact value with its approximation is the exact value, if the one is near the other."""
    if one.exact is None:
        told = same.values(one.decimal, other)
        return told if not told or _is_decimal(other) else None
    return same.values(one.exact, other) if consistent(one) else False


def _is_decimal(value: Value) -> bool:
    """Is it a rounded value itself?"""
    return isinstance(value, Term) and "." in value.text and algebra.rational(value.text) is not None


def consistent(value: Rounded) -> bool:
    """Is the decimal the exact value, rounded or cut off at its last place?"""
    exact, decimal = value.exact, value.decimal
    while isinstance(exact, Named) and len(exact.pairs) == 1:
        exact = exact.pairs[0][1]
    if not isinstance(exact, Term) or not isinstance(decimal, Term):
        return False
    places = re.search(r"\.(\d+)", decimal.text)
    apart = algebra.parse(f"({exact.text})-({decimal.text})")
    if apart is None or not apart.is_real:
        return False
    units = apart.evalf(30) * 10 ** (len(places[1]) if places else 0)
    cut_off = units if not decimal.text.strip().startswith("-") else -units
    return bool(abs(units) <= 0.5 or 0 <= cut_off < 1)


def words(one: Words, other: Value, same: Equality) -> Told:
    """Words and formulas that no rule reads: the same text, or nothing is said."""
    texts = [
        re.sub("[A-Za-z]{4,}", lambda word: word[0].lower(), re.sub(r"\\text|[\s{}_]", "", value.text))
        for value in (one, other)
        if isinstance(value, Words | Term)
    ]
    return True if len(texts) == 2 and texts[0] == texts[1] else None
