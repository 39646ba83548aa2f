r"""Downgrades passes to unverifiable whose result is retracted, denied, quoted or hedged by the answer.

A retraction differs from an explanation in what it speaks of: the result, the writer's own work, or another value for
the result. `doubt.py` holds the words; here is where they are looked for. String patterns over a bounded window; they
do not understand a sentence, and a result without a box has to look as asserted ones do.
"""

import re
from collections import deque

from am_assets.verification.mathematics import disowned, doubt, languages, operands
from am_assets.verification.mathematics.boxes import Box, boxes
from am_assets.verification.mathematics.clauses import Kind, says
from am_assets.verification.mathematics.dates import MONTH
from am_assets.verification.mathematics.doubt import CHINESE, CHINESE_BEFORE, CHINESE_BEHIND
from am_assets.verification.mathematics.extraction import (
    CALCULATION,
    DISPLAY,
    DRAWING,
    SENTENCE_END,
    SUBJECT,
    WINDOW,
    Statement,
    counts_beside_box,
    is_formula,
    is_option,
    plain,
    statements,
)
from am_assets.verification.mathematics.spoken import kind_of, sentences, spoken
from am_assets.verification.mathematics.subjects import (
    NEW_VALUE,
    OF_THE_TASK,
    PLAIN_NUMBER,
    affirmed,
    questioned,
    speaks_of_result,
    without_refutations,
)

Verdict = tuple[str, str, str | None]  # verdict, reason, extracted result


def _any(*phrases: str, end: str = "") -> re.Pattern[str]:
    """Matches any of the phrases (comma-separated patterns) as whole words."""
    return re.compile(rf"\b(?:{'|'.join(', '.join(phrases).split(', '))})(?!\w){end}", re.IGNORECASE)


NEGATED = r"(?:not|\w+n't)"
# In the rest of the sentence of a result without a box: negations and alternatives.
QUALIFIED = _any(
    rf"{NEGATED}, never, cannot, but, however, although, if, also, alternatively, plausible, was, would",
    r"asked, says?",
)
# Directly before a statement: negation, reported speech, assumption, question or guess.
DENIED = _any(rf"{NEGATED}, never, cannot, nor, neither, unlike, without, either, check", end=r"\W*(?:\w+\W+){0,2}$")
REPORTED = _any(
    r"whether, if, unless, suppos\w+, assum\w+, claim\w*, says?, said, stat(?:e|es|ed|ing), told, think, thought",
    r"believ\w+, asks?, asked, expect\w*, wants?, given, pretend, imagine, guess, such, show, prove, verify, check",
    r"perhaps",
    r"maybe, possibly, probably, might, according",
    r"your, his, her, their, (?!(?:problem|question|exercise|puzzle|today|that|it|let)')\w+'s",
    end=r"(?: me| us| you)?(?: that)?(?: the| an?| its?| my| your)?(?: \w+){0,2}\W*(?:the |its )?$",
)
QUOTED = re.compile(r"^\s*>|[\"'`]\W*(?:the |its )?$", re.IGNORECASE)
# The beginning of a statement of a result: mathematics or an option, with at most one word before it.
OPTION_START = re.compile(r"[\s$*(\[]*(?:\\text\w*\{)?\(?[A-J](?![A-Za-z])")
RESULT_START = re.compile(
    r"(?:(?:thus|therefore|simply|just|exactly|indeed|equal to|option|choice|clearly|then)[\s:,]+)?"
    r"[$\\(*_`{\[]*(?:\\text\w*\{)?[$€£]?"
    r"(?:[-+\u2212]?[.\d]|\\(?!(?:[gln]eq?|[gl]t|approx|sim|equiv|in)\b)|[(\[{|]|[Α-Ωα-ω√∛∞¼-¾⅐-⅞]"
    rf"|[A-Za-z](?![A-Za-z])|[a-z]+\s*\(|{MONTH} \d)",
    re.IGNORECASE,
)
# In a statement these words say nothing against it.
HARMLESS = re.compile(
    r"\bnot (?:depend|matter|simplif)\w*|\bif (?:and only if|needed|necessary)\b|\bas (?:was )?asked\b"
)
ROUNDED = re.compile(r"^(?:approximately|about|roughly)\s+(?=[$-]*\d+\.\d)")  # a decimal says so of itself
BARE = ("RESULT", "RESULT.")  # nothing is said behind a result
OF_RESULT = re.compile(
    r"RESULT (?:overcounts|undercounts|is|was|has|does|did|can|could|would|will|must|should|needs|turns|seems"
    r"|seemed)\b"
)
CHINESE_END = re.compile("[。！？；\n]")
CHINESE_OTHER = re.compile("其他|其它|另一|另外|说法|命题")
ASIDE = re.compile(r"[,;:(\[\u2014].*| -- .*", re.DOTALL)
SETTLED = re.compile(r"(?:= ?|\b(?:is|are|gives?|get|have|has|be) )RESULT[^\d=]*$")
# An open quotation, or a quoted line.
QUOTED_BEFORE = re.compile(r"^\s*>|^[^\"]*(?<!\d)\"[^\"]*$")
STRUCK = re.compile(r"(?:~~|\\(?:s?out|st|[bx]?cancel)\s*\{|<(?:s|del|strike)>)\W*$")
NOT_A_RESULT = re.compile(r"\d-[a-z]{3,}|[<>≤≥≠≈?]|\\(?:[gln]eq?|approx|sim|equiv)\b", re.IGNORECASE)  # not a result
# Where a stated result ends: a formula between delimiters, or a chain of numbers and operators.
SPAN = re.compile(
    r"\*{0,2}(?:\$[^$\n]+\$|\\\((?:(?!\\\)).)+\\\)|(?:[-+\d.,()=*/×^ ]|\\[A-Za-z]+(?:\{[^{}]*\})*)+(?<=[\d}]))"
)
# An unmarked sentence that gives a result in its last number, and the words that prevent that reading.
CONCLUDES = _any(
    r"is, are, will be, equals?, gives?, get, gets, makes?, total, therefore, thus, hence, so, altogether, costs?",
    r"takes?, leaves?, has, have, earns?, needs?, pays?, yields?, obtain, find, meets?, intersects?, becomes?",
    r"comes? to, sold, spent, left",
)
UNMARKED = _any(
    r"given, whether, differ\w*, want\w*, expect\w*, ask\w*",
    r"(?:more|less|greater|fewer) than \$?\d\S*, at (?:least|most), between, about, roughly, almost, nearly",
    r"approximately",
    r"to begin with, at first, initially, originally, in the beginning",
    rf"what, unless, somewhere, mention\w*, if, would, could, might, {NEGATED}, never, cannot, but, was",
)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
VALUE = re.compile(rf"{NUMBER.pattern}|\\(?:infty|mathbb|emptyset|varnothing)(?![a-z])")
# Arithmetic that comes to the last number of a sentence: "if 14 remained, 40 - 14 = 26 had been taken". What else the
# sentence supposes or denies is of the task then, but for a few words.
COMPUTED = re.compile(rf"{CALCULATION}[-$]*\d[\d.,]*(?=\D*$)")
UNMARKED_COMPUTED = _any(
    r"but, what, whether, unless, might, maybe, perhaps, should, instead, wrong\w*, incorrect\w*, mistak\w+, says?",
    r"said, thinks?, thought, claim\w*, guess\w*, suppos\w+, assum\w+, (?:would|could|might) have, had been",
    rf"{NEGATED}(?: \w+)? \$?\d[^=]*=, (?:initially|originally|at first|to begin with)[^=]*=",
)

BEFORE = (*disowned.DISOWNED, *operands.CALCULATED_WITH)
BEHIND = (*doubt.CHANGED, *operands.CALCULATED_ON)
TAKEN_BACK = (*doubt.DENIED, *doubt.OPENING, *doubt.CONFESSED)
APOSTROPHES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


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
    found = boxes(answer)
    after = found[-1].end if found else 0
    stated = [one for one in statements(answer, after) if not found or _stands_beside(one.text)]
    if stated:
        last = stated[-1]
        option = found and not counts_beside_box(last.text)  # it labels the box and does not repeat it
        return _is_stated(answer, last) and not (option and not _is_boxed(answer[: last.mark], found[-1]))
    return _is_boxed(answer, found[-1]) if found else _concludes(answer)


def _stands_beside(text: str) -> bool:
    """Is a statement behind a box one of a result: a number, a formula or an option?"""
    return counts_beside_box(text) or is_option(text)


def _is_boxed(answer: str, box: Box) -> bool:
    """Is the result of `box` asserted by the text around it?"""
    before = answer[max(0, box.start - WINDOW) : box.start]
    behind = answer[box.end : box.end + WINDOW]
    return not (operands.FACTOR.search(before) or _withdrawn(before, box.content, behind))


def _is_stated(answer: str, stated: Statement) -> bool:
    """Is a result without a box asserted by the text around it, and is its statement one of a result at all?"""
    rest = ROUNDED.sub("", answer[stated.start : stated.start + WINDOW], count=1)
    lead = _open_sentence(answer[max(0, stated.mark - WINDOW) : stated.mark])
    if _is_reported(lead):
        return False
    if display := DISPLAY.match(rest):
        rest = " ".join(display.group().split()) + rest[display.end() :]
    sentence = SENTENCE_END.split(rest, maxsplit=1)[0]
    first = NUMBER.search(sentence)
    option = OPTION_START.match(rest)
    formula = is_formula(stated.text) and rest.find(stated.text) + 1
    elsewhere = not first and not option and NUMBER.search(rest)  # the number is not the stated result
    if not formula and (elsewhere or NOT_A_RESULT.search(sentence) or (first and not RESULT_START.match(sentence))):
        return False
    end = formula - 1 + len(stated.text) if formula else _end_of_result(rest, sentence)
    qualified = SENTENCE_END.split(rest[end:], maxsplit=1)[0].removeprefix(stated.text[end:])
    return not (
        QUALIFIED.search(HARMLESS.sub("", qualified))
        or _withdrawn(answer[max(0, stated.mark - WINDOW) : stated.mark], rest[:end], rest[end:])
    )


def _end_of_result(rest: str, sentence: str) -> int:
    """Where the result ends that `rest` begins with: a formula, a number, an option, or the first word."""
    if span := SPAN.match(rest):
        return span.end()
    if option := OPTION_START.match(rest):
        return option.end()
    first = NUMBER.search(sentence)
    return first.end() if first else len(sentence) - len(sentence.strip(" *_`").partition(" ")[2])


def _is_reported(lead: str) -> bool:
    """Does `lead`, the sentence before a marker, say that someone else's or a supposed result follows?"""
    return bool(QUOTED.search(lead) or REPORTED.search(lead) or DENIED.search(lead) or CHINESE_BEFORE.search(lead))


def _concludes(answer: str) -> bool:
    """Is an answer without any marked result one that gives a result in its last sentence?"""
    *earlier, last = sentences(plain(answer[-WINDOW:]).strip(" \n.!*_"))
    bare = not re.search(r"[^\W\d_]{2,} [^\W\d_]{2,} [^\W\d_]{2,}", last)
    concludes = VALUE.search(last) and ("=" in last or CONCLUDES.search(last) or languages.CONCLUDES.match(last))
    hypothetical = any("answer" in part.casefold() and len(part.split()) > 3 for part in earlier)
    said = any(says(TAKEN_BACK, part, "number") for part in sentences(spoken(last, "", "number")))
    number = deque(NUMBER.finditer(last), 1)
    behind = spoken(last[number[0].end() :], number[0][0], "number") if number else ""
    said = said or any(says(TAKEN_BACK, part, "number") for part in sentences(behind))
    unmarked = (UNMARKED_COMPUTED if COMPUTED.search(last) else UNMARKED).search(last)
    doubted = (
        "?" in last or languages.doubts(last) or CHINESE.search(last) or CHINESE_BEFORE.search(last) or unmarked or said
    )
    return bool(bare or concludes or (not earlier and SUBJECT.fullmatch(last))) and not (hypothetical or doubted)


def _withdrawn(before: str, result: str, rest: str) -> bool:
    """Is `result` disowned by the sentence before it, or taken back or replaced in `rest` behind it?"""
    lead = _open_sentence(before)
    if languages.doubts(lead + rest):
        return True
    if QUOTED_BEFORE.search(lead) or STRUCK.search(lead) or CHINESE_BEFORE.search(lead) or CHINESE_BEHIND.match(rest):
        return True
    if any(CHINESE.search(part) for part in CHINESE_END.split(rest) if not CHINESE_OTHER.search(part)):
        return True
    kind = kind_of(result)
    own, *later = sentences(spoken(rest, result, kind))
    own_sentence = f"{spoken(lead, '', kind)[7:]} {own}"
    if says(BEFORE, own_sentence, kind) or says(BEHIND, own, kind) or _announced(before, kind):
        return True
    if own in BARE and not later:  # the commonest end of an answer
        return False
    later = without_refutations(later)
    said = [part for part in (own, *later) if part]
    if own.endswith("?") or any(_denied(part, kind) for part in said):
        return True
    open_question = questioned(later, kind) or any(says(doubt.OPENING, part, kind) for part in said)
    if open_question and not affirmed(later):
        return True
    return _suspected(own, later, kind) or _replaced(before, said, kind)


def _announced(before: str, kind: Kind) -> bool:
    """Does one of the two sentences before a result say that what follows is not to be taken?"""
    last = [part for part in SENTENCE_END.split(before) if part.strip()][-2:]
    return any(says(operands.ANNOUNCED, spoken(part, "", kind)[7:].strip(), kind) for part in last)


def _denied(sentence: str, kind: Kind) -> bool:
    of_another = "RESULT" not in sentence and says(doubt.OF_ANOTHER_VALUE, sentence, kind)
    return says(doubt.CONFESSED, sentence, kind) or (says(doubt.DENIED, sentence, kind) and not of_another)


def _suspected(own: str, later: list[str], kind: Kind) -> bool:
    """Are there words that an explanation hardly needs: of the result, in an aside, or in a later sentence?"""
    aside = own if OF_RESULT.match(own) else "".join(ASIDE.findall(own)[:1])
    return any(
        says(doubt.SUSPECT, part, kind) and not (says(doubt.EXCUSED, part, kind) or OF_THE_TASK.match(part))
        for part in (aside, *later)
    )


def _replaced(before: str, said: list[str], kind: Kind) -> bool:
    """Do the sentences behind a result give it another value? They don't if they come back to the result."""
    later = said[1:]
    if later and SETTLED.search(later[-1]):
        return False
    if any(says(doubt.REPLACED, part, kind) for part in said if not says(doubt.CONVERTED, part, kind)):
        return True
    if later and kind != "option" and says(doubt.ALONE, later[-1], kind):
        return True
    known = {number.replace(",", "") for number in PLAIN_NUMBER.findall(before)}
    ends = [part for part in later if NEW_VALUE.search(part) and speaks_of_result(part)]
    numbers = [PLAIN_NUMBER.findall(part) for part in ends if kind != "option"]
    return any(len(found) == 1 and found[0].replace(",", "") not in known for found in numbers)


def _open_sentence(before: str) -> str:
    """The unfinished last sentence of `before`."""
    return SENTENCE_END.split(before[-WINDOW:])[-1]
