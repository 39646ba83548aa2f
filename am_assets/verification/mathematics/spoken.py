r"""An answer's text as the rules of doubt read it: plain words, with the result and equal values written RESULT."""

import re
from contextlib import suppress
from fractions import Fraction

from am_assets.verification.mathematics.clauses import Kind
from am_assets.verification.mathematics.extraction import is_option
from am_assets.verification.mathematics.spellings import NUMBER_WORDS

CONTRACTIONS = [
    (re.compile(pattern, re.IGNORECASE), full)
    for pattern, full in (
        (r"\bcan(?:'t|not)\b", "can not"), (r"\bwon't\b", "will not"), (r"n't\b", " not"), (r"\bi'm\b", "i am"),
        (r"\b(it|that|this|there|what|he|she)'s\b", r"\1 is"), (r"'ve\b", " have"), (r"'ll\b", " will"),
        (r"\blet's\b", "let us"), (r"'d\b", " would"),
    )
]  # fmt: skip
WRAPPER = re.compile(r"\\(?:boxed|fbox|text\w*|math(?:rm|bf)|mbox)\s*\{([^{}]*)\}|\\[()\[\]!,;:]|\$\$?|\*\*?|`|\\ |~")
LIST_NUMBER = re.compile(r"(?m)^[ \t]*\d{1,2}[.)][ \t]+(?=\S)")
ENVIRONMENT = re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL)
# The letter of an option; "A" and "I" may be words.
OPTION_LETTER = re.compile(
    r"\(?(?<![.\w])([B-HJ]|A(?! (?!is|was|or|and|would|should|must|seems|instead)[a-z])|I(?! (?!is\b|or\b|and\b)[a-z]))"
    r"(?![\w']|\.[A-Z])\)?"
)
TIMES = re.compile(r"(?<=[\d)a-z]) ?\* ?(?=[\d(])|(?<=[\d)]) \* ?$")
NUMERAL = re.compile(
    r"(?<![\w.\\^_])[-+]?\d[\d,]*+(?:\.\d++)?(?: ?/ ?\d++)?+(?:\s?\\?%)?|\\[dt]?frac ?\{ ?-?\d+ ?\}\{ ?\d+ ?\}"
)
CHINESE_STOPS = str.maketrans({"。": ". ", "！": "! ", "？": "? ", "；": "; ", "，": ", ", "：": ": "})
BESIDE_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff])(?=[-\d\\])|(?<=\d)(?=[\u4e00-\u9fff])")
# A number in words that ends its clause; "one" and "two" may be pronouns.
LAST_WORD = re.compile(
    rf"(?<=[\w,:] )({'|'.join(word for word in NUMBER_WORDS if word not in ('one', 'two'))})(?=[ *)]*(?:[.,;:!?\n]|$))",
    re.IGNORECASE,
)
SENTENCES = re.compile(r"(?:[^.!?;\n]|[.;](?=[a-z0-9,]))+[.!?;]*")


def spoken(text: str, result: str, kind: Kind) -> str:
    r"""RESULT and `text` behind it as plain words: no math delimiters, no contractions, RESULT for the same value.

    >>> spoken("$. So it can't be $7$.", "7", "number")
    'RESULT. So it can not be RESULT.'
    """
    value = value_of(result)
    wanted = result.strip(" $") if value is None else value
    text = TIMES.sub(" \u00b7 ", LIST_NUMBER.sub("", ENVIRONMENT.sub("", text)))
    for _ in range(2):  # a command in a command
        text = WRAPPER.sub(lambda found: found[1] or (" " if found.group() in ("\\ ", "~") else ""), text)
    for contraction, full in CONTRACTIONS:
        text = contraction.sub(full, text)
    text = BESIDE_CHINESE.sub(" ", text.translate(CHINESE_STOPS))
    text = LAST_WORD.sub(lambda found: NUMBER_WORDS[found[1].casefold()], text)
    text = NUMERAL.sub(
        lambda found: "RESULT" if _same(found.group(), value, "." not in result) else found.group(), text
    )
    if kind == "option":
        text = OPTION_LETTER.sub(r"OPTION_\1", text)
        wanted = "OPTION_" + "".join(OPTION_LETTER.findall(result)[:1]) if result else ""
    if isinstance(wanted, str) and 0 < len(wanted) < 100:
        text = re.sub(rf"(?<![\w\\]|[-\u2212]){re.escape(wanted)}(?![\w'])", "RESULT", text)
    return re.sub(r"[ \t]+", " ", "RESULT" + (text if text[:1] in "\n.,;:!?)" else f" {text.lstrip()}")).strip()


def _same(numeral: str, value: Fraction | None, exact: bool) -> bool:
    """Is `numeral` the value or, of an exact one, its decimal rounded to some place?"""
    told = value_of(numeral)
    if told is None or value is None or told == value:
        return told is not None and told == value
    places = len(numeral.partition(".")[2])
    return exact and places > 0 and round(value, places) == told


def value_of(text: str) -> Fraction | None:
    """The value of a numeral; that of 50% is 1/2."""
    plain = re.sub(r"[$,\s]|\\[,;!]", "", text[:200])
    plain = re.sub(r"\\[dt]?frac\{?(-?\d+)\}?\{?(\d+)\}?", r"\1/\2", plain)
    number = re.fullmatch(r"([-+]?(?:\d+(?:\.\d+)?|\.\d+|\d+/\d+))(\\?%)?", plain)
    with suppress(ValueError, ZeroDivisionError):
        return Fraction(number[1]) / (100 if number[2] else 1) if number else None
    return None


def sentences(text: str) -> list[str]:
    return [part.strip() for part in SENTENCES.findall(text) if part.strip()] or [""]


def kind_of(result: str) -> Kind:
    if is_option(result):
        return "option"
    return "formula" if value_of(result) is None else "number"
