r"""Tables of notation: what a spelling is rewritten as, in the order in which the rewritings apply.

Each leaves the meaning as it is. In the patterns of `PATTERNS` a word boundary only asks that no letter follows, so
that a digit may stand behind a command.
"""

import re
from collections.abc import Callable
from fractions import Fraction

SIGNS = {
    "\u2212": "-", "\u2013": "-", "\u2010": "-", "×": r"\times ", "⋅": r"\cdot ", "·": r"\cdot ", "÷": "/", "∕": "/",
    "≤": r"\le ", "⩽": r"\le ", "≥": r"\ge ", "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "±": r"\pm ",
    "≡": r"\equiv ",
    "∓": r"\mp ", "∞": r"\infty ", "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∈": r"\in ", "∅": r"\emptyset ",
    "ℝ": r"\mathbb{R} ", "ℤ": r"\mathbb{Z} ", "ℕ": r"\mathbb{N} ", "√": r"\sqrt", "∛": r"\sqrt[3]", "°": r"^\circ ",
    "…": r"\ldots ", "⋯": r"\ldots ", "′": "'", "⟨": r"\langle ", "⟩": r"\rangle ", "⌊": r"\lfloor ",
    "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "∠": r"\angle ", "→": r"\to ", "∨": r"\vee ",
    "∧": r"\wedge ", "¬": r"\neg ", "或": r"\text{ or }", "和": r"\text{ and }", "且": r"\text{ and }",
    "、": ", ", "。": ".", "\u3000": " ", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "❘": "|", "∣": "|",
}  # fmt: skip
OTHER_SCRIPTS = r"\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af"
GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
SIGN_TABLE = str.maketrans(SIGNS | {letter: rf"\{name} " for letter, name in GREEK.items()})
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
FUNCTIONS = "sinh cosh tanh arcsin arccos arctan sin cos tan sec csc cot log ln exp"
FUNCTION = rf"(?:{'|'.join(FUNCTIONS.split())})"
GREEK_LETTER = rf"\\(?:{'|'.join(GREEK.values())})(?![a-z])"

ELSEWHERE = {"tg": "tan", "ctg": "cot", "cotg": "cot", "cosec": "csc"}
TEXT = r"\\(?:text(?:bf|rm|it|normal|sf|tt)?|mathrm|mathbf|mbox|hbox|operatorname|mathit|mathsf|rm)\s*"


def _degrees(found: re.Match[str]) -> str:
    """Degrees, minutes and seconds as degrees."""
    value = int(found[1]) + Fraction(int(found[2]), 60) + Fraction(int(found[3] or 0), 3600)
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}^\circ "


def _chosen(found: re.Match[str], form: str) -> str:
    """Combinations C_5^2 and arrangements A_5^2; C_1^2 is the square of a constant."""
    total, part = found[1], found[2]
    if total.isdigit() and part.isdigit() and int(total) < int(part):
        return found[0]
    return form % ((total, part) if form.count("%s") == 2 else (total, total, part))


PATTERNS: dict[str, str | Callable[[re.Match[str]], str]] = {
    # Digits in groups, before what sets them apart goes.
    r"(?<=\d)(?:\{,\}|,\\!|\\[,;: !]|~)\s?(?=\d{3}(?!\d))": "",
    # A comma in braces before other than three digits, or before cents, is a decimal one.
    r"(?<=\d)\{,\}(?=(?:\d{1,2}|\d{4,})(?!\d))": ".",
    r"(?<![\d.,])(\d+),(\d\d)(?=\s*(?:\\text\s*\{)?\s*€)|(?<=€)(\d+),(\d\d)(?!\d)": r"\1\3.\2\4",
    r"\\pounds\b\s*": "£", r"(?<![A-Za-z])Rs\.?\s*(?=\d)": "₹",
    r"\\in\s*\{([^{}\\]*)\}": r"\\in \\{\1\\}",
    r"(?<=\d)\{:\}(?=\d\d)": ":",
    r"(?<=\\mathbb\{R\})\s*\\ ?\{([^{}\\]*)\}": r"\\setminus\\{\1\\}",
    # Delimiters and spacing.
    r"\\[hv]?phantom\s*(?:\{[^{}]*\}|\S)": "",
    r"\\(?:boxed|fbox|framebox)(?![a-z])\s*": "",
    r"\\!|\\(?:left|right)(?![a-z])\s*\.?|\\[bB]igg?[lrm]?(?![a-z])|\\(?:display|text)style\b|\\limits\b": "",
    r"(?<!\\)\$|\\[()\[\]]|\\label\{[^{}]*\}|\\tag\{[^{}]*\}": "",
    r"(?<!\\)\\(?:[,;:> ]|q?quad\b|,)|~": " ",
    # A transposed row.
    r"[(\[]([^()\[\]]*,[^()\[\]]*)[)\]]\s*\^\s*\{?\s*(?:T|\\top|\\intercal|\\text\{T\}|\\mathrm\{T\})\s*\}?": r"(\1)",
    r"\\(begin|end)\{(\w+)\*\}": r"\\\1{\2}",
    # Sizes, colours and check marks.
    r"\\checkmark\b": "",
    r"\\(?:footnotesize|scriptsize|tiny|small|normalsize|[lL]arge|LARGE|[hH]uge)\b": "",
    r"\\(?:text)?color\s*\{[^{}]*\}": "",
    r"\\ce\s*\{": r"\\text{",
    r"\\equiv\b(?!.*mod)": "=", r"->": r"\\to ",
    r"\\var(epsilon|phi|theta|rho)\b": r"\\\1", r"_\{\s*\\(max|min)\s*\}": r"_{\1}",
    r"\\(max|min|gcd|lcm)\s*\\\{([^{}]*)\\\}": r"\\\1(\2)",
    # Spellings of one command.
    r"\\(?:[dtcsx]|nice)frac\b": r"\\frac",
    r"\\leq(?:slant|q)?\b": r"\\le ", r"\\geq(?:slant|q)?\b": r"\\ge ", r"\\neq\b": r"\\ne ",
    r"\\lt\b": "<", r"\\gt\b": ">", r"<=": r"\\le ", r">=": r"\\ge ", r"!=(?!=)": r"\\ne ",
    r"\\(?:varnothing|O)\b|\\\{\s*\\\}": r"\\emptyset ",
    r"\\lbrace\b": r"\\{", r"\\rbrace\b": r"\\}", r"\\lbrack\b": "[", r"\\rbrack\b": "]",
    r"\\(?:[lrcv]?dots[bcmio]?|hdots|cdots)(?![a-z])|\.\.\.+": r"\\ldots ",
    r"\\(?:mid|vert|lvert|rvert)\b": "|", r"\\colon\b": ":",
    r"\\coloneqq\b|:=": "=", r"\\(?:long)?rightarrow\b": r"\\to ", r"\\(?:implies|Longrightarrow)\b": r"\\Rightarrow ",
    # Between statements on values; p \\wedge q is a formula of its own.
    r"\\(?:lor|vee)\b(?=.*(?:[=<>]|\\(?:[lg]e|in)\b))": r"\\text{ or }", r"\\lor\b": r"\\vee ",
    r"\\(?:land|wedge)\b(?=.*(?:[=<>]|\\(?:[lg]e|in)\b))|\\&": r"\\text{ and }", r"\\land\b": r"\\wedge ",
    r"\\lnot\b": r"\\neg ", r"\\[bp]mod\b": r"\\mod ",
    r"\(\s*mod(?:ulo)?\s+(\d+)\s*\)": r"\\mod \1",
    r"\\(?:backslash|smallsetminus)\b": r"\\setminus ", r"\\log_\{?e\b\}?": r"\\ln ",
    r"\\(?:thickapprox|simeq|fallingdotseq)\b": r"\\approx ", r"\^\{?\\(?:circ|degree)\b\}?|\\degree\b": r"^\\circ ",
    r"\\mathbb\s*([RZNQC])\b|\\([RZNQ])\b|\\mathbf\{([RZNQC])\}|(?<=\\in)\s*([RZNQ])\b":
        r"\\mathbb{\1\2\3\4}",
    r"(?<=\\mathbb\{[NZ]\})\s*[_^]\s*(?:\{?\s*(?:\*|\+|\\ast\b)\s*\}?|\{\s*>\s*0\s*\})"
    r"|(?<=\\mathbb\{[NZ]\})\s*\^\s*$": "^{+}",
    r"\\mathbb\{N\}\^\{\+\}": r"\\mathbb{Z}^{+}",
    r"\\(vec|bar|hat|overline|overrightarrow)\s+([A-Za-z])\b": r"\\\1{\2}",
    r"\\forall(?![a-z])": " ",
    r"\\ast\b|(?<!\*)\*(?!\*)": r"\\cdot ", r"\*\*": "^", r"\\div\b": "/", r"\+-|\+/-": r"\\pm ",
    r"\\(?:hat|widehat|mathbf|boldsymbol|bm|vec|overrightarrow)\s*\{\s*\\?([ijk])(?:math)?\s*\}": r"\\hat{\1}",
    r"\\(?:hat|mathbf|boldsymbol|bm|vec)\s*\\?([ijk])(?:math)?\b": r"\\hat{\1}",
    r"\\math(?:bf|rm|it|sf)\s*\{\s*(\d+(?: +\d+)+)\s*\}": lambda m: m[1].replace(" ", ""),
    r"\\(?:boldsymbol|bm|mathcal|mathscr|mathfrak)(?:\s*\{([^{}]*)\}|\s+([A-Za-z])\b)": r"\1\2",
    r"^0x([0-9A-Fa-f]+)$": lambda m: rf"({m[1].upper()})_{{16}}",
    rf"{TEXT}\{{\s*([eid])\s*\}}": r"{\1}",
    rf"(?<![\^_]){TEXT}\{{\s*(-?\d+(?:\.\d+)?)\s*\}}": r"\1",
    rf"{TEXT}\{{\s*({FUNCTION})\s*\}}": r"\\\1 ",
    rf"{TEXT}\{{": r"\\text{",
    r"(?<=кв)\.|(?<=куб)\.": "",
    # The sine of an angle over something else; "\\sin x/2" may be that of the half.
    r"(\\(?:sin|cos|tan)(?![a-z])(?:\s*\^\{\d\})?)\s*(\\(?!pi)[a-z]+|[a-zA-Z])\s*/(?=\s*(?:\\(?!pi)[a-z]+|[a-zA-Z(]))":
        r"\1(\2)/",
    r"(?<![\w.])(\d{1,2})h(\d\d)(?!\w)": r"\1 \\text{h} \2 \\text{min}",
    # Labels of parts.
    r"\\text\{\s*(\((?:[1-8a-h]|i{1,3}|iv|v|I{1,3}|IV|V)\))\s*\}": r" \1 ",
    # Functions as they are called elsewhere.
    rf"(?:{TEXT}\{{\s*|\\|(?<![A-Za-z\\])(?=\w+\s*[\^({{\d\\ ]))(arc)?(tg|c(?:o)?tg|cosec|arccot)(?![A-Za-z])\s*\}}?":
        lambda m: rf"\{m[1] or ''}{ELSEWHERE.get(m[2], m[2])} ",
    rf"(?:{TEXT}\{{\s*|\\)([sc])h\b\s*\}}?": lambda m: rf"\{'sin' if m[1] == 's' else 'cos'}h ",
    # Units: one text over another, a prefix beside its unit.
    r"\\frac\s*\{\s*(\\text\{[^{}]*\}(?:\^\d)?)\s*\}\{\s*(\\text\{[^{}]*\}(?:\^\{?\d\}?)?)\s*\}": r"\1/\2",
    r"\\text\{\s*([kmMG])\s*\}\s*\\Omega\b": r"\\text{\1Ω}",
    r"\\text\{\s*\(?((?:square |cubic )?units?)\)?\s*\}(?:\s*\^\{?[23]\}?)?": r"\\text{\1}",
    r"(?<![A-Za-z{])(units?)\s*\^\{?[23]\}?": r"\1",
    # Ordinals, e-notation, decimals, primes.
    r"(?<=\d)\s*(?:\^\{?\s*)?(?:\\text\{\s*)?(?:th|st|nd|rd)\s*\}?\}?\b": "",
    r"(?<![\w.}])(\d+\.?\d*|\.\d+)[eE]([+-]?\d{1,4})(?![\w.])": r"\1\\times 10^{\2}",
    r"(?<![\d.])\.(?=\d)": "0.",
    r"(?<=\d)\.(?!\d)": "",
    r"\^\{?(?:\\prime|'+)\}?": "'",
    r"(?<![\w^'])(\d{1,2})\s*'\s*(\d{1,2}(?:\.\d+)?)\s*(?:''|\"|″)": r"\1 \\text{ft} \2 \\text{in}",
    r"(?<![\d.])(\d{1,9})\s*\^\\circ\s*([0-5]?\d)\s*'(?:\s*([0-5]?\d)\s*(?:''|\"))?": _degrees,
    r"(\\i*int(?![a-z])[^=]*?[\w})])\s*(?:d|\{d\})([r-z])\b": r"\1 d\2",  # \int xdx: no word
    # Plain functions, constants and powers.
    r"(?<![A-Za-z\\])(?:infinity|inf|oo)\b": r"\\infty ",
    r"(?<![A-Za-z\\])pi\b": r"\\pi ",
    rf"(?<![A-Za-z\\])({FUNCTION})(?=\s*(?:[(^\d_\\]|[a-z]\b))": r"\\\1",
    r"(?<![A-Za-z\\])(max|min|lim|gcd|lcm|det)(?=\s*[(_])": r"\\\1",
    r"\^\s*(-?\d+(?:\.\d+)?)(?![\d.])": r"^{\1}",
    # An exponent within a text, as in "m s^{-2}".
    r"\\text\{[^{}]*\{[^{}]*\}(?:[^{}]|\{[^{}]*\})*\}": lambda m: "\\text{" + re.sub(r"[{}]", "", m[0][6:-1]) + "}",
    r"_(\d)(?!\d)": r"_{\1}",
    r"([a-z])_\{1, ?2\}(?=\s*=)": r"\1",  # x_{1,2} = 1 \pm \sqrt{2}
    r"(?<![A-Za-z\\_^}])C\((\d+), ?(\d+)\)": r"\\binom{\1}{\2}",
    r"\{\s*(\w+)\s*\\choose\s*(\w+)\s*\}|(?<![\w}])(\w+)\s*\\choose\s*(\w+)(?!\w)":
        lambda m: rf"\binom{{{m[1] or m[3]}}}{{{m[2] or m[4]}}}",
    r"(?<![\w}])(\d+|[a-z]) choose (\d+|[a-z])(?!\w)": r"\\binom{\1}{\2}",
    r"\\lg\b": r"\\log_{10}",  # as in school books
    r"\\angle\s*([A-Z])([A-Z])([A-Z])\b": lambda m: rf"\angle {min(m[1], m[3])}{m[2]}{max(m[1], m[3])}",  # its vertex
    r"(?:\\text\{\s*cis\s*\}|(?<![A-Za-z\\])cis)\s*(\((?:[^()]|\([^()]*\))*\)|\\frac\{[^{}]*\}\{[^{}]*\}"
    r"|-?\d+(?:\.\d+)?(?:\s*\^\\circ)?(?!\w)|\\[a-z]+)": r"e^{i\\cdot(\1)}",
    r"^\(?(-?\d+(?:\.\d+)?\s*[-+]\s*\d*(?:\.\d+)?\s*)j\)?$": r"\1i",  # with a real part, it is no vector
    r"(?<![A-Za-z\\])C_\{?(\w+)\}?\^\{?(\w+)\}?(?!\w)": lambda m: _chosen(m, r"\binom{%s}{%s}"),
    r"(?:\{\})?(?:_\{?(\w+)\}?|\^\{(\w+)\})C_\{?(\w+)\}?": lambda m: rf"\binom{{{m[1] or m[2]}}}{{{m[3]}}}",
    r"(?<![A-Za-z\\])[AP]_\{?(\d+)\}?\^\{?(\d+)\}?(?!\w)": lambda m: _chosen(m, r"\frac{%s!}{(%s-%s)!}"),
    # A quotient with its remainder, which is no product.
    r"^(?:(?:\\text\{ ?)?quotient:?(?: ?\})? ?)?(\d+),? ?(?:\\text\{ ?)?(?:and )?(?:R|r|remainder:?)(?: ?\})? ?(\d+)$":
        r"(\1,\2)",
    # Fractions and mixed numbers.
    r"^(\d+) ?(?:\\text\{)? ?(?:out of|in) ?\}? ?(\d+)$": r"\\frac{\1}{\2}",
    r"^(\d+) ?(?:\\text\{)? ?to ?\}? ?(\d+)$": r"\1:\2",
    r"\\frac\s*(\d|\\pi(?![a-z])|(?<=\s)[a-zA-Z])": r"\\frac{\1}",
    r"(\\frac\s*\{(?:[^{}]|\{[^{}]*\})*\})\s*(\d|[a-zA-Z]|\\pi(?![a-z]))": r"\1{\2}",
    rf"\\sqrt\s*(\[\d+\])?\s*(\d|[a-z]|{GREEK_LETTER})": lambda m: rf"\sqrt{m[1] or ''}{{{m[2]}}}",
    r"(?<![\w.^/}\\])(\d+)\s*\\frac\{(\d+)\}\{(\d+)\}": r"(\1+\\frac{\2}{\3})",
    r"(?<![\w.^/}\\])(\d+)[ ]+(\d+)/(\d+)(?![\d/.\w])": r"(\1+\\frac{\2}{\3})",
    r"(?<![\w}.)/^])(\d+)/(\d+)(?=[a-zA-Z(])": r"\\frac{\1}{\2}",
}  # fmt: skip
REWRITINGS = [(re.compile(pattern.replace(r"\b", "(?![A-Za-z])")), new) for pattern, new in PATTERNS.items()]
# Functions with round brackets, and what they are with braces.
BRACKETED = {
    "sqrt": r"\sqrt{%s}", r"\exp": "e^{%s}", "abs": "|%s|", "^": "^{%s}", r"\sqrt": r"\sqrt{%s}",
}  # fmt: skip

FULL_SETS = {
    r"\emptyset": "no solution|no solutions|no real solution|no real solutions|there is no solution|there are no"
    " solutions|there are no real solutions|no solution exists|no solutions exist|no real solutions exist"
    "|the equation has no solution|the equation has no real solutions|the empty set|empty set"
    "|no real roots|there are no real roots",
    r"(-\infty,\infty)": "all real numbers|all reals|any real number|all real x|all real values|the real numbers"
    "|the set of all real numbers|the set of real numbers|every real number|all real values of x|x can be any real"
    " number|x is any real number|any real number x|any real value of x|all real numbers x",
    r"\mathbb{Z}": "all integers|any integer|every integer|the set of all integers|the integers",
    r"\mathbb{Z}^{+}": "all positive integers|any positive integer|every positive integer|all positive integers n"
    "|the set of all positive integers|all positive integer values of n",
    r"\infty": "infinity|positive infinity|diverges to infinity|the limit is infinity",
    r"-\infty": "negative infinity|minus infinity|diverges to negative infinity",
} | {
    interval: "|".join(f"{every} {name} real {of}" for name in names.split("|")
                       for every, of in (("all", "numbers"), ("any", "number"), ("the set of all", "numbers")))
    for interval, names in {
        r"[0,\infty)": "nonnegative|non-negative", r"(0,\infty)": "positive",
        r"(-\infty,0]": "nonpositive|non-positive", r"(-\infty,0)": "negative",
    }.items()
}  # fmt: skip
# Of all real numbers some; they stand behind these words.
ALL_BUT = re.compile(
    r"(?:the set of )?(?:all|every|any) real (?:numbers?|values?)(?: of)?(?: x)?,?"
    r" (?:except|excluding|other than|but)(?: for)? ((?:\\[a-z]+|and|or|x ?=|[^a-z=])+)"
)
NONE_SUCH = re.compile(r"(?:there (?:is|are) )?no such [a-z]+(?: [a-z]+){0,3}?(?: exists?)?")
SET_WORDS = {words: formula for formula, several in FULL_SETS.items() for words in several.split("|")}
NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
NUMBER_WORDS = {word: str(number) for number, word in enumerate(NUMBERS.split())}
