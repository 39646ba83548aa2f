r"""Which results an answer states: string work only, no algebra.

Runs in the main process over text a model may have made hostile, so every pattern here takes linear time or reads a
bounded window. Whether the answer stands by what it states is `upheld.py`'s to say.
"""

import re

from am_assets.verification.normalization import TEXT_COMMAND, normalize

WINDOW = 2_000  # characters looked at for one statement, and at the end of an answer that marks no result

MARK = re.compile(
    r"####\s*"
    r"|\b(?:answer|result|(?:correct|right|best) (?:option|choice))s?\b[^.\n:=$\\\d]{0,60}?"
    r"(?:\b(?:is|are|(?:must|should|will) be|equals)\b|:|=)(?!\s*not\b)[\s*:_]*"
    r"|\b(?:it|this|that) should be\s+",
    re.IGNORECASE,
)
BOX = re.compile(r"\\f?boxed\s*\{|\\.|[{}]", re.DOTALL)
SENTENCE_END = re.compile(r"[.!?;]['\"\u201d\u2019*)]*\s+|\n+")
CLAUSE = re.compile(r",?\s+(?:because|since|as|where|which)\b")  # what explains a statement is no part of it
DISPLAY = re.compile(r"\\\[.*?\\\]|\$\$.*?\$\$", re.DOTALL)
OPTION = re.compile(r"(?:^|(?<=\s))\(?[A-J][).](?=\s)")
NUMBER = r"-?\$?\d++(?:,\d{3})*+(?:\.\d++)?"
LIST = re.compile(rf"(?<![\d.]){NUMBER}(?:(?:,\s+|,?\s+(?:or|and)\s+){NUMBER})++(?=\D*$)")


def results(answer: str) -> list[str]:
    r"""The different results an answer commits to, in order; none where nothing marks a result.

    All `\boxed{}` contents and what is stated after the last of them ("the answer is …"); without a box the last
    such statement; without one a listing of options or of numbers. A statement that a later one replaces does not
    count, a box always does: an answer that boxes every candidate contradicts itself.
    """
    boxes, end = boxed(answer)
    stated = [s for mark in MARK.finditer(answer, end) if (s := _statement(answer[mark.end() :][:WINDOW]))]
    if boxes:
        found = boxes + [s for s in stated if re.match(r"[$\\-]*\d|\\[(\[]", s)]
    else:
        found = stated[-1:] or _listed(answer[-WINDOW:].strip())
    return list({normalize(result): result for result in found if result}.values())


def boxed(text: str) -> tuple[list[str], int]:
    r"""Contents of the outermost `\boxed{}` whose braces close, and the position after the last of them."""
    open_braces: list[int | None] = []
    boxes: list[tuple[int, int]] = []
    for token in BOX.finditer(text):
        if "boxed" in token.group():
            open_braces.append(token.end())
        elif token.group() == "{":
            open_braces.append(None)
        elif token.group() == "}" and open_braces and (start := open_braces.pop()) is not None:
            while boxes and boxes[-1][0] > start:  # boxes inside this one
                boxes.pop()
            boxes.append((start, token.start()))
    return [text[a:b].strip() for a, b in boxes], boxes[-1][1] + 1 if boxes else 0


def _statement(rest: str) -> str:
    """The display formula or the sentence that `rest` begins with."""
    if display := DISPLAY.match(rest := rest.lstrip()):
        return display.group()
    line = CLAUSE.split(rest.split("\n", 1)[0], maxsplit=1)[0]
    return re.split(r"[.!?;](?:[\s*]|$)", line, maxsplit=1)[0].strip(" *_`")


def _listed(tail: str) -> list[str]:
    """Results of an answer without mark: each option of several, the numbers it ends in, or all of a bare formula."""
    options = list(OPTION.finditer(tail))
    if len(options) > 1:
        ends = [option.start() for option in options[1:]] + [len(tail)]
        return [tail[option.end() : end].strip() for option, end in zip(options, ends, strict=True)]
    if numbers := LIST.search(tail):
        return [numbers.group()]
    return [] if re.search(r"[^\W\d_]{2}|=", TEXT_COMMAND.sub("", tail)) else [tail]
