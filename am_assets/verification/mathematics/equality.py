r"""The verdict on an answer whose results are mathematics, in a worker process.

Nothing here limits its own time: `verifiers/math.py` kills the worker. Answers come from models, so no text is
evaluated as Python. `reading` says what a result string names, `comparing` whether two of these are equal.
"""

import re

from am_assets.verification.mathematics.comparing import Told, all_of, any_of, consistent, same
from am_assets.verification.mathematics.extraction import WINDOW, boxed
from am_assets.verification.mathematics.normalization import normalize, words
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.retraction import Verdict, downgrade_retracted
from am_assets.verification.mathematics.values import Equation, Named, Rounded, Term, Value, Words

UNTOLD = "no rule compares these"


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
    golds = readings(reference)
    if (not golds or isinstance(golds[0], Words)) and not (found and all(compare(reference, one) for one in found)):
        return "unverifiable", "reference unparseable", " | ".join(found) or None
    extracted = " | ".join(found)
    phrase = any(words(result) for result in found) and not boxed(answer)[0] and all(map(_is_words, found))
    if not found or phrase:  # no marked result, or a phrase: math-verify searches the text
        found = [last] if (last := _searched(answer)) else []
        extracted = " | ".join(found) or extracted
    if not found:
        return "fail", "answer missing", extracted or None
    told = [compare(reference, result, tolerance) for result in found]
    if all(told):
        return downgrade_retracted(("pass", "equal", extracted), answer)
    if len(found) > 1:
        if all(map(readings, found)) and compare(reference, ", ".join(found), tolerance):  # one box for each of several solutions
            return downgrade_retracted(("pass", "equal", extracted), answer)
        if not all(compare(found[-1], other, tolerance) for other in found[:-1]):
            return "fail", "several conflicting answers", extracted
    if False in told:
        return "fail", "different", extracted
    return "unverifiable", UNTOLD, extracted


def compare(reference: str, result: str, tolerance: float | None = None) -> Told:
    """Is `result` what `reference` asks for? The value of an equation in a result counts where the reference is none."""
    if normalize(reference) == normalize(result):
        return True
    golds, results = readings(reference), readings(result)
    return any_of([_answers(gold, value, tolerance) for gold in golds for value in results])


def _answers(gold: Value, value: Value, tolerance: float | None) -> Told:
    if isinstance(value, Words) and not isinstance(gold, Words):
        told = same(gold, value)
        return False if told is None and isinstance(gold, Term) and _is_words(value.text) else told
    if isinstance(value, Rounded) and value.exact is not None and isinstance(gold, Term) and "." in gold.text:
        return any_of([same(gold, value, tolerance), consistent(value) and same(gold, Term(value.decimal), tolerance)])
    if isinstance(value, Equation) and not isinstance(gold, Equation | Named):
        told = all_of([True, *(same(gold, one, tolerance) for one in readings(value.right))])
        letters = set(re.findall(r"[A-Za-z]", re.sub(r"\\[a-z]+", "", value.left)))
        if told is not True or len(letters) > 1 or "\\" in value.left:
            return told  # "a + b = 7" says what a + b is
        return None  # "2x = 10" may leave x to be found
    return same(gold, value, tolerance)


def _is_words(text: str) -> bool:
    return all(isinstance(value, Words) for value in readings(text))


def _searched(answer: str) -> str | None:
    """The last result that math-verify finds in the text of an answer that marks none."""
    from math_verify import parse

    parsed = parse(answer[-WINDOW:], parsing_timeout=None, raise_on_error=True)
    return parsed[-1] if parsed and isinstance(parsed[-1], str) else None
