r"""Equality of two mathematical results, by math-verify over sympy, in a worker process.

Nothing here limits its own time: `verifiers/math.py` kills the worker. Answers come from models, so no text is
evaluated as Python; math-verify's plain-expression parser is given digits and operators only.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from am_assets.verification.mathematics.extraction import WINDOW, boxed
from am_assets.verification.mathematics.normalization import TEXT_COMMAND, is_text, to_digits, words
from am_assets.verification.mathematics.retraction import Verdict, downgrade_retracted
from am_assets.verification.mathematics.units import Unit, is_number, quantity

COMPARED = re.compile(r"[<>≤≥≠≈]|\\(?:[gln]eq?|[gl]t|approx|sim|equiv)\b")
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,100}")
Parsed = list  # of sympy expressions, the text they were read from last, as math-verify gives them


def prepare_worker() -> None:
    """Loads libraries and grammar before the time limit of the first row starts."""
    import logging

    import math_verify  # noqa: F401

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns about the timeout that we disable
    equal(parse(r"\frac{1}{2}"), parse("0.5+x"))  # the first formula builds the grammar


def judge_all(answer: str, settled: Verdict | None, open_pairs: list[tuple[list[str], str]]) -> Verdict:
    """The best verdict on an answer: of the one `settled` without algebra and those on the open pairs."""
    judged = [judge(found, answer, reference) for found, reference in open_pairs]
    verdict = best([*([settled] if settled else []), *judged])
    assert verdict is not None
    return verdict


def best(verdicts: list[Verdict]) -> Verdict | None:
    """The best of the verdicts on several references: pass, then unverifiable, then fail."""
    return min(verdicts, key=lambda verdict: ["pass", "unverifiable", "fail"].index(verdict[0]), default=None)


def judge(found: list[str], answer: str, reference: str) -> Verdict:
    """(verdict, reason, extracted) of an answer whose results are `found`; see `math.verify`."""
    number, unit = quantity(reference)
    golds = [parsed for gold in dict.fromkeys([reference, number]) if (parsed := parse(gold))]
    if not golds:
        return "unverifiable", "reference unparseable", " | ".join(found) or None
    # A bound on a number, or an equation of two different ones, is not that number.
    bounds = [bool(COMPARED.search(result)) and not COMPARED.search(reference) for result in found]
    numeric = is_number(number)
    readings = [
        [] if (numeric and bound) or _contradicts(result) else _in_unit(result, unit)
        for result, bound in zip(found, bounds, strict=True)
    ]
    extracted = " | ".join(found)
    phrase = not any(readings) and any(words(result) for result in found) and not boxed(answer)[0]
    if not found or phrase:  # no marked result, or a phrase: math-verify searches the text
        readings = [whole] if (whole := _parse(answer[-WINDOW:])) else []
        extracted = str(whole[-1]) if whole and isinstance(whole[-1], str) else extracted
    if not readings:
        return "fail", "answer missing", extracted or None
    if all(any(equal(gold, reading) for gold in golds) for reading in readings):
        return downgrade_retracted(("pass", "equal", extracted), answer)
    if len(readings) > 1:
        if equal(golds[0], parse(", ".join(found))):  # one box for each of several solutions
            return downgrade_retracted(("pass", "equal", extracted), answer)
        if not all(equal(readings[-1], reading) for reading in readings):
            return "fail", "several conflicting answers", extracted
    return "fail", "different", extracted


def _contradicts(result: str) -> bool:
    """Does `result` equate two different numbers?"""
    sides = [side for side in result.split("=") if side.strip()]
    if len(sides) < 2 or not all(is_number(side) for side in sides):
        return False
    first, *others = (parse(side) for side in sides)
    return not all(equal(first, other) for other in others)


def _in_unit(result: str, unit: Unit | None) -> Parsed:
    """`result` as an expression, converted to `unit` if both have a unit; with a unit of another dimension it becomes a
    symbol, which equals no number."""
    number, own = quantity(result)
    if not own:
        return parse(number)
    if not unit or "percent" in (unit.dimension, own.dimension):
        return parse(result)
    if own.dimension != unit.dimension:
        from sympy import Symbol

        return [Symbol(own.dimension)]
    ratio = own.factor / unit.factor
    return parse(number if ratio == 1 else rf"({number})\cdot\frac{{{ratio.numerator}}}{{{ratio.denominator}}}")


@lru_cache(512)  # answers to one question come in sequence, with the same reference
def parse(text: str) -> Parsed:
    """`text` parsed as mathematics; empty if it is none."""
    if WHOLE_NUMBER.fullmatch(text):  # the result of the grammar, without its milliseconds
        from sympy import Integer

        return [Integer(text), text]
    if is_text(text):
        return []
    # math-verify misreads currency, thin spaces, thousands separators in a fraction and blanks around operators, as it
    # takes "+ c" for a unit.
    text = re.sub(r"\\[$!,;:]|(?<=\d),(?:\\!)?(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"\s*([-+*/=])\s*", r"\1", text).strip(" ,").rstrip(".")
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    inner = TEXT_COMMAND.fullmatch(text)
    text = to_digits(inner[1] if inner else text)
    delimited = re.search(r"\$|\\[(\[]", text)
    quantity = words(text) and "\\" not in text  # "12 apples": the number counts, the letters are no factors
    return _parse(text if delimited or quantity else f"\\boxed{{{text}}}")


def _repeating(decimal: re.Match[str]) -> str:
    """A repeating decimal as a fraction."""
    whole, fixed, repeated = decimal.groups()
    value = Fraction(int((whole or "0") + fixed + repeated) - int((whole or "0") + fixed), 10 ** len(fixed))
    value /= 10 ** len(repeated) - 1
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


# Notations that math-verify does not know or misreads.
REWRITES: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"(\d{0,30})\.(\d{0,30})\\(?:overline|bar)\s*\{(\d{1,30})\}"), _repeating),
    (re.compile(r"(?<![\d.])\.(?=\d)"), "0."),
    (re.compile(r"(?<=[\d)])i\b"), r"\\cdot i"),  # "4i" is one word to it, and no imaginary number
    (re.compile(r"\\varnothing\b"), r"\\emptyset"),
    (re.compile(r"\\lbrace\b"), r"\\{"),
    (re.compile(r"\\rbrace\b"), r"\\}"),
    (re.compile(r"\\log_\{?e\b\}?"), r"\\ln"),
    (re.compile("°"), r"^\\circ"),
]


def _parse(text: str) -> Parsed:
    from math_verify import parse as extract

    parsed = extract(text, parsing_timeout=None, raise_on_error=True)
    return parsed if any(not isinstance(part, str) for part in parsed) else []


def equal(gold: Parsed, reading: Parsed) -> bool:
    """Are two parsed results equal? An interval equals the inequality with the same meaning."""
    from math_verify import verify

    return bool(gold and reading) and verify(
        gold, reading, allow_set_relation_comp=True, timeout_seconds=None, raise_on_error=True
    )
