r"""Extraction of the final results of an answer, by string patterns without algebra.

Runs in the main process over untrusted text, so every pattern takes linear time or reads a bounded window. Whether a
result is retracted or hedged is checked in `retraction.py`.
"""

import re

from am_assets.verification.mathematics.normalization import TEXT_COMMAND, normalize

WINDOW = 2_000  # characters read for one statement, and at the end of an answer without a marked result

MARK = re.compile(
    r"####\s*"
    r"|\b(?:answer|result|(?:correct|right|best) (?:option|choice))s?\b[^.\n:=$\\\d]{0,60}?"
    r"(?:\b(?:is|are|(?:must|should|will) be|equals)\b|:|=)(?!\s*not\b)[\s*:_]*"
    r"|\b(?:it|this|that) should be\s+",
    re.IGNORECASE,
)
BOX = re.compile(r"\\f?boxed\s*\{|\\.|[{}]", re.DOTALL)
SENTENCE_END = re.compile(r"[.!?;]['\"\u201d\u2019*)]*\s+|\n+")
CLAUSE = re.compile(r",?\s+(?:because|since|as|where|which)\b")  # a clause of explanation is not part of the statement
DISPLAY = re.compile(r"\\\[.*?\\\]|\$\$.*?\$\$", re.DOTALL)
OPTION = re.compile(r"(?:^|(?<=\s))\(?[A-J][).](?=\s)")
COMMAND = re.compile(r"\\[a-zA-Z]+")
NUMBER = r"-?\$?\d++(?:,\d{3})*+(?:\.\d++)?"
LIST = re.compile(rf"(?<![\d.]){NUMBER}(?:(?:,\s+|,?\s+(?:or|and)\s+){NUMBER})++(?=\D*$)")


def results(answer: str) -> list[str]:
    r"""The distinct results an answer commits to, in order; empty if nothing marks a result.

    All `\boxed{}` contents, and the statements ("the answer is …") after the last of them; without a box the last
    statement; without a statement a final list of options or numbers. A later statement replaces an earlier one, but a
    box always counts: an answer that boxes every candidate contradicts itself.

    >>> results(r"So the answer is \boxed{12}.")
    ['12']
    """
    boxes, end = boxed(answer)
    statements = [s for mark in MARK.finditer(answer, end) if (s := _statement(answer[mark.end() :][:WINDOW]))]
    if boxes:
        found = boxes + [s for s in statements if re.match(r"[$\\-]*\d|\\[(\[]", s)]
    else:
        found = statements[-1:] or _listed(answer[-WINDOW:].strip())
    return list({normalize(result): result for result in found if result}.values())


def boxed(text: str) -> tuple[list[str], int]:
    r"""Contents of the outermost `\boxed{}` with balanced braces, and the position after the last of them."""
    open_braces: list[int | None] = []
    boxes: list[tuple[int, int]] = []
    for token in BOX.finditer(text):
        if "boxed" in token.group():
            open_braces.append(token.end())
        elif token.group() == "{":
            open_braces.append(None)
        elif token.group() == "}" and open_braces and (start := open_braces.pop()) is not None:
            while boxes and boxes[-1][0] > start:  # nested boxes
                boxes.pop()
            boxes.append((start, token.start()))
    return [text[a:b].strip() for a, b in boxes], boxes[-1][1] + 1 if boxes else 0


def _statement(rest: str) -> str:
    """The display formula or the sentence at the beginning of `rest`."""
    if display := DISPLAY.match(rest := rest.lstrip()):
        return display.group()
    line = CLAUSE.split(rest.split("\n", 1)[0], maxsplit=1)[0]
    return re.split(r"[.!?;](?:[\s*]|$)", line, maxsplit=1)[0].strip(" *_`")


def _listed(tail: str) -> list[str]:
    """Results of an answer without a marker: each of several options, the final numbers, or a whole bare formula."""
    options = list(OPTION.finditer(tail))
    if len(options) > 1:
        ends = [option.start() for option in options[1:]] + [len(tail)]
        return [tail[option.end() : end].strip() for option, end in zip(options, ends, strict=True)]
    bare = not re.search(r"[^\W\d_]{2}|=", COMMAND.sub("", TEXT_COMMAND.sub("", tail)))
    if (numbers := LIST.search(tail)) and not bare:
        return [numbers.group()]
    return [tail] if bare else []
