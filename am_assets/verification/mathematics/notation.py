r"""One spelling of a result: plain, Unicode and decorated notation rewritten as the LaTeX that is read further on.

Tables of rewritings that leave the meaning as it is, in the order in which they apply. No algebra, no evaluation, and
linear time: nested brackets are matched by counting.
"""

import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction

Rewrite = str | Callable[[re.Match[str]], str]

SIGNS = {
    "\u2212": "-", "\u2013": "-", "\u2010": "-", "×": r"\times ", "⋅": r"\cdot ", "·": r"\cdot ", "÷": "/", "∕": "/",
    "≤": r"\le ", "⩽": r"\le ", "≥": r"\ge ", "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "±": r"\pm ",
    "∓": r"\mp ", "∞": r"\infty ", "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∈": r"\in ", "∅": r"\emptyset ",
    "ℝ": r"\mathbb{R} ", "ℤ": r"\mathbb{Z} ", "ℕ": r"\mathbb{N} ", "√": r"\sqrt", "∛": r"\sqrt[3]", "°": r"^\circ ",
    "…": r"\ldots ", "⋯": r"\ldots ", "′": "'", "⟨": r"\langle ", "⟩": r"\rangle ", "⌊": r"\lfloor ",
    "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "∠": r"\angle ", "→": r"\to ", "∨": r"\text{ or }",
    "∧": r"\text{ and }", "或": r"\text{ or }", "和": r"\text{ and }", "且": r"\text{ and }", "、": ", ", "。": ".",
    "\u3000": " ", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "❘": "|", "∣": "|",
}  # fmt: skip
GREEK = dict(zip("αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ", (
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
    " Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
).split(), strict=True))  # fmt: skip
SIGN_TABLE = str.maketrans(SIGNS | {letter: rf"\{name} " for letter, name in GREEK.items()})
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
FUNCTIONS = "sinh cosh tanh arcsin arccos arctan sin cos tan sec csc cot log ln exp"
FUNCTION = rf"(?:{'|'.join(FUNCTIONS.split())})"

TEXT = r"\\(?:text(?:bf|rm|it|normal|sf|tt)?|mathrm|mathbf|mbox|hbox|operatorname|mathit|mathsf|rm)\s*"
TABLE: list[tuple[re.Pattern[str], Rewrite]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in {
        # Delimiters and spacing.
        # Digits in groups, before what sets them apart goes.
        r"(?<=\d)(?:\{,\}|,\\!|\\[,;: !]|~)\s?(?=\d{3}(?!\d))": "",
        r"\\(?:boxed|fbox|framebox)(?![a-z])\s*": "",
        r"\\!|\\(?:left|right)(?![a-z])\s*\.?|\\[bB]igg?[lrm]?(?![a-z])|\\(?:display|text)style(?![A-Za-z])|\\limits(?![A-Za-z])": "",
        r"(?<!\\)\$|\\[()\[\]]|\\label\{[^{}]*\}|\\tag\{[^{}]*\}": "",
        r"(?<!\\)\\(?:[,;:> ]|q?quad(?![A-Za-z])|,)|~": " ",
        # Spellings of one command.
        r"\\[dtc]frac(?![A-Za-z])": r"\\frac",
        r"\\leq(?:slant|q)?(?![A-Za-z])": r"\\le ", r"\\geq(?:slant|q)?(?![A-Za-z])": r"\\ge ", r"\\neq(?![A-Za-z])": r"\\ne ",
        r"\\lt(?![A-Za-z])": "<", r"\\gt(?![A-Za-z])": ">", r"<=": r"\\le ", r">=": r"\\ge ", r"!=(?!=)": r"\\ne ",
        r"\\(?:varnothing|O)(?![A-Za-z])|\\\{\s*\\\}": r"\\emptyset ",
        r"\\lbrace(?![A-Za-z])": r"\\{", r"\\rbrace(?![A-Za-z])": r"\\}", r"\\lbrack(?![A-Za-z])": "[", r"\\rbrack(?![A-Za-z])": "]",
        r"\\(?:[lrcv]?dots[bcmio]?|hdots|cdots)(?![a-z])|\.\.\.+": r"\\ldots ",
        r"\\(?:mid|vert|lvert|rvert)(?![A-Za-z])": "|", r"\\colon(?![A-Za-z])": ":", r"\\(?:lor|vee)(?![A-Za-z])": r"\\text{ or }",
        r"\\(?:land|wedge|&)(?![a-z])": r"\\text{ and }", r"\\[bp]mod(?![A-Za-z])": r"\\mod ",
        r"\\(?:backslash|smallsetminus)(?![A-Za-z])": r"\\setminus ", r"\\log_\{?e(?![A-Za-z])\}?": r"\\ln ",
        r"\\(?:thickapprox|simeq|fallingdotseq)(?![A-Za-z])": r"\\approx ", r"\^\{?\\(?:circ|degree)(?![A-Za-z])\}?|\\degree(?![A-Za-z])": r"^\\circ ",
        r"\\mathbb\s*R(?![A-Za-z])|\\R(?![A-Za-z])": r"\\mathbb{R}", r"\\mathbb\s*Z(?![A-Za-z])": r"\\mathbb{Z}", r"\\mathbf\{R\}": r"\\mathbb{R}",
        r"\\ast(?![A-Za-z])|(?<!\*)\*(?!\*)": r"\\cdot ", r"\*\*": "^", r"\\div(?![A-Za-z])": "/", r"\+-|\+/-": r"\\pm ",
        r"\\(?:hat|widehat|mathbf|boldsymbol|bm|vec|overrightarrow)\s*\{\s*\\?([ijk])(?:math)?\s*\}": r"\\hat{\1}",
        r"\\hat\s*\\?([ijk])(?:math)?(?![A-Za-z])": r"\\hat{\1}",
        r"\\math(?:bf|rm|it|sf)\s*\{\s*(\d+(?: +\d+)+)\s*\}": lambda m: m[1].replace(" ", ""),
        r"\\(?:boldsymbol|bm|mathcal|mathscr|mathfrak)\s*\{([^{}]*)\}": r"\1",
        rf"{TEXT}\{{\s*([eid])\s*\}}": r"{\1}",
        rf"(?<![\^_]){TEXT}\{{\s*(-?\d+(?:\.\d+)?)\s*\}}": r"\1",
        rf"{TEXT}\{{\s*({FUNCTION})\s*\}}": r"\\\1 ",
        rf"{TEXT}\{{": r"\\text{",
        # Ordinals, e-notation, decimals, primes.
        r"(?<=\d)\s*(?:\^\{?\s*)?(?:\\text\{\s*)?(?:th|st|nd|rd)\s*\}?\}?(?![A-Za-z])": "",
        r"(?<![\w.}])(\d+\.?\d*|\.\d+)[eE]([+-]?\d{1,4})(?![\w.])": r"\1\\times 10^{\2}",
        r"(?<![\d.])\.(?=\d)": "0.",
        r"(?<=\d)\.(?!\d)": "",
        r"\^\{?(?:\\prime|'+)\}?": "'",
        # Plain functions, constants and powers.
        r"(?<![A-Za-z\\])(?:infinity|inf|oo)(?![A-Za-z])": r"\\infty ",
        r"(?<![A-Za-z\\])pi(?![A-Za-z])": r"\\pi ",
        rf"(?<![A-Za-z\\])({FUNCTION})(?=\s*(?:[(^\d_\\]|[a-z](?![A-Za-z])))": r"\\\1",
        r"(?<![A-Za-z\\])(max|min|lim|gcd|lcm|det)(?=\s*[(_])": r"\\\1",
        r"\^\s*(-?\d+(?:\.\d+)?)(?![\d.])": r"^{\1}",
        r"_(\d)(?!\d)": r"_{\1}",
        r"(?<![A-Za-z\\_^}])C\((\d+), ?(\d+)\)": r"\\binom{\1}{\2}",
        r"(?<![A-Za-z\\])C_\{?(\w+)\}?\^\{?(\w+)\}?(?!\w)": r"\\binom{\1}{\2}",
        r"(?:\{\})?(?:_\{?(\w+)\}?|\^\{(\w+)\})C_\{?(\w+)\}?": lambda m: rf"\binom{{{m[1] or m[2]}}}{{{m[3]}}}",
        r"(?<![A-Za-z\\])[AP]_\{?(\d+)\}?\^\{?(\d+)\}?(?!\w)": r"\\frac{\1!}{(\1-\2)!}",
        # Fractions and mixed numbers.
        r"\\frac\s*(\d|\\pi(?![a-z])|(?<=\s)[a-zA-Z])": r"\\frac{\1}",
        r"(\\frac\s*\{(?:[^{}]|\{[^{}]*\})*\})\s*(\d|[a-zA-Z]|\\pi(?![a-z]))": r"\1{\2}",
        r"\\sqrt\s*(\d|[a-z])": r"\\sqrt{\1}",
        r"(?<![\w.^/}\\])(\d+)\s*\\frac\{(\d+)\}\{(\d+)\}": r"(\1+\\frac{\2}{\3})",
        r"(?<![\w.^/}\\])(\d+)[ ]+(\d+)/(\d+)(?![\d/.\w])": r"(\1+\\frac{\2}{\3})",
        r"(?<![\w}.)/^])(\d+)/(\d+)(?=[a-zA-Z(])": r"\\frac{\1}{\2}",
    }.items()
]  # fmt: skip
ALPHABET = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Words outside of commands: three letters or more, "and" and "or", other scripts, and what follows them.
WORDS = re.compile(
    r"\\text\{[^{}]*\}|\\(?:begin|end)\{[^{}]*\}(?:\{[^{}]*\})?|\\[A-Za-z]+(?:\{[A-Za-z]+\})?"
    r"|((?<![A-Za-z_^'])(?:[A-Za-z]{3,}|or|no|if|[\u4e00-\u9fff]+)(?:'s|-(?=[a-z]{3}))?(?: ?(?:[A-Za-z]{2,}|[\u4e00-\u9fff]+))*)"
)
OUTWARD = re.compile(r"([\[\]])([^\[\](),]{1,99})[,;]([^\[\](),]{1,99})([\[\]])")
REPEATING = re.compile(r"(\d{0,30})\.(\d{0,30})\\(?:overline|bar)\s*\{(\d{1,30})\}|(\d{0,30})\.(\d{0,30})\((\d{1,30})\)")
EDGES = " \n,*`;\u2705\u2714\ufe0f"  # around a result, no part of it
FULL_SETS = {
    r"\emptyset": "no solution|no solutions|no real solution|no real solutions|there is no solution|there are no"
    " solutions|the empty set|empty set|no such x exists|no real roots",
    r"(-\infty,\infty)": "all real numbers|all reals|any real number|all real x|all real values|the real numbers|"
    "the set of all real numbers|the set of real numbers|every real number|all real values of x",
    r"\infty": "infinity|positive infinity",
    r"-\infty": "negative infinity|minus infinity",
}
NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
NUMBER_WORDS = {word: str(number) for number, word in enumerate(NUMBERS.split())}
IN_WORDS = NUMBER_WORDS | {words: formula for formula, several in FULL_SETS.items() for words in several.split("|")}


def clean(text: str) -> str:
    r"""`text` in the one spelling.

    >>> clean("2√3"), clean(r"$\dfrac12$"), clean("1.6e-19")
    ('2\\sqrt{3}', '\\frac{1}{2}', '1.6\\times 10^{-19}')
    """
    text = unicode_to_latex(text).lstrip(EDGES).rstrip(EDGES + ".")
    text = re.sub(r"(?<!\\)\$", r"\\$", text) if len(re.findall(r"(?<!\\)\$", text)) == 1 else text
    text = REPEATING.sub(_repeating, text)
    for pattern, replacement in TABLE:
        text = pattern.sub(replacement, text)
    for name, form in {"sqrt": r"\sqrt{%s}", r"\exp": "e^{%s}", "abs": "|%s|", "^": "^{%s}", r"\sqrt": r"\sqrt{%s}"}.items():
        text = _bracketed(text, name, form)
    text = OUTWARD.sub(_inward, text)
    text = WORDS.sub(_in_text, text)
    text = re.sub(r"\\text\{([^{}]*)\}", _text_parts, text)
    text = " ".join(text.split()).lstrip(EDGES).rstrip(EDGES + ".")
    if text.startswith("{") and closing(text, 0) == len(text) - 1:
        text = text[1:-1].strip()
    words = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text)
    return IN_WORDS.get(" ".join(words.casefold().split()).rstrip("."), text)


def _inward(interval: re.Match[str]) -> str:
    """]1,3[ as (1,3)."""
    start, lower, upper, end = interval.groups()
    return f"{'(' if start == ']' else '['}{lower},{upper}{')' if end == '[' else ']'}"


def _in_text(words: re.Match[str]) -> str:
    r"""Plain words as `\text{}`, so that letters outside of it are factors; runs as in "abc" and "xyz" stay."""
    text = words[1]
    if not text or text in ALPHABET:
        return words[0]
    return rf"\text{{{text}}}"


def _text_parts(block: re.Match[str]) -> str:
    r"""`\text{}` taken apart at "and", "or" and commas, so that these can be found as separators."""
    parts = [part.strip() for part in re.split(r"\b(and|or)\b|(,|;)", block[1]) if part and part.strip()]
    return " " + " ".join(part if part in ",;" else rf"\text{{{part}}}" for part in parts) + " "


def unicode_to_latex(text: str) -> str:
    """Signs, Greek letters, raised and lowered digits, vulgar fractions and full-width characters as LaTeX."""
    if text.isascii():
        return text
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", lambda m: f"^{{{m[0].translate(SUPERSCRIPTS)}}}", text)
    text = re.sub("[₀-₉]+", lambda m: f"_{{{m[0].translate(SUBSCRIPTS)}}}", text)
    text = half_width(text)
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


def _repeating(decimal: re.Match[str]) -> str:
    """A repeating decimal as a fraction."""
    whole, fixed, repeated = decimal.groups()[:3] if decimal[3] else decimal.groups()[3:]
    value = Fraction(int((whole or "0") + fixed + repeated) - int((whole or "0") + fixed), 10 ** len(fixed))
    value /= 10 ** len(repeated) - 1
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


def _bracketed(text: str, name: str, form: str) -> str:
    """`name(…)` written as `form` with what stands in the round brackets."""
    start = 0
    while (at := text.find(f"{name}(", start)) >= 0:
        start = at + len(name)
        end = closing(text, start)
        apart = not name.isalpha() or not text[at - 1 : at].isalpha() and text[at - 1 : at] != "\\"
        if end is not None and apart:
            text = text[:at] + form % text[start + 1 : end] + text[end + 1 :]
    return text


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
