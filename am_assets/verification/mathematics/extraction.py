r"""Extraction of the final results of an answer, by string patterns without algebra.

Runs in the main process over untrusted text, so every pattern takes linear time or reads a bounded window. Whether a
result is retracted or hedged is checked in `retraction.py`.
"""

import re
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from am_assets.verification.mathematics import languages
from am_assets.verification.mathematics.asides import block, in_one_line, kept, labelled
from am_assets.verification.mathematics.boxes import boxes, uncommitted
from am_assets.verification.mathematics.dates import date
from am_assets.verification.mathematics.normalization import TEXT_COMMAND, normalize

WINDOW = 2_000  # characters read for one statement, and at the end of an answer without a marked result
STATEMENTS = 100  # read of one answer at most, the last ones: a text may consist of nothing but "answer:"

# What introduces the result of an answer. "答案不是" is none, and "选" only before the letter of an option.
MARK = re.compile(
    r"####\s*"
    r"|(?<!check our )(?<!check the )(?<!check this )(?<!verify our )(?<!verify the )(?<!verify this )"
    r"(?<!twice the )(?<!double the )(?<!half the )(?<!half of the )(?<!times the )(?<!square of the )"
    r"\b(?:answer|result|(?:correct|right|best) (?:option|choice))s?\b"
    r"(?:[^.\n:=$\\\d]{0,60}?\b(?:is|are|(?:must|should|will) be|equals)\b|[^.\n:=$\\\d]{0,12}[:=])"
    r"(?!\s*not\b)[\s*:_}]*"
    r"|\b(?:it|this|that) should be\s+"
    r"|\b[Ii] (?:would )?(?:choose|pick|select)\s+(?:option |choice )?(?=\W{0,3}[A-J]\b)"
    r"|(?:答案|结果|正确选项)(?:应该|应当|应|就|便)?\s*(?:是|为|等于|选择?|[:：])[\s*:：是为]*"
    r"|(?<!不)正确的?(?:结论|说法|命题|选项)?的?(?:序号|编号)?(?:是|为)[\s*:：]*(?=[\u2460-\u2469A-J])"
    r"|(?:选择?|选项[是为])[\s*:：]*(?=[(（]?[A-J]{1,10}(?![A-Za-z]))",
    re.IGNORECASE,
)
MARK_ABROAD = re.compile(rf"{MARK.pattern}|(?P<abroad>{languages.MARK})", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?;]['\"\u201d\u2019*)\]]*(?:\s+|$)|[。！？；]|\n+")
# A clause of explanation, or one that says what the result does not depend on, is not part of the statement.
CLAUSE = re.compile(
    r",?\s+(?:because|since|as|where|which)\b|,?\s+(?:regardless|irrespective|independent(?:ly)?) of\b"
    r"|,?\s+(?:no matter|whatever)\b|[,，]?(?:因为|由于)"
)
DISPLAY = re.compile(r"\\\[.*?\\\]|\$\$.*?\$\$", re.DOTALL)
# "Answer: The largest n is 34": a colon, a sentence without a clause of its own, and a value behind its verb.
COLON = re.compile(r"[:：][\s*_]*$")
SAID = re.compile(
    r"(?:the|there|this|its?|we|so|thus|therefore|hence)\b"
    r"(?:(?!\b(?:such|that|which|where|whose|if|when|not|than|between|least|most|about|or)\b)[^.=<>]){0,200}?"
    r"\b(?:is|are|equals|needs?|has|have|gets?|=)\s+(?:equal to\s+)?(?=[$\\(*_`]*[-+.\d\\(\[{])",
    re.IGNORECASE,
)
# Options: "A." or "(A)" that begin the text, a line or what follows a colon; a further one may follow in the line.
FIRST_OPTION = re.compile(r"(?:^|(?<=\n)|(?<=: )|(?<=:\n))\(?[A-J][).](?=\s)|(?:^|(?<=\s))\([A-J]\)(?=\s)")
OPTION = re.compile(r"(?:^|(?<=\s))\(?[A-J][).](?=\s)")
# The letter of an option before its value, "C. 12", ends no sentence.
LABEL = re.compile(r"[A-J]\.\s+(?=[-$\\\d])")
SENTENCE_ENDS = re.compile(
    r"(?<!\bsq)(?<!\bcu)(?<!\bкв)(?<!\bкуб)[.!?](?:[\s*]|$)(?<!\d!\s(?=\\(?:times|cdot|div)|[-+=/)}]))|;(?=\s*$|\s+[^\W\d_]{2})|[。！？；]"
)
COMMAND = re.compile(r"\\[a-zA-Z]+")
# A formula that begins with a value: no words but names of functions.
FORMULA = re.compile(
    r"(?![<>=~\u2248\u2264\u2265\u2260?])(?:\\(?!text|approx|sim|[gln]eq?(?![a-z])|[gl]t(?![a-z]))[A-Za-z]+"
    r"|(?:a?(?:sqrt|arc(?:sin|cos|tan)|sin|cos|tan|sec|csc|cot|log|ln|exp|pi|mod|infinity))(?![A-Za-z])"
    r"|(?<![A-Za-z])(?!(?:is|or|if|at|to|by|of|so|no|in|on|an|as|be|we|it|do|he|my)(?![A-Za-z]))[A-Za-z]{1,2}(?![A-Za-z])"
    r"|\\(?:approx|[gln]eq?|[gl]t)(?![a-z])|[^A-Za-z?\\]|\\(?![A-Za-z]))++"
)
NUMBER = r"-?\$?\d++(?:,\d{3})*+(?:\.\d++)?(?:/\d++)?"
# Arithmetic up to what it comes to: "2 x 17 =".
CALCULATION = r"\d[\d\s.,+*/x\u00d7\u00f7\u00b7$%()-]*=\s*"
ITEM = rf"(?:(?<![A-Za-z\d])[A-Za-z]\s*=\s*)?{NUMBER}"
LIST = re.compile(rf"(?<![\d.=(\[{{])(?<!= ){ITEM}(?:(?:,\s+|,?\s+(?:or|and)\s+){ITEM})++(?!\\?[)\]}}])(?=\D*$)")
# What is given and no result: "since x = 2, y = 7", "the maximum is 12 at x = 2".
GIVEN = r"\$?(?:\\[a-z]+|[A-Za-z])(?:_\w+)?\s*=[^.,;=]*"
GIVEN_FIRST = re.compile(
    r"(?:^|(?<=[.!?]\s)|(?<=\n))(?:(?:so|thus|hence|then|therefore|now),?\s+)?"
    rf"(?:since|as|when|if|for|with|given|because|at)(?: that)?\s+{GIVEN}(?:,\$?|\$,)\s*(?=[^.]*[\d\\][^.]*\.?\$?\s*$)",
    re.IGNORECASE,
)
GIVEN_LAST = re.compile(
    rf"(?<=[\d$)}}])(?:,?\s+(?:which is )?[a-z]+)?,?\s+\(?(?:at|when|if|for|where|with)\s+{GIVEN}"
    rf"(?:,?\s*(?:and\s+)?{GIVEN})*\)?\.?\s*$"
)
REMARK = re.compile(
    r"(?:(?<=[.!?\]$]\s)|(?<=\n)|(?<=\\\]))\(?(?:note|notice|alternatively|we (?:might|could|can) also)\b"
    r"(?:(?!\b(?:hence|thus|therefore|so|finally|then|answer)\b).)*$",
    re.IGNORECASE | re.DOTALL,
)
# "5 cars drove by in the first 15 minutes": one sentence whose subject is a number; others stand behind a preposition.
SUBJECT = re.compile(
    rf"(?:(?:so|thus|hence|therefore),? )?({NUMBER})"
    r"(?! (?:times|plus|minus|squared|cubed)\b)(?= [a-z]{2,} [a-z]{2,})"
    r"(?: (?:in|within|during|after|before|for|by|per|on|at|from) (?:the |an? |his |her |their )?"
    rf"(?:[a-z]+ ){{0,2}}{NUMBER}"
    rf"| [a-z'-]+)+",
    re.IGNORECASE,
)
DECIMAL_BRACES = re.compile(r"(?<=\d)\{,\}(?=\d{1,2}(?!\d))")
ONE_ITEM = re.compile(r"\A\s*[-*\u2022] (?=\$?[A-Za-z] ?=[^\n]*\Z)")  # "- x = 5"
ITEMS = re.compile(r"\s*[-*\u2022] [^\n]+\n\s*[-*\u2022] ")
CHINESE_FIRST = re.compile(r"\W*[\u3040-\u9fff]")
BESIDE = re.compile(r"[$\\*-]*\d|\\[(\[]|\*{0,2}\$[^$]+\$[*. ]*$")
OPTION_ALONE = re.compile(r"[\s$*(\[]*(?:\\text\w*\{)?\(?[A-J]\)?[\s$*.})\]]*")
DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|$)", re.DOTALL)
DECORATION = re.compile("[\u2234\u2705\u2714\u2713\u2611\u2b50\ufe0f\U0001f300-\U0001faff]+")
SPACED_DIGITS = re.compile(r"\\(?:mathbf|boldsymbol)\s*\{([\d., -]+)\}")


# A box before these words is a step: what is asked for follows.
ASKED_FOR = re.compile(
    r"\b(?:in the (?:form (?:requested|required|asked)|(?:requested|required) form)"
    r"|(?:question|problem|task) (?:\w+ )?(?:asks|asked|wants|wanted)(?: us)? (?:for|to)"
    r"|we (?:are|were) asked (?:for|to))\b",
    re.IGNORECASE,
)


class Statement(NamedTuple):
    mark: int  # where the words start that introduce it
    start: int
    text: str


def results(answer: str) -> list[str]:
    r"""The distinct results an answer commits to, in order; empty if nothing marks a result.

    All boxes, and the statements ("the answer is …") after the last of them; without a box the last statement; without
    a statement a final list of options or numbers, or the number that is the subject of a single sentence. A later
    statement replaces an earlier one, but a box always counts: an answer that boxes every candidate contradicts itself.
    Only boxes before "in the form requested" or "the question asks for" and a further box are steps on the way.

    >>> results(r"So the answer is \boxed{12}.")
    ['12']
    """
    answer = DRAWING.sub("", answer)
    found = boxes(answer)
    contents, end = [box.content for box in found], found[-1].end if found else 0
    steps = [at for at, (one, next_) in enumerate(pairwise(found), 1) if ASKED_FOR.search(answer, one.end, next_.start)]
    contents = contents[max(steps, default=0) :]
    if (blank := uncommitted(answer)) is not None:
        return [stated.text for stated in statements(answer, blank)][-1:]
    after = [stated.text for stated in statements(answer, end)]
    if contents:
        options = any(map(is_option, contents))
        read = contents + [text for text in after if counts_beside_box(text) or (options and is_option(text))]
    else:
        read = after[-1:] or _listed(tail(answer))
    return list({normalize(result): result for result in map(_joined, read) if result}.values())


def statements(answer: str, after: int) -> Iterator[Statement]:
    """The last `STATEMENTS` of a result behind the position `after`, in order."""
    abroad = languages.occur(answer)
    for mark in deque((MARK_ABROAD if abroad else MARK).finditer(answer, after), STATEMENTS):
        rest = answer[mark.end() : mark.end() + WINDOW]
        start = mark.end() + len(rest) - len(rest := rest.lstrip())
        if COLON.search(mark.group()) and (said := SAID.match(rest)):
            start, rest = start + said.end(), rest[said.end() :]
        text = ("\n" in mark.group() and block(rest)) or _statement(rest)
        if text := languages.with_points(text) if abroad and mark["abroad"] else text:
            yield Statement(mark.start(), start, text)


def counts_beside_box(text: str) -> bool:
    """Is a statement behind a box a result of its own? A number or a formula is, words are not."""
    letters = COMMAND.sub("", text)
    formula = re.search(r"[\d+*/^]", text) and not re.search(r"[A-Za-z]{2}|\d [A-Za-z]", letters)
    return bool(formula or BESIDE.match(text))


def is_formula(text: str) -> bool:
    """Is a statement nothing but a formula that begins with a value, "√3/2" or "x > 3"?"""
    return bool(FORMULA.fullmatch(text[:WINDOW]))


def is_option(text: str) -> bool:
    return bool(OPTION_ALONE.fullmatch(text))


def plain(text: str) -> str:
    """`text` without check marks and emoji."""
    return DECORATION.sub("", text).strip()


def tail(answer: str) -> str:
    """The end of an answer without drawings, remarks, and what its last sentence says to be given."""
    end = plain(DRAWING.sub("", answer)[-WINDOW:])
    return kept(
        ONE_ITEM.sub(
            "", GIVEN_LAST.sub("", GIVEN_FIRST.sub("", plain(REMARK.sub("", DECIMAL_BRACES.sub(".", end))) or end))
        )
    )


def _joined(result: str) -> str:
    r"""`result` with its lines joined, and the digits that scanned texts set apart, as in `\mathbf{1 8}`."""
    return SPACED_DIGITS.sub(
        lambda bold: "".join(bold[1].split()) if re.fullmatch(r"-?\d?(?: ?[\d.,])*", bold[1].strip()) else bold[0],
        in_one_line(result),
    )


def _statement(rest: str) -> str:
    """The display formula or the sentence at the beginning of `rest`."""
    if display := DISPLAY.match(rest):
        return display.group()
    line = CLAUSE.split(rest.split("\n", 1)[0], maxsplit=1)[0]
    label = LABEL.match(line)
    end = SENTENCE_ENDS.search(line, label.end() if label else 0)
    return GIVEN_LAST.sub("", plain(line[: end.start()] if end else line)).strip(" *_`,，")


def _listed(text: str) -> list[str]:
    """Results of an answer without a marker: each of several options, a whole bare formula, or the final numbers."""
    if (whole := labelled(text)) or date(text):
        return [whole or text]
    if (first := FIRST_OPTION.search(text)) and len(options := list(OPTION.finditer(text, first.start()))) > 1:
        ends = [option.start() for option in options[1:]] + [len(text)]
        return [text[option.end() : end].strip() for option, end in zip(options, ends, strict=True)]
    if (
        not ITEMS.match(text)
        and not CHINESE_FIRST.match(text)
        and not re.search(r"[^\W\d_]{2}|=", COMMAND.sub("", TEXT_COMMAND.sub("", text)))
    ):
        return [text]
    if numbers := LIST.search(text):
        return [numbers.group()]
    return [subject[1]] if (subject := SUBJECT.fullmatch(text.rstrip("."))) else []
