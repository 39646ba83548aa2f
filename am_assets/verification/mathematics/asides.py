r"""What stands in a result beside its value: an introduction, an explanation, a root that is rejected, labels of parts.

Only text is taken away here; what is left is read by `reading`.
"""

import re
from itertools import takewhile

from am_assets.verification.mathematics.values import JOINED, split

# Behind a result, in brackets: why it is the one. "(for even n)" and "(approximately)" say more, and stay.
EXPLAINED = re.compile(
    r"\s*,?\s*(?:\(\s*\\text\{\s*|\\text\{\s*\(\s*)"
    r"(?:since|because|as|the only|rejecting|discarding|ignoring|excluding|rounded)\b"
    r"[^()]*(?:\([^()]*\)[^()]*)*\)\s*\}?$"
)
INTRODUCED = re.compile(
    r"\\text\{(?![^{}]*\b(?:not|no|neither|never|least|most|than|about|between|either|wrong|if|step|except|other)\b)\s*"
    r"(?:only|exactly|(?:[a-z]+,? ){0,6}(?:(?:is|are|equals):?|[a-z]+:))\s*\}\s*(?=\S)",
    re.IGNORECASE,
)
# "All integers n >= 2": by their names these letters are integers.
OF_INTEGERS = re.compile(
    r"^\\text\{(?:for )?(?:all|any|every)(?: (?:positive |natural )?(?:integers?|numbers?))?\}"
    r"\s*(?=[kmn]\s*(?:\\[lg]e|[<>]))",
    re.IGNORECASE,
)
# An approximation in brackets.
NEARLY = re.compile(
    r"\s*(?:\(\s*|\\text\{\()(?:\\approx|(?:\\text\{)?\s*(?:approximately|about|or about|roughly)\s*\})\s*([^()]+)\)$"
)
IN_ORDER = re.compile(r"(.+?)[, ]*(?:\bin )?\\text\{\(?(?:respectively|(?:in )?(?:this|that) order)\)?\}", re.DOTALL)
NO_NAME = (
    r"(?:and|or|not|no|nor|neither|never|only|either|exactly|about|approximately|over|under|if|when|for|first|then|next|but"
    r"|also|else|maybe|perhaps|possibly|probably|almost|nearly|except|without|instead|plus|minus|times)\b"
)
CALLED = re.compile(
    rf"(?:\\text\{{(?!{NO_NAME})([a-z]+):?\}}\s*:?|([A-Z])\s*:)\s*(?!\\text)([-\\\d(\[][^=]*)", re.IGNORECASE
)
JOINT = r"(?:[,，;；、]|或|\bor\b|\band\b|\\text\s*\{\s*(?:or|and|或)\s*\})"
VALUE = r"[^,，;；或、(（\n]{1,40}?"
REJECTED = (
    r"\s*\$?\s*(?:\\text\s*\{\s*)?[（(]\s*"
    r"(?:应?舍去?|不合题意[^）)]{0,10}|rejected?|discarded?|extraneous)\s*[）)]\}?\$?"
)
REJECTED_LATER = re.compile(rf"\s*{JOINT}{VALUE}{REJECTED}", re.IGNORECASE)
REJECTED_FIRST = re.compile(rf"^{VALUE}{REJECTED}\s*{JOINT}\s*", re.IGNORECASE)
REASON = re.compile(r"(?<=[\d)}$])\s*\((?:since|because|as)\b[^()]*\)(?=[.\s$]*$)")
LABEL = re.compile(r"(?:^|(?<=[\s,;]))(?:\(?([a-h]|i{1,3}|iv|v)\)|\(([1-8]|I{1,3}|IV|V)\))\s*(?=\S)")
FIRST_LABEL = re.compile(r"(?:^|(?<=\n)|(?<=\. ))\s*(?:\*\*)?\((?:a|i|(1))\)")
DELIMITERS = re.compile(r"\\[()\[\]]|\$|\*\*|`")
WORDY = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2}|\d[^=]*=")  # a step on the way, and no value
# A value with its name, a number, and a line with or without a bullet.
VALUED = re.compile(r"[A-Za-z](?:_\{?\w+\}?)?\s*=[^=]+")
PLAIN = re.compile(r"-?(?:\d+(?:\.\d+)?(?:/\d+)?|\\[dt]?frac\{\d+\}\{\d+\}|\d*\\sqrt\{\d+\}|\([^()=]+,[^()=]+\))")
BULLET = re.compile(r"\s*([-*\u2022]\s|\d{1,2}[.)]\s)?\s*(.*?)\s*")
ORDERS = (
    ["a", "b", "c", "d", "e", "f", "g", "h"],
    ["i", "ii", "iii", "iv", "v"],
    [*"12345678"],
    ["I", "II", "III", "IV", "V"],
)


def value_alone(spelled: str) -> str:
    r"""`spelled` (see `notation.clean`) without an introduction and an explanation.

    >>> value_alone(r"\text{The answer is} 5"), value_alone(r"5 (\text{since} x>0)")
    ('5', '5')
    """
    if called(spelled):
        return spelled
    introduced = INTRODUCED.match(spelled)
    bare = EXPLAINED.sub("", spelled[introduced.end() :] if introduced else spelled)
    bare = OF_INTEGERS.sub("", bare)
    bare = NEARLY.sub(r" \\approx \1", bare)
    return bare or spelled


def kept(text: str) -> str:
    """`text` without the roots of which it says, right behind them, that they are rejected, and without a reason.

    >>> kept("x = 3 or x = -2 (rejected)"), kept("x=-2(舍去)或x=3")
    ('x = 3', 'x=3')
    """
    if "(" not in text and "（" not in text:
        return text
    text = REASON.sub("", text)
    return REJECTED_FIRST.sub("", REJECTED_LATER.sub("", text))


def labelled(text: str) -> str | None:
    """The labelled parts with which `text` ends, in one line; None if it has none."""
    first = FIRST_LABEL.search(text)
    line = " ".join(DELIMITERS.sub("", text[first.start() :]).split()) if first else ""
    found = parts(line)
    return line if found and not (first and first[1] and any(WORDY.search(part) for _, part in found)) else None


def parts(spelled: str) -> list[tuple[str, str]]:
    """The names and results of "(a) 3 (b) 5"; none where the labels are not the first ones in their order."""
    labels = list(LABEL.finditer(spelled))
    names = [label[1] or label[2] for label in labels]
    if len(labels) < 2 or labels[0].start() or names not in [order[: len(names)] for order in ORDERS]:
        return []
    ends = [label.start() for label in labels[1:]] + [len(spelled)]
    results = [spelled[label.end() : end].strip(" ,;") for label, end in zip(labels, ends, strict=True)]
    return [(f"part{name}", result) for name, result in zip(names, results, strict=True)] if all(results) else []


def called(spelled: str) -> list[tuple[str, str]]:
    """The names and results of "maximum 24, minimum 12": a word before each of several."""
    found = [CALLED.fullmatch(part) for part in split(spelled, JOINED)[0]]
    named = {one[1] or one[2]: one[3] for one in found if one}
    lowered = [(name if len(name) == 1 else name.casefold(), value) for name, value in named.items()]
    return lowered if 1 < len(lowered) == len(found) else []


def in_order(spelled: str) -> str | None:
    """The list of which words say that its order counts."""
    found = IN_ORDER.fullmatch(spelled)
    return found[1] if found else None


def block(text: str) -> str:
    """The lines with which `text` begins, a value in each; "" unless there are several, and no calculation goes on."""
    lines = [*takewhile(lambda line: not line.strip() or _value(line), text.splitlines(keepends=True))]
    found = "".join(lines)
    goes_on = "=" in text[len(found) :].partition("\n")[0]
    return found.rstrip() if sum(map(bool, map(str.strip, lines))) > 1 and not goes_on else ""


def by_lines(end: str) -> str | None:
    """Values with names, or items of a list, that stand at the end, one a line."""
    lines = [line for line in end.splitlines() if line.strip()]
    rows = [*takewhile(bool, map(_value, reversed(lines)))][::-1]
    bullets = {bool(BULLET.fullmatch(line)[1]) for line in lines[len(lines) - len(rows) :]}  # type: ignore[index]
    names = {row.partition("=")[0].strip() if "=" in row else str(at) for at, row in enumerate(rows)}
    if len(rows) < 2 or len(bullets) > 1 or not (True in bullets or (len(names) == len(rows) and "=" in "".join(rows))):
        return None
    return ", ".join(rows)


def in_one_line(found: str) -> str:
    """The values of a `block`, or any other result as it stands."""
    rows = [_value(line) for line in found.splitlines() if line.strip()]
    return ", ".join(rows) if len(rows) > 1 and all(rows) else found


def _value(line: str) -> str:
    """The value in a line of its own; "" if it has none."""
    row = DELIMITERS.sub("", BULLET.fullmatch(line)[2]).strip(" .,;")  # type: ignore[index]
    return row if VALUED.fullmatch(row) or PLAIN.fullmatch(row) else ""
