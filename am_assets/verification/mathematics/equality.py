r"""The verdict on an answer whose results are mathematics, in a worker process.

Nothing here limits its own time: `verifiers/math.py` kills the worker. Answers come from models, so no text is
evaluated as Python. `reading` says what a result string names, `comparing` whether two of these are equal.
"""

import re

from am_assets.verification.mathematics.atoms import is_operation
from am_assets.verification.mathematics.boxes import boxed
from am_assets.verification.mathematics.comparing import Within
from am_assets.verification.mathematics.extraction import CLAUSE, NUMBER, SENTENCE_END, is_formula, tail
from am_assets.verification.mathematics.normalization import names_a_set, normalize, words
from am_assets.verification.mathematics.notation import letters
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.retraction import Verdict, downgrade_retracted, is_asserted
from am_assets.verification.mathematics.rules.terms import consistent
from am_assets.verification.mathematics.told import Told, any_of
from am_assets.verification.mathematics.values import Equation, Named, Rounded, Term, Value, Void, Words

FORMULA = re.compile(r"\d|\\(?!text(?![a-z]))|[=+*/^<>]")  # in words: perhaps a result that no rule reads
VERB = re.compile(r"\b(?:is|are|be|was|were|has|have|can)\b", re.IGNORECASE)
SENTENCE = re.compile(r"\?|\b(?:the|we|i|it|there|so|maybe|perhaps|not)\b", re.IGNORECASE)
CHANGED = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|think|guess|not)\b"
    r"|^\W*\d[\d.,]*\s+(?:squared|cubed|factorial|times|plus|minus|divided)\b\D*$",
    re.IGNORECASE,
)
# "Thus the ratio is", "so", "we get", "there are": what comes before a result that a sentence is about.
CONCLUDED = re.compile(
    r"(?:(?:so|thus|hence|therefore|then|finally|consequently),?\s+)?"
    r"(?:(?:the|this|its|our|an?)\s(?:(?!\b(?:not|is|are|if|when|that|which|between|than|least|most|about)\b)[^.=<>?!])"
    r"{1,80}?\b(?:is|are|equals)\s+(?:equal to\s+|all\s+)?|there (?:is|are)\s+(?:exactly\s+|only\s+)?"
    r"|we (?:get|have|find|obtain|conclude)(?: that)?\s+)?",
    re.IGNORECASE,
)
FURTHER = re.compile(r"[,;]?\s+(?:so|hence|thus|therefore|then|giving)\s+", re.IGNORECASE)
ARITHMETIC = re.compile(r"[\d\s.,$%x\u00d7*/+()\\-]+=")
# Behind a result, no part of it.
AFTER = re.compile(rf"\s+(?:of|at|in|on|for|per|during|within|from|with|when|if)\s+|{CLAUSE.pattern}")
LINES = re.compile(
    r"\\begin\{(align|aligned|eqnarray|gather|gathered|split)\*?\}((?:(?!\\begin\{\1).)*)\\end\{\1\*?\}[\s.$\\\]]*$",
    re.DOTALL,
)
LAST_SIDE = re.compile(r"=|\\equiv(?![a-z])")
SAID_LAST = re.compile(rf"{SENTENCE_END.pattern}|[.,]?(?:\\\]|\$\$)\s*(?=\w)|[.]\$\s+(?=[A-Z])")
VALUED = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?\s*=[^=]+")
FOR_ALL = re.compile(r",?\s+for (?:all|every|each|any)\b[^,.]*$")
RATIO, TO = re.compile(r"\b(?:ratio|odds)\b", re.IGNORECASE), re.compile(r"(?<=\d) to (?=\d)")
FEW = 8
ONE_RESULT = 100  # characters of an answer that may be nothing but its result
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
    whole = not found and _is_result(end := tail(answer))
    if whole:
        found = [extracted := end.strip()]
    unmarked = not found or phrase
    if unmarked:  # math-verify searches the text
        last = _concluded(answer) or _searched(answer)
        found = [last] if last else []
        extracted = " | ".join(found) or extracted
    if not found:
        return "fail", "answer missing", extracted or None
    if unmarked and _is_changed(answer):
        return "unverifiable", UNMARKED, extracted
    told = [compare(reference, result, tolerance) for result in found]
    solutions = len(found) > 1 and all(map(readings, found))  # perhaps one box for each of several
    if all(told) or (solutions and compare(reference, ", ".join(found), tolerance)):
        passed = ("pass", "equal", extracted)
        return passed if whole else downgrade_retracted(passed, answer)
    if not all(compare(found[-1], other, tolerance) for other in found[:-1]):
        return "fail", "several conflicting answers", extracted
    # the last number of a text that concludes nothing, or of a sentence that has what is asked for
    if unmarked and (not is_asserted(answer) or any(compare(reference, number) for number in _numbers(answer))):
        return "unverifiable", UNMARKED, extracted
    return ("fail", "different", extracted) if False in told else ("unverifiable", UNTOLD, extracted)


def compare(reference: str, result: str, tolerance: float | None = None) -> Told:
    """Is `result` what `reference` asks for, in any of the readings that they have?"""
    if normalize(reference) == normalize(result):
        return True
    same = Within(tolerance)
    return any_of([_answers(gold, value, same) for gold in readings(reference) for value in readings(result)])


def _answers(gold: Value, value: Value, same: Within) -> Told:
    """Equality of values, and what counts as an answer beyond it: the side of an equation that says what something is,
    and an approximation where the reference is one. Words are no number."""
    if isinstance(value, Words) and isinstance(gold, Term) and not FORMULA.search(value.text):
        return same.values(gold, value) or False
    if isinstance(value, Rounded) and isinstance(gold, Term) and "." in gold.text and consistent(value):
        return any_of([same.values(gold, value), same.values(gold, value.decimal)])
    if isinstance(gold, Equation) and not isinstance(value, Equation | Named):
        told = any_of([same.values(one, value) for one in readings(gold.right)])
        # "\int_0^1 x dx = 1/2" asks for its right side; "a + b = 7" may, "x^2 = 25" does not
        return told if not told or is_operation(gold.left) else None if _says_what_it_is(gold.left) else False
    if isinstance(value, Equation) and not isinstance(gold, Equation | Named):
        told = any_of([same.values(gold, one) for one in readings(value.right)])
        return told if not told or _says_what_it_is(value.left) else None
    return same.values(gold, value)


def _says_what_it_is(left: str) -> bool:
    """Does an equation say what its left side is, as "a + b = 7" does? "2x = 10" leaves x to be found."""
    return len(letters(left)) > 1 or "\\" in left


def _is_words(text: str) -> bool:
    return all(isinstance(value, Words) for value in readings(text))


def _is_result(answer: str) -> bool:
    """Is the whole answer one result and no sentence, as "0.25 liters" and "x < 2 or x > 3" are?"""
    text = answer.strip()
    if (
        len(text) > ONE_RESULT
        or "\n" in text
        or ((VERB.search(text) or SENTENCE.search(text)) and not names_a_set(text))
    ):
        return False
    values = readings(text)
    return bool(values) and not any(isinstance(value, Words | Void) for value in values)


def _concluded(answer: str) -> str | None:
    """The result that the last sentence is about: "so the ratio is 3:4", "thus x > 3 for all of them"; or that lines of
    formulas at the end come to."""
    if lines := LINES.search(tail(answer)):
        rows = [row.replace("&", "").strip(" .,\n") for row in lines[2].split("\\\\") if row.strip()]
        names = {row[: row.index("=")].strip() for row in rows if VALUED.fullmatch(row)}
        result = ", ".join(rows) if len(names) == len(rows) > 1 else LAST_SIDE.split(rows[-1])[-1] if rows else ""
        return result if result and _is_result(result) else None
    sentence = FURTHER.split(SAID_LAST.split(tail(answer).rstrip(" ."))[-1])[-1]
    begun = CONCLUDED.match(sentence)
    said = FOR_ALL.sub("", sentence[begun.end() :] if begun else sentence)
    result, _, beside = AFTER.sub("\n", said, count=1).partition("\n")
    if said == sentence or re.search(r"\d", beside):
        return None
    result = TO.sub(":", result) if RATIO.search(sentence) else result
    if "=" in result and (not is_formula(result) or ARITHMETIC.match(result)):  # its last side is what is asked for
        return None
    return result if _is_result(result) and (is_formula(result) or re.search(r"\d", result)) else None


def _numbers(answer: str) -> list[str]:
    """Those of the last sentence, a few at most."""
    return re.findall(NUMBER, SENTENCE_END.split(tail(answer).rstrip(" ."))[-1])[-FEW:]


def _is_changed(answer: str) -> bool:
    """Does a short answer without a verb say that its number is not the result, as "5 squared" and "6 = 5" do?"""
    if len(text := answer.strip()) > ONE_RESULT or VERB.search(text):
        return False
    return bool(CHANGED.search(text)) or any(isinstance(value, Void) for value in readings(text))


def _searched(answer: str) -> str | None:
    """The last result that math-verify finds in the text of an answer that marks none."""
    from math_verify import parse

    parsed = parse(tail(answer), parsing_timeout=None, raise_on_error=True)
    return parsed[-1] if parsed and isinstance(parsed[-1], str) else None
