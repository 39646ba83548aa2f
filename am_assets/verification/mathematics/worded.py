"""Numbers in English words: "twenty-one", "one hundred and five", "two and a half", "three quarters", "twelfth"."""

import re
from fractions import Fraction
from functools import lru_cache

from am_assets.verification.mathematics.spellings import NUMBER_WORDS

TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
SMALL = {word: int(number) for word, number in NUMBER_WORDS.items() if word != "twenty"}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
IRREGULAR = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
PARTS = {"half": 2, "halves": 2, "quarter": 4, "quarters": 4}
PLAIN = re.compile(r"[a-z]+(?:[ -][a-z]+)*")
MOST = 20  # words of a number
NOUN_WORDS = 3
ARTICLES = {"a", "an"}
WORD = "|".join(sorted({*SMALL, *TENS, *SCALES, "hundred"} - {"one"}, key=len, reverse=True))
PART = r"(?:hal(?:f|ves)|thirds?|quarters?|(?:four|fif|six|seven|eigh|nin|ten)ths?)"
BEHIND_VERB = re.compile(
    r"(\b(?:is|are|has|have|had|gets?|needs?|makes?|leaves?|equals?|exactly|only|total of)\s)"
    rf"((?:{WORD})(?:(?: and |[ -])(?:{WORD}|one))*(?:[ -]{PART})?|(?:one|an?)[ -]{PART})\b"
    r"(?! (?:times|percent|(?:\w+ )?(?:less|more|fewer) (?:\w+ )?than)\b)"
)
ANY_WORD = re.compile(rf"\b(?:{WORD}|one|half|twice|none|nobody)\b", re.IGNORECASE)


def with_digits(text: str) -> str:
    """`text` with its only number in words in digits, if it stands behind a verb.

    >>> with_digits("So there are twenty-one ways."), with_digits("There are five red and six blue ones.")
    ('So there are 21 ways.', 'There are five red and six blue ones.')
    """
    text = text.replace("**", "")
    found = list(BEHIND_VERB.finditer(text))
    if len(found) != 1 or ANY_WORD.search(text[: found[0].start()] + text[found[0].end() :]):
        return text
    value = number_in_words(found[0][2])
    return text if value is None else f"{text[: found[0].start(2)]}{value}{text[found[0].end() :]}"


def leading_number(text: str) -> tuple[Fraction, str] | None:
    """The longest number that `text` begins with, in words, and what it counts, in at most three words."""
    words = text.split() if PLAIN.fullmatch(text) else []
    for at in range(min(len(words) - 1, MOST), 0, -1):
        value = number_in_words(" ".join(words[:at]))
        if value is not None and not _is_ordinal(words[at - 1]):
            return (value, " ".join(words[at:])) if len(words) - at <= NOUN_WORDS else None
    return None


@lru_cache(1024)
def number_in_words(text: str) -> Fraction | None:
    """The number that the whole of `text` names, an ordinal included; None where it names none.

    >>> number_in_words("minus one hundred and five"), number_in_words("two thirds"), number_in_words("four and five")
    (Fraction(-105, 1), Fraction(2, 3), None)
    """
    text = text.casefold().strip()
    words = re.split("[ -]", text) if PLAIN.fullmatch(text) else []
    if not 0 < len(words) <= MOST:
        return None
    if words[0] in ("minus", "negative"):
        value = _value(words[1:])
        return None if value is None else -value
    return _value(words)


def _value(words: list[str]) -> Fraction | None:
    if not words:  # "minus" alone
        return None
    if "point" in words:
        return _decimal(words)
    if "and" in words and words[-1] in _PART_NAMES:  # two and a half
        at = len(words) - 1 - words[::-1].index("and")
        whole, part = _whole(words[:at]), _part(words[at + 1 :])
        if whole is not None and part is not None and part < 1:
            return whole + part
    for read in (_whole, _part, _ordinal):
        if (value := read(words)) is not None:
            return Fraction(value)
    return None


def _whole(words: list[str]) -> int | None:
    """A whole number from zero on: falling powers of a thousand, each with what stands before it."""
    total, below, group = 0, None, []
    for word in words:
        if word not in SCALES:
            group.append(word)
            continue
        count = 1 if group == ["a"] and not total else _below_thousand(group, first=not total)
        if not count or (below is not None and SCALES[word] >= below):
            return None
        total, below, group = total + count * SCALES[word], SCALES[word], []
    if below is None or group:
        last = _below_thousand(group, first=below is None)
        return None if last is None or (below is not None and not last) else total + last
    return total


def _below_thousand(words: list[str], first: bool) -> int | None:
    """`first`: nothing stands before it, so that no "and" may."""
    if not first and words[:1] == ["and"]:
        words = words[1:]
    if "hundred" in words:
        at = words.index("hundred")
        hundreds = 1 if words[:at] in (["a"], []) and first else _below_hundred(words[:at])
        rest = words[at + 1 :]
        rest = rest[1:] if rest[:1] == ["and"] and len(rest) > 1 else rest
        more = _below_hundred(rest) if rest else 0
        return None if not hundreds or more is None else 100 * hundreds + more
    return _below_hundred(words)


def _below_hundred(words: list[str]) -> int | None:
    if len(words) == 1:
        return SMALL.get(words[0], TENS.get(words[0]))
    if len(words) == 2 and words[0] in TENS and 0 < SMALL.get(words[1], 0) < 10:
        return TENS[words[0]] + SMALL[words[1]]
    return None


def _part(words: list[str]) -> Fraction | None:
    """Half, a third, two thirds, three quarters; twenty-third is none."""
    if words == ["half"]:
        return Fraction(1, 2)
    if len(words) < 2 or words[-1] not in _PART_NAMES:
        return None
    count = 1 if len(words) == 2 and words[0] in ARTICLES else _whole(words[:-1])
    plural = words[-1].endswith("s")
    return Fraction(count, _PART_NAMES[words[-1]]) if count and (plural or count == 1) else None


def _ordinal(words: list[str]) -> int | None:
    """Third, twenty-first. "Second" alone may be a unit, but a unit alone is no result."""
    small = _ORDINALS.get(words[-1])
    if small is None or len(words) == 1:
        return small
    before = _whole(words[:-1]) if words[-2] in TENS and small < 10 else None
    return None if before is None else before + small


def _is_ordinal(word: str) -> bool:
    return word.rpartition("-")[2] in _ORDINALS


def _decimal(words: list[str]) -> Fraction | None:
    at = words.index("point")
    whole = _whole(words[:at]) if at else 0
    digits = [SMALL.get(word, 10) for word in words[at + 1 :]]
    if whole is None or not digits or max(digits) > 9:
        return None
    return whole + Fraction(int("".join(map(str, digits))), 10 ** len(digits))


def _regular(word: str) -> str:
    return f"{word.removesuffix('y')}ieth" if word.endswith("y") else f"{word}th"


_ORDINALS = IRREGULAR | {
    _regular(word): number for word, number in (SMALL | TENS).items() if number and number not in IRREGULAR.values()
}
_PART_NAMES = PARTS | {name + end: number for name, number in _ORDINALS.items() if number > 2 for end in ("", "s")}
