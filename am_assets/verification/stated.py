r"""Which results an answer states, and when two strings spell the same one: string work only, no algebra.

Runs in the main process over text a model may have made hostile, so every pattern here takes linear time or reads a
bounded window. What needs computer algebra is `equality.py`'s, in a process that can be killed.
"""

import re

WINDOW = 2_000  # characters looked at for one statement, and at the end of an answer that marks no result

MARK = re.compile(
    r"####\s*"
    r"|\b(?:answer|result)s?\b[^.\n:=$\\\d]{0,60}?(?:\b(?:is|are)\b|:|=)(?!\s*not\b)[\s*:_]*"
    r"|\b(?:it|this|that) should be\s+",
    re.IGNORECASE,
)
BOX = re.compile(r"\\f?boxed\s*\{|\\.|[{}]", re.DOTALL)
DISPLAY = re.compile(r"\\\[.*?\\\]|\$\$.*?\$\$", re.DOTALL)
OPTION = re.compile(r"(?:^|(?<=\s))\(?[A-J][).](?=\s)")
NUMBER = r"-?\$?\d++(?:,\d{3})*+(?:\.\d++)?"
LIST = re.compile(rf"(?<![\d.]){NUMBER}(?:(?:,\s+|,?\s+(?:or|and)\s+){NUMBER})++(?=\D*$)")
PLAIN_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?")
TEXT_COMMAND = re.compile(r"\\(?:text|textbf|textrm|textnormal|mathrm|mbox)\s*\{([^{}]*)\}")
ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{\w+\*?\}|\\operatorname\s*\{\w+\}")
# Three letters in a row that are no LaTeX command and no function, and "no": prose, where letters are no factors.
WORD = re.compile(
    r"(?<![\\A-Za-z])(?!(?:and|sin|cos|tan|sec|csc|cot|log|exp|mod|gcd|lcm|max|min)\b)(?:[A-Za-z]{3,}|no\b)",
    re.IGNORECASE,
)
FOREIGN = re.compile(
    r"[\"#?\u2192\u2300-\U0010ffff]|\['|_ _"
)  # quoted lists, boards, other scripts: no formula holds these
SEQUENCE = re.compile(r"-?[\d.]+(?: -?[\d.]+)+")  # numbers side by side, the rows of a grid: no product
PROSE = 4  # words from which a text with numbers in it is no formula with a unit
SPACE_COMMAND = re.compile(r"\\(?:[!,;:]|left\b|right\b|displaystyle\b)|\\?\$|\\[()\[\]]")


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
    return list({normal(result): result for result in found if result}.values())


def is_text(text: str) -> bool:
    """Whether `text` is words, a quoted list or a grid of numbers, which algebra would misread as a product."""
    formula = ENVIRONMENT.sub("", text)
    plain = normal(formula)
    if SEQUENCE.fullmatch(plain) or FOREIGN.search(plain):
        return True
    if not re.search(r"[+*/^=<>\\\d_]", plain):
        return bool(WORD.search(plain))
    return words(formula) >= PROSE


def words(text: str) -> int:
    r"""Words outside of commands; `\text{}` is taken for a unit and not counted."""
    return len(WORD.findall(ENVIRONMENT.sub("", TEXT_COMMAND.sub("", text))))


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
    line = rest.split("\n", 1)[0]
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


def normal(text: str) -> str:
    """One spelling for strings that mean the same number, formula or phrase."""
    text = TEXT_COMMAND.sub(r"\1", text.replace("\u2212", "-"))
    text = SPACE_COMMAND.sub("", text).replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", " ".join(text.replace("{,}", ",").split()))
    text = re.sub(r" ?([,={}()\[\]]) ?", r"\1", text).strip(" .,*`")
    number = PLAIN_NUMBER.fullmatch(text)
    if not number or not (number[2] or number[3]):
        return text
    whole, decimals = number[2].lstrip("0") or "0", (number[3] or "").rstrip("0")
    value = f"{whole}.{decimals}" if decimals else whole
    return f"-{value}" if number[1] == "-" and value != "0" else value
