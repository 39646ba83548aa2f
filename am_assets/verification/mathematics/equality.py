r"""The verdict on an answer whose results are mathematics, in a worker process.

Nothing here limits its own time: `verifiers/math.py` kills the worker. Answers come from models, so no text is
evaluated as Python. `reading` says what a result string names, `comparing` whether two of these are equal.
"""

import re

from am_assets.verification.mathematics.asides import by_lines
from am_assets.verification.mathematics.atoms import is_operation
from am_assets.verification.mathematics.boxes import boxed
from am_assets.verification.mathematics.comparing import Within
from am_assets.verification.mathematics.conclusion import is_changed, is_result, last_result, numbers
from am_assets.verification.mathematics.extraction import tail
from am_assets.verification.mathematics.normalization import normalize, words
from am_assets.verification.mathematics.notation import letters
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.retraction import Verdict, downgrade_retracted, is_asserted
from am_assets.verification.mathematics.rules.terms import consistent
from am_assets.verification.mathematics.told import Told, any_of
from am_assets.verification.mathematics.values import Equation, Named, Piecewise, Rounded, Term, Value, Words
from am_assets.verification.mathematics.worded import with_digits

FORMULA = re.compile(r"\d|\\(?!text(?![a-z]))|[=+*/^<>]")  # in words: perhaps a result that no rule reads
SUBSTANCE = re.compile(r"(?=.*\d)(?:[A-Z][a-z]?\d{0,3}){2,}")
COMMA = re.compile(r"\W*\d+,\d{1,2}(?:\s*[A-Za-z]+)?\W*")
UNTOLD, UNMARKED = "no rule compares these", "no result is marked"


def prepare_worker() -> None:
    """Loads libraries and grammar before the time limit of the first row starts."""
    import logging

    import math_verify  # noqa: F401

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns about the timeout that we disable
    compare(r"\frac{\sqrt{2}x}{2}", r"0.5+x")  # the first formula builds the grammar


def judge_all(
    answer: str, settled: Verdict | None, open_pairs: list[tuple[list[str], str]], tolerance: float | None = None
) -> Verdict:
    """The best verdict on an answer: of the one `settled` without algebra and those on the open pairs."""
    judged = [judge(found, answer, reference, tolerance) for found, reference in open_pairs]
    verdict = best([*([settled] if settled else []), *judged])
    assert verdict is not None
    return verdict


def best(verdicts: list[Verdict]) -> Verdict | None:
    """The best of the verdicts on several references: pass, then unverifiable, then fail."""
    return min(verdicts, key=lambda verdict: ["pass", "unverifiable", "fail"].index(verdict[0]), default=None)


def judge(found: list[str], answer: str, reference: str, tolerance: float | None = None) -> Verdict:
    """(verdict, reason, extracted) of an answer whose results are `found`; see `math.verify`."""
    if _is_words(reference) and not (found and all(compare(reference, one) for one in found)):
        return "unverifiable", "reference unparseable", " | ".join(found) or None
    extracted = " | ".join(found)
    phrase = not boxed(answer)[0] and any(map(words, found)) and all(map(_is_words, found))
    end = tail(answer) if phrase or not found else ""
    whole = not found and is_result(end)
    if whole:
        found = [extracted := end.strip()]
    unmarked = not found or phrase
    if unmarked and not re.search(r"\d", end):
        end = tail(answer := with_digits(answer))
    if unmarked:  # math-verify searches the text
        rows = by_lines(end)
        last, beside = (rows, False) if rows and compare(reference, rows) else last_result(end)
        found = [last] if last else []
        extracted = " | ".join(found) or extracted
    if not found:
        return ("unverifiable", UNMARKED, None) if numbers(end) else ("fail", "answer missing", extracted or None)
    if unmarked and (beside or is_changed(answer)):
        return "unverifiable", UNMARKED, extracted
    told = [compare(reference, result, tolerance) for result in found]
    solutions = len(found) > 1 and all(map(readings, found))  # perhaps one box for each of several
    if all(told) or (solutions and compare(reference, ", ".join(found), tolerance)):
        passed = ("pass", "equal", extracted)
        return passed if whole else downgrade_retracted(passed, answer)
    if not all(compare(found[-1], other, tolerance) for other in found[:-1]):
        return "fail", "several conflicting answers", extracted
    # the last number of a text that concludes nothing, or of a sentence that has what is asked for
    if unmarked and (not is_asserted(answer) or any(compare(reference, number) for number in numbers(end))):
        return "unverifiable", UNMARKED, extracted
    return ("fail", "different", extracted) if False in told else ("unverifiable", UNTOLD, extracted)


def compare(reference: str, result: str, tolerance: float | None = None) -> Told:
    """Is `result` what `reference` asks for, in any of the readings that they have?"""
    if normalize(reference) == normalize(result) or _substance(reference) == _substance(result) != "":
        return True
    same = Within(tolerance)
    told = any_of([_answers(gold, value, same) for gold in readings(reference) for value in readings(result)])
    if told is False and any(map(COMMA.fullmatch, (reference, result))):  # "3,5" may be a decimal, or two numbers
        decimals = [re.sub(r"(?<=\d),(?=\d)", ".", text) for text in (reference, result)]
        return None if normalize(decimals[0]) == normalize(decimals[1]) else False
    return told


def _answers(gold: Value, value: Value, same: Within) -> Told:
    """Equality of values, and what counts as an answer beyond it: the side of an equation that says what something is,
    and an approximation where the reference is one. Words are no number."""
    if isinstance(value, Words) and isinstance(gold, Term) and not FORMULA.search(value.text):
        return same.values(gold, value) or False
    if isinstance(value, Rounded) and isinstance(gold, Term) and "." in gold.text and consistent(value):
        return any_of([same.values(gold, value), same.values(gold, value.decimal)])
    if isinstance(gold, Equation) and not isinstance(value, Equation | Named | Piecewise):
        told = any_of([same.values(one, value) for one in readings(gold.right)])
        # "\int_0^1 x dx = 1/2" asks for its right side; "a + b = 7" may, "x^2 = 25" does not
        return told if not told or is_operation(gold.left) else None if _says_what_it_is(gold.left) else False
    if isinstance(value, Equation) and not isinstance(gold, Equation | Named | Piecewise):
        told = any_of([same.values(gold, one) for one in readings(value.right)])
        return told if not told or _says_what_it_is(value.left) else None
    return same.values(gold, value)


def _substance(text: str) -> str:
    r"""H2O of "H2O" and "\mathrm{H}_2\mathrm{O}"; "" of what is no chemical formula."""
    bare = re.sub(r"\\(?:text|ce|mathrm|mathbf)(?![a-z])|[\s{}_$]", "", text)
    return bare if SUBSTANCE.fullmatch(bare) else ""


def _says_what_it_is(left: str) -> bool:
    """Does an equation say what its left side is, as "a + b = 7" does? "2x = 10" leaves x to be found."""
    return len(letters(left)) > 1 or "\\" in left


def _is_words(text: str) -> bool:
    return all(isinstance(value, Words) for value in readings(text))
