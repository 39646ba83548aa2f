r"""Normalization of result strings, and the test for strings that are prose rather than mathematics.

String patterns only, no algebra. Runs in the main process over untrusted text, so every pattern takes linear time.
"""

import re
from decimal import Decimal

from am_assets.verification.mathematics.notation import half_width, set_in_words, unicode_to_latex
from am_assets.verification.mathematics.worded import number_in_words

TEXT_COMMAND = re.compile(r"\\(?:text|textbf|textrm|textit|textnormal|mathrm|mathbf|mbox)\s*\{([^{}]*)\}")
ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{\w+\*?\}|\\operatorname\s*\{\w+\}")
# Words of prose, whose letters are no factors: three letters or more, no LaTeX command, no function; and "no".
WORD = re.compile(
    r"(?<![\\A-Za-z])(?!(?:and|sin|cos|tan|sec|csc|cot|log|exp|mod|gcd|lcm|max|min)\b)(?:[A-Za-z]{3,}|no\b)",
    re.IGNORECASE,
)
FOREIGN = re.compile(r"[\"#?\u2192\u2300-\U0010ffff]|\['|_ _")  # quoted lists, boards, other scripts: not in formulas
COUNTED = re.compile(r"([\d}$])\s*[\u3040-\u9fff\uac00-\ud7af]{1,5}(?=\s*(?:\d|$))")  # with a noun or unit
# Numbers side by side, as rows of a grid, and "1C 2A": no products.
SEQUENCE = re.compile(r"-?[\d.]+(?: -?[\d.]+)+|\d[A-J](?: \d[A-J])+")
PROSE = 4  # from so many words on, a text with numbers is no formula with a unit
SPACE_COMMAND = re.compile(r"(?<!\\)\\(?:[!,;:]|left\b|right\b|displaystyle\b)|\\?\$|\\[()\[\]]|(?<=[\w}])~")
DIGITS_APART = re.compile(r"(?<=\d)\\[!,;: ](?=\d)(?!\d{3}(?!\d))")  # "7\\,7" is two numbers, "7\\,777" one
GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?\.?(?: ?[^\d,]{0,40})?")
SPACED_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?: \d{3})+(?:\.\d*)?")
PLAIN_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?")
SCIENTIFIC = re.compile(r"(-?\d{1,40}(?:\.\d{0,40})?)\s*(?:\\times|\\cdot|\*)\s*10\^\{?(-?\d{1,3})\}?")


def normalize(text: str) -> str:
    r"""The canonical form of a number, formula or phrase.

    >>> normalize(r"$1{,}000.50$")
    '1000.5'
    """
    text = TEXT_COMMAND.sub(r"\1", half_width(text).replace("\u2212", "-"))
    text = (
        SPACE_COMMAND.sub("", DIGITS_APART.sub(" ", text).replace("\\ ", " "))
        .replace("\\dfrac", "\\frac")
        .replace("\\tfrac", "\\frac")
    )
    text = ungrouped(" ".join(text.replace("{,}", ",").replace("{.}", ".").split()))
    text = re.sub(r" ?([,={}()\[\]]) ?", r"\1", text).lstrip(" ,*`").rstrip(" .,*`")
    text = to_digits(text)
    number = PLAIN_NUMBER.fullmatch(text)
    if not number or not (number[2] or number[3]):
        return text
    whole, decimals = number[2].lstrip("0") or "0", (number[3] or "").rstrip("0")
    value = f"{whole}.{decimals}" if decimals else whole
    return f"-{value}" if number[1] == "-" and value != "0" else value


def ungrouped(text: str) -> str:
    """A number without the commas or blanks of its thousands; elsewhere these may separate, see `reading`."""
    if SPACED_THOUSANDS.fullmatch(text):
        return text.replace(" ", "")
    return text.replace(",", "") if GROUPED.fullmatch(text) else text


def to_digits(text: str) -> str:
    """A number in words or scientific notation as digits, without rounding; any other text unchanged."""
    scientific = SCIENTIFIC.fullmatch(text)
    if scientific:
        return f"{Decimal(scientific[1]).scaleb(int(scientific[2])):f}"
    named = number_in_words(text)
    return text if named is None else str(named)


def is_text(text: str) -> bool:
    """Is `text` words, a quoted list or a grid of numbers, which algebra would misread as a product?"""
    formula = COUNTED.sub(r"\1,", ENVIRONMENT.sub("", unicode_to_latex(text)))
    plain = normalize(formula)
    if SEQUENCE.fullmatch(plain) or FOREIGN.search(plain):
        return True
    if not re.search(r"[+*/^=<>\\\d_]", plain):
        return bool(WORD.search(plain))
    return words(formula) >= PROSE


def names_a_set(text: str) -> bool:
    """Are these words what a formula says as well, as "no solution" and "all real numbers" do?"""
    return set_in_words(normalize(text).casefold()) is not None


def words(text: str) -> int:
    r"""The number of words outside of commands; the content of `\text{}` is taken for a unit and not counted."""
    return len(WORD.findall(ENVIRONMENT.sub("", TEXT_COMMAND.sub("", text))))
