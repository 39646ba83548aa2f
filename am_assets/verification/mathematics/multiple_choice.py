r"""Equality of multiple-choice options, yes/no and words, which computer algebra cannot compare.

Words can be found equal, and short plain ones different; anything else is unverifiable. Mathematics is compared in
`equality.py`.
"""

import re

from am_assets.verification.mathematics.normalization import is_text, normalize
from am_assets.verification.mathematics.retraction import Verdict, downgrade_retracted

OPTION = re.compile(r"\(?([A-J])\)?")
# "(B) 42", "B.", "Option B is correct": the letter, and the text after it.
CHOSEN = re.compile(
    r"(?:(?:so|thus|therefore|hence),? )?(?:we (?:choose|pick|select) )?"
    r"(?:(?:the )?(?:correct |right |best )?(?:option|choice|answer):? ?)?"
    r"\(?([A-J])(?:\)? ?is (?:the )?(?:correct|right|best)(?: (?:option|choice|answer|one))?"
    r"|\)?(?:(?<=\))|[.:])\s*(.*)|\)?)",
    re.DOTALL | re.IGNORECASE,
)
LABELLED = re.compile(r"(?:\(([A-J])\)|([A-J])[).:])\s*(\S.*)", re.DOTALL)
FURTHER_OPTION = re.compile(r"(?<![A-Za-z\\])[A-J](?![A-Za-z])")
PLAIN_WORDS = re.compile(r"[a-z'-]+(?: [a-z'-]+){0,2}")
TRUTH = {"yes", "no", "true", "false"}
TRUTH_STATEMENT = re.compile(
    r"(?:(?:(?:the|this|that) )?(?:statement|claim|assertion|proposition)|it|this|that) is (true|false)"
    r"|(yes|no|true|false)\b ?[,.;:!\u2013\u2014] ?(.*)",
    re.DOTALL,
)
ARTICLE = re.compile(r"(?:an?|the) (?=\w)")
JOINT = re.compile(r",? and |, ?|; ?| & ")


def strip_option_label(found: list[str], reference: str) -> tuple[list[str], str] | Verdict:
    """(results, reference) without option labels, if the reference is a labelled option as in "(C) 12"; else unchanged.

    An answer may give the letter, the text or both. Returns a verdict where the letters decide.

    >>> strip_option_label(["(B) 7"], "(C) 12")
    ('fail', 'different', '(B) 7')
    """
    labelled = LABELLED.fullmatch(normalize(reference))
    if not labelled or not found:
        return found, reference
    read = [_option(normalize(result)) for result in found]
    letters = {letter for letter, _ in read if letter}
    if letters - {labelled[1] or labelled[2]}:
        reason = "different" if len(letters) == 1 else "several conflicting answers"
        return "fail", reason, " | ".join(found)
    contents = [content for _, content in read if content]
    return (contents, labelled[3]) if contents else ("pass", "equal", " | ".join(found))


def is_choice(reference: str) -> bool:
    return bool(OPTION.fullmatch(normalize(reference))) or is_text(reference)


def settle(found: list[str], answer: str, reference: str) -> Verdict:
    """The verdict for a reference that is an option letter or words. An answer without a marked result is read by its
    last line."""
    gold = normalize(reference)
    option = OPTION.fullmatch(gold)
    marked = found or [answer.strip().splitlines()[-1]]
    extracted = " | ".join(marked)
    if option:
        wanted, read = option[1], [_option(normalize(result))[0] or normalize(result) for result in marked]
    else:
        wanted, read = _phrase(gold), [_phrase(normalize(result)) for result in marked]
    if all(result == wanted for result in read):
        verdict = "pass", "equal", extracted
        return downgrade_retracted(verdict, answer) if found else verdict
    if wanted in read:
        return "fail", "several conflicting answers", extracted
    known = OPTION if option else PLAIN_WORDS
    mentioned = any(re.search(rf"\b{re.escape(wanted)}\b", result) for result in read)
    if all(known.fullmatch(text) for text in [wanted, *read]) and not mentioned:
        return "fail", "different", extracted
    return "unverifiable", "reference unparseable", extracted


def _option(text: str) -> tuple[str | None, str]:
    """The letter that `text` chooses, if it names only one, and the text after it; (None, text) if none."""
    chosen = CHOSEN.fullmatch(text)
    if not chosen or FURTHER_OPTION.search(chosen[2] or ""):
        return None, text
    return chosen[1].upper(), chosen[2] or ""


def _phrase(text: str) -> str:
    """The canonical form of a phrase: without article, coordinated parts sorted, statements of truth as yes/no/true/
    false."""
    text = ARTICLE.sub("", text.casefold())
    statement = TRUTH_STATEMENT.fullmatch(text)
    if statement and not TRUTH & set(re.findall(r"[a-z]+", statement[3] or "")):
        return statement[1] or statement[2]
    parts = JOINT.split(text)
    return " and ".join(sorted(parts)) if all(parts) else text
