r"""Equality of multiple-choice options and of words, which computer algebra cannot compare.

Options are told equal or different by their letters, words by `phrases.py`; anything else is unverifiable. Mathematics
is compared in `equality.py`.
"""

import re

from am_assets.datasets.options import LISTED, letters
from am_assets.verification.mathematics import phrases
from am_assets.verification.mathematics.boxes import boxed
from am_assets.verification.mathematics.dates import date
from am_assets.verification.mathematics.extraction import statements
from am_assets.verification.mathematics.normalization import is_text, normalize
from am_assets.verification.mathematics.retraction import Verdict, downgrade_retracted

# "(B) 42", "B.", "Option B is correct", "12, option B": the letter, and the text after it.
CHOSEN = re.compile(
    r"(?:(?:(?:so|thus|therefore|hence)|based on [^,.]{1,60},),? ?)?(?:we (?:choose|pick|select) )?"
    r"(?:(?:the )?(?:correct |right |best )?(?:option|choice|answer):? ?)?"
    r"\(?([A-J])(?:\)? ?is (?:the )?(?:correct|right|best)(?: (?:option|choice|answer|one))?"
    r"|\)?(?:(?<=\))|[.:])\s*(.*)|\)?)",
    re.DOTALL | re.IGNORECASE,
)
LABELLED = re.compile(r"(?:\(([A-J])\)|([A-J])[).:])\s*(\S.*)", re.DOTALL)
FURTHER_LABEL = re.compile(r"(?<![A-Za-z\\])[A-J]\s?[:)]")  # "A: 30, B: 45" are two values
FURTHER_OPTION = re.compile(r"(?<![A-Za-z\\])[A-HJ](?![A-Za-z])")  # "(A) I only" has one
LETTER = re.compile(r"(?<![A-Za-z])[A-J](?![A-Za-z])")
SEVERAL = re.compile(
    rf"(?:(?:the )?(?:correct )?(?:options|choices|answers)(?: are)?:? )?({LISTED.pattern})"
    r"(?: are(?: the)? (?:correct|right|true)(?: (?:options|choices|answers|ones))?)?",
    re.IGNORECASE,
)
# "which is option D", "(option D)" behind a box.
NAMED = re.compile(
    r"(?:\b(?:is|choose|pick|select|matches)|[(,:=])\s*(?:the )?(?:correct )?(?:option|choice|answer)[\s(*:]*([A-J])"
    r"(?![A-Za-z])[)*]*\s*(?=[.,;!)]|$|is\b)"
)


def strip_option_label(found: list[str], reference: str) -> tuple[list[str], str] | Verdict:
    """(results, reference) without option labels. If the reference is a labelled option as in "(C) 12", an answer may
    give the letter, the text or both; a reference without any letter is the text of an option.

    Returns a verdict where the letters decide.

    >>> strip_option_label(["(B) 7"], "(C) 12"), strip_option_label(["(B) 7"], "7")
    (('fail', 'different', '(B) 7'), (['7'], '7'))
    """
    gold = normalize(reference)
    labelled = LABELLED.fullmatch(gold)
    if not labelled or not found or FURTHER_LABEL.search(labelled[3]):
        return (found if FURTHER_OPTION.search(gold) else [*map(_unlabelled, found)]), reference
    read = [_option(normalize(result)) for result in found]
    letters = {letter for letter, _ in read if letter}
    if letters - {labelled[1] or labelled[2]}:
        reason = "different" if len(letters) == 1 else "several conflicting answers"
        return "fail", reason, " | ".join(found)
    contents = [content for _, content in read if content]
    return (contents, labelled[3]) if contents else ("pass", "equal", " | ".join(found))


def _unlabelled(result: str) -> str:
    labelled = LABELLED.fullmatch(normalize(result))
    return labelled[3] if labelled and not FURTHER_OPTION.search(labelled[3]) else result


def is_choice(reference: str) -> bool:
    gold = normalize(reference)
    return bool(letters(gold) or date(gold)) or is_text(reference) or phrases.meaning(gold) is not None


def settle(found: list[str], answer: str, reference: str) -> Verdict | None:
    """The verdict for a reference that is options or words; None if the results are mathematics that may equal it. An
    answer without a marked result is read by its last line."""
    gold = normalize(reference)
    marked = found or [answer.strip().splitlines()[-1].replace("**", "")]
    wanted = letters(gold)
    told = _options_told(marked, answer, wanted) if wanted else [phrases.same(normalize(one), gold) for one in marked]
    if wanted and (order := LETTER.findall(gold)) != sorted({*order}):  # "D, A, C" and "A, B, A" are sequences
        told = [LETTER.findall(text) == order if _letters(text) else None for text in map(normalize, marked)]
    if wanted and len(wanted) > 1 and any(one is None for one in told) and not is_text(reference):
        return None  # "AC" may be a segment or a product
    extracted = " | ".join(marked)
    if all(told):
        verdict = "pass", "equal", extracted
        return downgrade_retracted(verdict, answer) if found else verdict
    if any(told):
        return "fail", "several conflicting answers", extracted
    if all(one is False for one in told):
        return "fail", "different", extracted
    if not wanted and phrases.meaning(gold) is not None and not is_text(reference):
        return None  # the empty set, or an interval
    return "unverifiable", "reference unparseable", extracted


def _options_told(marked: list[str], answer: str, wanted: frozenset[str]) -> list[bool | None]:
    """For each result whether it names the options `wanted`; None if it names none. A box that names none is a step on
    the way if the text behind it names one: "Answer: D", or "which is option D"."""
    read: list[frozenset[str] | None] = [_letters(normalize(result)) for result in marked]
    if not any(read):
        contents, end = boxed(answer)
        behind = [_letters(normalize(stated.text)) for stated in statements(answer, end)] if contents else []
        named = [frozenset(found[1]) for found in NAMED.finditer(answer, end)] if contents else []
        last = [names for names in (*behind, *named) if names][-1:]
        read = [*last] or read
    return [names == wanted if names else None for names in read]


def _letters(text: str) -> frozenset[str] | None:
    letter, several = _option(text)[0], SEVERAL.fullmatch(text)
    return letters(several[1] if several else text) or (frozenset(letter) if letter else None)


def _option(text: str) -> tuple[str | None, str]:
    """The letter that `text` chooses, if it names only one, and the text after it; (None, text) if none."""
    chosen = CHOSEN.fullmatch(text)
    if not chosen or FURTHER_OPTION.search(chosen[2] or ""):
        return None, text
    return chosen[1].upper(), chosen[2] or ""
