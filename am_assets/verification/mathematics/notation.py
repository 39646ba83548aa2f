r"""One spelling of a result: plain, Unicode and decorated notation rewritten as the LaTeX that is read further on.

The tables are in `spellings`. No algebra and no evaluation; nested brackets are matched by counting.
"""

import re
import unicodedata
from fractions import Fraction

from am_assets.verification.mathematics.spellings import (
    ALL_BUT,
    BRACKETED,
    NONE_SUCH,
    OTHER_SCRIPTS,
    REWRITINGS,
    SET_WORDS,
    SIGN_TABLE,
    SUBSCRIPTS,
    SUPERSCRIPTS,
)
from am_assets.verification.mathematics.units import named
from am_assets.verification.mathematics.worded import leading_number, number_in_words

ALPHABET = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PRODUCT = re.compile(r"(?!sq)[b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZ]{3,5}(?<!s)(?<![rpb]pm)")  # without a vowel: mgh, nRT
# Words outside of commands: three letters or more, "and" and "or", other scripts, and what follows them.
WORDS = re.compile(
    r"\\text\{[^{}]*\}|\\(?:angle|triangle)\s*[A-Z]{2,4}(?![A-Za-z])|\\(?:begin|end)\{[^{}]*\}(?:\{[^{}]*\})?|\\[A-Za-z]+(?:\{[A-Za-z]+\})?"
    rf"|((?<![A-Za-z_^'])(?:[A-Za-zÀ-ɏ]{{3,}}|or|no|if|of|[{OTHER_SCRIPTS}]+)(?:'s|-(?=[A-Za-z]{{3}}))?"
    rf"(?: ?(?:[A-Za-z]{{2,}}|[{OTHER_SCRIPTS}]+))*)"
)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
OUTWARD = re.compile(r"([\[\]])([^\[\](),]{1,99})[,;]([^\[\](),]{1,99})([\[\]])")
# Digits that repeat between two dots, or in brackets behind the point.
DOTTED = re.compile(r"(?<=[.\d])\\dot\s*\{?(\d)\}?(?:(\d{0,30})\\dot\s*\{?(\d)\}?)?|(?<=\d\.)\((\d{1,30})\)")
# "0.333...", "0.1666...", "0.2727...": one digit three times, or several digits twice.
DOTS = re.compile(r"(?<![\d.])(\d{0,30})\.(\d{0,30}?)(?:(\d)\3\3+|(\d{2,6}?)\4+)\s*\\ldots")
REPEATING = re.compile(r"(\d{0,30})\.(\d{0,30})\\(?:overline|bar)\s*(?:\{(\d{1,30})\}|(\d))")
# The whole of a result, with a number in it.
IN_TEXT = re.compile(r"\s*\\(?:text(?:rm|normal|it|bf)?|mbox|hbox)\s*\{([^{}]*\d[^{}]*)\}\s*")
BOLD = re.compile(r"(?<![\w)}*])\*\*([^*\n]+)\*\*(?![\w(*])")
SPACE_BEHIND = re.compile(r"(?:\\[,;:! ]|\\q?quad)\s*$")
BUILDER = re.compile(r"\{\s*[A-Za-z]\s*[|:]")  # {x | x > 1}
EDGES = " \n,*`;\u2705\u2714\ufe0f"  # around a result, no part of it


def clean(text: str) -> str:
    r"""`text` in the one spelling.

    >>> clean("2√3"), clean(r"$\dfrac12$"), clean("1.6e-19")
    ('2\\sqrt{3}', '\\frac{1}{2}', '1.6\\times 10^{-19}')
    """
    text = SPACE_BEHIND.sub("", BOLD.sub(r"\1", text))
    text = (
        _bare(unicode_to_latex(text)).replace("...", "\\ldots ").replace("{.}", ".").lstrip(EDGES).rstrip(EDGES + ".")
    )
    text = re.sub(r"(?<!\\)\$", r"\\$", text) if len(re.findall(r"(?<!\\)\$", text)) == 1 else text
    text = REPEATING.sub(_repeating, DOTTED.sub(_overlined, DOTS.sub(r"\1.\2\\overline{\3\4}", text)))
    for pattern, replacement in REWRITINGS:
        text = pattern.sub(replacement, text)
    for name, form in BRACKETED.items():
        text = _bracketed(text, name, form)
    text = OUTWARD.sub(_inward, text)
    text = WORDS.sub(_in_text, text)
    text = re.sub(r"\\text\{([^{}]*)\}", _text_parts, text)
    text = " ".join(text.split()).lstrip(EDGES).rstrip(EDGES + ".")
    if text.startswith("{") and closing(text, 0) == len(text) - 1:
        text = rf"\{text[:-1]}\}}" if BUILDER.match(text) else text[1:-1].strip()
    words = " ".join(re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text).casefold().split()).rstrip(".").replace(" - ", "-")
    return set_in_words(words) or _numbered(words) or text


def set_in_words(words: str) -> str | None:
    """The set that `words`, in small letters, stand for: "no solution", "all real numbers except 2"."""
    if NONE_SUCH.fullmatch(words):
        return r"\emptyset"
    if not (found := ALL_BUT.fullmatch(words)):
        return SET_WORDS.get(words.replace("\\infty", "infinity"))
    numbers = re.sub(r",? (?:and|or) ", ", ", re.sub(r"x ?=", "", found[1]))
    return rf"\mathbb{{R}}\setminus\{{{numbers}\}}"


def _numbered(words: str) -> str | None:
    """A number in words, and what it counts; None if `words` begin with no number."""
    named = number_in_words(words)
    value, rest = (named, "") if named is not None else leading_number(words) or (None, "")
    if value is None:
        return None
    number = str(value) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    return rf"{number} \text{{{rest}}}" if rest else number


def _bare(text: str) -> str:
    found = IN_TEXT.fullmatch(text)
    return found[1] if found else text


def _inward(interval: re.Match[str]) -> str:
    """]1,3[ as (1,3)."""
    start, lower, upper, end = interval.groups()
    return f"{'(' if start == ']' else '['}{lower},{upper}{')' if end == '[' else ']'}"


def _in_text(words: re.Match[str]) -> str:
    r"""Plain words as `\text{}`, so that letters outside of it are factors; runs as in "abc" and "xyz" stay."""
    text = words[1]
    if not text or text in ALPHABET or (PRODUCT.fullmatch(text) and not named(text)):
        return words[0]
    return rf"\text{{{text}}}"


QUANTITY = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s+((?!or\b|and\b)[A-Za-zμΩÅ°]+(?:[ /^-][\w^]+)?)\s*")


def _text_parts(block: re.Match[str]) -> str:
    r"""`\text{}` taken apart at "and", "or" and commas, so that these can be found as separators."""
    if quantity := QUANTITY.fullmatch(block[1]):
        return rf" {quantity[1]} \text{{{quantity[2]}}} "
    parts = [part.strip() for part in re.split(r"\b(and|or)\b|(,|;)", block[1]) if part and part.strip()]
    return (
        " " + " ".join(part if part in ",;" or NUMBER.fullmatch(part) else rf"\text{{{part}}}" for part in parts) + " "
    )


def unicode_to_latex(text: str) -> str:
    """Signs, Greek letters, raised and lowered digits, vulgar fractions and full-width characters as LaTeX."""
    if text.isascii():
        return text
    text = re.sub(r"\\text\{\s*([或和且])\s*\}", r"\1", text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", lambda m: f"^{{{m[0].translate(SUPERSCRIPTS)}}}", text)
    text = re.sub("[₀-₉]+", lambda m: f"_{{{m[0].translate(SUBSCRIPTS)}}}", text)
    text = re.sub(r"([√∛])\s*(\d+(?:\.\d+)?|\w)", r"\1{\2}", half_width(text))
    text = re.sub("[¼-¾⅐-⅞]", _vulgar, text)
    return text.translate(SIGN_TABLE)


def half_width(text: str) -> str:
    """Full-width digits, letters and signs as those of ASCII."""
    if text.isascii():
        return text
    return "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in text)


def _vulgar(character: re.Match[str]) -> str:
    value = Fraction(unicodedata.numeric(character[0])).limit_denominator(10)
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def _overlined(digits: re.Match[str]) -> str:
    return rf"\overline{{{''.join(each or '' for each in digits.groups())}}}"


def _repeating(decimal: re.Match[str]) -> str:
    """A repeating decimal as a fraction."""
    whole, fixed, repeated = decimal[1], decimal[2], decimal[3] or decimal[4]
    value = Fraction(int((whole or "0") + fixed + repeated) - int((whole or "0") + fixed), 10 ** len(fixed))
    value /= 10 ** len(repeated) - 1
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def _bracketed(text: str, name: str, form: str) -> str:
    """`name(…)` written as `form` with what stands in the round brackets."""
    start = 0
    while (at := text.find(f"{name}(", start)) >= 0:
        start = at + len(name)
        end = closing(text, start)
        apart = not name.isalpha() or (not text[at - 1 : at].isalpha() and text[at - 1 : at] != "\\")
        if end is not None and apart:
            text = text[:at] + form % text[start + 1 : end] + text[end + 1 :]
    return text


def letters(text: str) -> set[str]:
    """The letters outside of commands."""
    return set(re.findall(r"[A-Za-z]", re.sub(r"\\[a-z]+", "", text)))


def closing(text: str, at: int) -> int | None:
    """The position of the bracket that closes the one at `at`, counting round and curly ones and any of both kinds."""
    depth = 0
    for position in range(at, len(text)):
        if text[position] in "([{":
            depth += 1
        elif text[position] in ")]}":
            depth -= 1
            if depth == 0:
                return position
    return None
