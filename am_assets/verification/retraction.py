r"""Whether an answer stands by the result it states last: taken back, denied, quoted or hedged results are no answers.

String work over a bounded window. It can't tell what a sentence means, so it errs to one side: what stands before and
after a result has to look as it does around a result that is meant, and a sound answer that does not is left untold.
"""

import re

from am_assets.verification.extraction import DISPLAY, MARK, SENTENCE_END, WINDOW, boxed

Verdict = tuple[str, str, str | None]  # verdict, reason, what was read


def _any(*phrases: str, end: str = "") -> re.Pattern[str]:
    """Any of the phrases (patterns, separated by commas) as whole words."""
    return re.compile(rf"\b(?:{'|'.join(', '.join(phrases).split(', '))})(?!\w){end}", re.IGNORECASE)


NEGATED = r"(?:not|\w+n't)"
# Anywhere after the result: second thoughts.
TAKEN_BACK = _any(
    r"wait, hold on, oops, hmm+, sorry, scratch, strike that, retract\w*, withdraw\w*, take (?:that|it) back",
    r"correction, edit, update, wrong\w*, incorrect\w*, invalid\w*, error, mistake\w*, misread, forg[oe]t\w*",
    r"overlooked, off by",
    r"disagree\w*, reject\w*, inconsistent, doubt\w*, unsure, uncertain, guess\w*, actually, rather(?! than)",
    r"instead(?! of), reconsider\w*, nonsense, disregard\w*, ignore, on (?:reflection|second thoughts?), again",
    r"re-?(?:check|comput|calculat|count)\w*, maybe, perhaps, possibly, also possible, fails?, contradiction",
    r"false, untrue, cannot be, isn't",
    rf"{NEGATED} (?:know|right|correct|true|sure|so|it|be right|be correct)",
)
# In the rest of the result's own sentence: what denies it, or names another.
UNSAID = _any(
    rf"{NEGATED}, never, cannot, but, however, although, if, also, alternatively, plausible, was, would",
    r"asked, says?",
)
CHANGED = re.compile(  # right after it
    r"[\s,$*)\\\]]*\b(?:(?:or|no|short|off)\b"
    r"|(?:to|minus|plus|less|more|times)\b(?= (?:than )?\W*(?:\d|one\b|half\b)))",
    re.IGNORECASE,
)
# Right before a statement: that it is denied, reported, supposed, asked for or a guess.
DENIED = _any(rf"{NEGATED}, never, cannot, nor, neither, unlike, without, either, check", end=r"\W*(?:\w+\W+){0,2}$")
REPORTED = _any(
    r"whether, if, unless, suppos\w+, assum\w+, claim\w*, says?, said, stat(?:e|es|ed|ing), told, think, thought",
    r"believ\w+, asks?, asked, expect\w*, wants?, given, pretend, imagine, guess, such, show, prove, verify, check",
    r"perhaps",
    r"maybe, possibly, probably, might, according",
    end=r"(?: me| us| you)?(?: that)?(?: the| an?| its?| my| your)?(?: \w+){0,2}\W*(?:the |its )?$",
)
QUOTED = re.compile(r"^\s*>|[\"'`]\W*(?:the |its )?$", re.IGNORECASE)
# How a statement begins that gives the result: mathematics or an option, a word before it at most.
GIVEN = re.compile(
    r"(?:(?:thus|therefore|simply|just|exactly|indeed|equal to|option|choice|clearly|then)[\s:,]+)?"
    r"[$\\(*_`{\[]*(?:\\text\w*\{)?[$€£]?"
    r"(?:[-+\u2212]?[.\d]|\\(?!(?:[gln]eq?|[gl]t|approx|sim|equiv|in)\b)|[(\[{|]|[A-Za-z](?![A-Za-z])|[a-z]+\s*\()",
    re.IGNORECASE,
)
SOMETHING = re.compile(r"\d-[a-z]{3,}|[<>≤≥≠≈?]|\\(?:[gln]eq?|approx|sim|equiv)\b", re.IGNORECASE)  # no result
# A sentence that marks no result and still gives one, in its last number; and what keeps it from that.
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
LAST_NUMBER = re.compile(r"(\d+(?:\.\d+)?)[\s$)}*\]\\]*$")  # that a sentence ends in
APOSTROPHES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|$)", re.DOTALL)


def downgrade_retracted(verdict: Verdict, answer: str) -> Verdict:
    """`verdict`, or that it can't be told where it is a pass that the answer does not stand by."""
    if verdict[0] != "pass" or is_asserted(answer):
        return verdict
    return "unverifiable", "answer in doubt", verdict[2]


def is_asserted(answer: str) -> bool:
    """Whether the last result of `answer` is given as its result."""
    answer = DRAWING.sub("", answer.translate(APOSTROPHES))
    boxes, end = boxed(answer)
    marks = [mark for mark in MARK.finditer(answer, end) if mark.end() < len(answer.rstrip())]
    if boxes and TAKEN_BACK.search(answer[end:][:WINDOW]):
        return False
    if marks:
        return _stated(answer[: marks[-1].start()], answer[marks[-1].end() :][:WINDOW].lstrip())
    if boxes:
        denied = DENIED.search(_begun(answer[: answer.rfind("boxed", 0, end)]))
        return not (denied or _reconsidered(answer[end:][:WINDOW], answer[:end]))
    *earlier, last = SENTENCE_END.split(answer[-WINDOW:].strip(" \n.!*_"))
    bare = not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", last, re.IGNORECASE)
    concludes = NUMBER.search(last) and ("=" in last or CONCLUDES.search(last))
    supposed = any("answer" in part.casefold() and len(part.split()) > 3 for part in earlier)  # and not stated
    return bool(bare or concludes) and not (supposed or "?" in last or UNMARKED.search(last) or TAKEN_BACK.search(last))


def _stated(before: str, rest: str) -> bool:
    """Whether a result is meant that `rest` begins with and the mark of a statement stands before."""
    if display := DISPLAY.match(rest):
        rest = " ".join(display.group().split()) + rest[display.end() :]
    sentence = SENTENCE_END.split(rest, maxsplit=1)[0]
    begun = _begun(before)
    if QUOTED.search(begun) or REPORTED.search(begun) or DENIED.search(begun):
        return False
    first = NUMBER.search(sentence)
    elsewhere = not first and NUMBER.search(rest)  # the number is not what is stated
    if elsewhere or SOMETHING.search(sentence) or (first and not GIVEN.match(sentence)):
        return False
    end = first.end() if first else len(sentence) - len(sentence.strip(" *_`").partition(" ")[2])
    return not _reconsidered(rest[end:], before + sentence)


def _begun(before: str) -> str:
    """The part of the last sentence of `before` that has begun."""
    return SENTENCE_END.split(before[-WINDOW:])[-1]


def _reconsidered(after: str, before: str) -> bool:
    """Whether second thoughts follow a result: words of doubt, an alternative, or a sentence that ends in a number not
    seen before."""
    if "?" in after or CHANGED.match(after) or TAKEN_BACK.search(after):
        return True
    sentences = SENTENCE_END.split(after)
    known = set(NUMBER.findall(before[-WINDOW:]))
    ends = [end[1] for part in sentences if (end := LAST_NUMBER.search(part.rstrip(" .!")))]
    return bool(UNSAID.search(sentences[0])) or any(number not in known for number in ends)
