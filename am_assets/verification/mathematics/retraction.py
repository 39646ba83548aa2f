r"""Downgrades passes to unverifiable whose result is retracted, denied, quoted or hedged by the answer.

String patterns over a bounded window. They do not understand a sentence and err to one side: the text around a result
has to look as it does around an asserted one, and a sound answer that does not becomes unverifiable.
"""

import re

from am_assets.verification.mathematics.extraction import DISPLAY, MARK, SENTENCE_END, WINDOW, boxed

Verdict = tuple[str, str, str | None]  # verdict, reason, extracted result


def _any(*phrases: str, end: str = "") -> re.Pattern[str]:
    """Matches any of the phrases (comma-separated patterns) as whole words."""
    return re.compile(rf"\b(?:{'|'.join(', '.join(phrases).split(', '))})(?!\w){end}", re.IGNORECASE)


NEGATED = r"(?:not|\w+n't)"
# Retractions anywhere after the result.
RETRACTED = _any(
    r"wait, hold on, oops, hmm+, sorry, scratch, strike that, retract\w*, withdraw\w*, take (?:that|it) back",
    r"correction, edit, update, wrong\w*, incorrect\w*, invalid\w*, error, mistake\w*, misread, forg[oe]t\w*",
    r"overlooked, off by",
    r"disagree\w*, reject\w*, inconsistent, doubt\w*, unsure, uncertain, guess\w*, actually, rather(?! than)",
    r"instead(?! of), reconsider\w*, nonsense, disregard\w*, ignore, on (?:reflection|second thoughts?), again",
    r"re-?(?:check|comput|calculat|count)\w*, maybe, perhaps, possibly, also possible, fails?, contradiction",
    r"false, untrue, cannot be, isn't",
    rf"{NEGATED} (?:know|right|correct|true|sure|so|it|be right|be correct)",
)
# In the rest of the result's own sentence: negations and alternatives.
QUALIFIED = _any(
    rf"{NEGATED}, never, cannot, but, however, although, if, also, alternatively, plausible, was, would",
    r"asked, says?",
)
CHANGED = re.compile(  # directly after the result: an alternative or arithmetic that changes it
    r"[\s,$*)\\\]]*\b(?:(?:or|no|short|off)\b"
    r"|(?:to|minus|plus|less|more|times)\b(?= (?:than )?\W*(?:\d|one\b|half\b)))",
    re.IGNORECASE,
)
# Directly before a statement: negation, reported speech, assumption, question or guess.
DENIED = _any(rf"{NEGATED}, never, cannot, nor, neither, unlike, without, either, check", end=r"\W*(?:\w+\W+){0,2}$")
REPORTED = _any(
    r"whether, if, unless, suppos\w+, assum\w+, claim\w*, says?, said, stat(?:e|es|ed|ing), told, think, thought",
    r"believ\w+, asks?, asked, expect\w*, wants?, given, pretend, imagine, guess, such, show, prove, verify, check",
    r"perhaps",
    r"maybe, possibly, probably, might, according",
    end=r"(?: me| us| you)?(?: that)?(?: the| an?| its?| my| your)?(?: \w+){0,2}\W*(?:the |its )?$",
)
QUOTED = re.compile(r"^\s*>|[\"'`]\W*(?:the |its )?$", re.IGNORECASE)
# The beginning of a statement of a result: mathematics or an option, with at most one word before it.
RESULT_START = re.compile(
    r"(?:(?:thus|therefore|simply|just|exactly|indeed|equal to|option|choice|clearly|then)[\s:,]+)?"
    r"[$\\(*_`{\[]*(?:\\text\w*\{)?[$€£]?"
    r"(?:[-+\u2212]?[.\d]|\\(?!(?:[gln]eq?|[gl]t|approx|sim|equiv|in)\b)|[(\[{|]|[A-Za-z](?![A-Za-z])|[a-z]+\s*\()",
    re.IGNORECASE,
)
NOT_A_RESULT = re.compile(r"\d-[a-z]{3,}|[<>≤≥≠≈?]|\\(?:[gln]eq?|approx|sim|equiv)\b", re.IGNORECASE)  # not a result
# An unmarked sentence that gives a result in its last number, and the words that prevent that reading.
CONCLUDES = _any(
    r"is, are, equals?, gives?, get, gets, makes?, total, therefore, thus, hence, so, altogether, costs?",
    r"takes?, leaves?, has, have, earns?, needs?, pays?, yields?, obtain, find, becomes?, comes? to, sold, spent, left",
)
UNMARKED = _any(
    r"given, whether, differ\w*, want\w*, expect\w*, ask\w*",
    r"(?:more|less|greater|fewer) than \$?\d\S*, at (?:least|most), between, about, roughly, almost, nearly",
    r"approximately",
    rf"what, unless, somewhere, mention\w*, if, would, could, might, {NEGATED}, never, cannot, but, was",
)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
LAST_NUMBER = re.compile(r"(\d+(?:\.\d+)?)[\s$)}*\]\\]*$")  # at the end of a sentence
APOSTROPHES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|$)", re.DOTALL)


def downgrade_retracted(verdict: Verdict, answer: str) -> Verdict:
    r"""`verdict`, or unverifiable for a pass whose result the answer does not assert.

    >>> downgrade_retracted(("pass", "equal", "4"), r"\boxed{4}. Wait, that is wrong.")
    ('unverifiable', 'answer in doubt', '4')
    """
    if verdict[0] != "pass" or is_asserted(answer):
        return verdict
    return "unverifiable", "answer in doubt", verdict[2]


def is_asserted(answer: str) -> bool:
    """Is the last result of `answer` asserted, rather than retracted, denied, quoted or hedged?"""
    answer = DRAWING.sub("", answer.translate(APOSTROPHES))
    boxes, end = boxed(answer)
    markers = [mark for mark in MARK.finditer(answer, end) if mark.end() < len(answer.rstrip())]
    if boxes and RETRACTED.search(answer[end:][:WINDOW]):
        return False
    if markers:
        return _is_asserted_after_marker(answer[: markers[-1].start()], answer[markers[-1].end() :][:WINDOW].lstrip())
    if boxes:
        denied = DENIED.search(_open_sentence(answer[: answer.rfind("boxed", 0, end)]))
        return not (denied or _reconsidered(answer[end:][:WINDOW], answer[:end]))
    *earlier, last = SENTENCE_END.split(answer[-WINDOW:].strip(" \n.!*_"))
    bare = not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", last, re.IGNORECASE)
    concludes = NUMBER.search(last) and ("=" in last or CONCLUDES.search(last))
    hypothetical = any(
        "answer" in part.casefold() and len(part.split()) > 3 for part in earlier
    )  # a hypothetical answer
    return bool(bare or concludes) and not (
        hypothetical or "?" in last or UNMARKED.search(last) or RETRACTED.search(last)
    )


def _is_asserted_after_marker(before: str, rest: str) -> bool:
    """Is the result asserted that `rest` begins with, directly after the marker that ends `before`?"""
    if display := DISPLAY.match(rest):
        rest = " ".join(display.group().split()) + rest[display.end() :]
    sentence = SENTENCE_END.split(rest, maxsplit=1)[0]
    lead = _open_sentence(before)
    if QUOTED.search(lead) or REPORTED.search(lead) or DENIED.search(lead):
        return False
    first = NUMBER.search(sentence)
    elsewhere = not first and NUMBER.search(rest)  # the number is not the stated result
    if elsewhere or NOT_A_RESULT.search(sentence) or (first and not RESULT_START.match(sentence)):
        return False
    end = first.end() if first else len(sentence) - len(sentence.strip(" *_`").partition(" ")[2])
    return not _reconsidered(rest[end:], before + sentence)


def _open_sentence(before: str) -> str:
    """The unfinished last sentence of `before`."""
    return SENTENCE_END.split(before[-WINDOW:])[-1]


def _reconsidered(after: str, before: str) -> bool:
    """Is a result reconsidered, by words of doubt, an alternative, or a sentence that ends in a new number?"""
    if "?" in after or CHANGED.match(after) or RETRACTED.search(after):
        return True
    sentences = SENTENCE_END.split(after)
    known = set(NUMBER.findall(before[-WINDOW:]))
    ends = [end[1] for part in sentences if (end := LAST_NUMBER.search(part.rstrip(" .!")))]
    return bool(QUALIFIED.search(sentences[0])) or any(number not in known for number in ends)
