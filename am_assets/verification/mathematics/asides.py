r"""What stands in a result beside its value: an introduction, an explanation, a root that is rejected, labels of parts.

Only text is taken away here; what is left is read by `reading`.
"""

import re

# Behind a result, in brackets: why it is the one. "(for even n)" and "(approximately)" say more, and stay.
EXPLAINED = re.compile(
    r"\s*,?\s*(?:\(\s*\\text\{\s*|\\text\{\s*\(\s*)"
    r"(?:since|because|as|the only|rejecting|discarding|ignoring|excluding|rounded)\b"
    r"[^()]*(?:\([^()]*\)[^()]*)*\)\s*\}?$"
)
INTRODUCED = re.compile(
    r"\\text\{(?![^{}]*\b(?:not|no|neither|never|least|most|than|about|between|either|wrong|if|step|except|other)\b)\s*"
    r"(?:[a-z]+,? ){0,6}(?:(?:is|are|equals):?|[a-z]+:)\s*\}\s*(?=\S)",
    re.IGNORECASE,
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
LABEL = re.compile(r"(?:^|(?<=[\s,;]))\(?([a-h]|i{1,3}|iv|v)\)\s*(?=\S)")
FIRST_LABEL = re.compile(r"(?:^|(?<=\n)|(?<=\. ))\s*(?:\*\*)?\((?:a|i)\)")
DELIMITERS = re.compile(r"\\[()\[\]]|\$|\*\*|`")
ORDERS = (["a", "b", "c", "d", "e", "f", "g", "h"], ["i", "ii", "iii", "iv", "v"])


def value_alone(spelled: str) -> str:
    r"""`spelled` (see `notation.clean`) without an introduction and an explanation.

    >>> value_alone(r"\text{The answer is} 5"), value_alone(r"5 (\text{since} x>0)")
    ('5', '5')
    """
    introduced = INTRODUCED.match(spelled)
    bare = EXPLAINED.sub("", spelled[introduced.end() :] if introduced else spelled)
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
    return line if parts(line) else None


def parts(spelled: str) -> list[tuple[str, str]]:
    """The labels and results of "(a) 3 (b) 5"; none where the labels are not the first ones in their order."""
    labels = list(LABEL.finditer(spelled))
    names = [label[1] for label in labels]
    if len(labels) < 2 or labels[0].start() or names not in [order[: len(names)] for order in ORDERS]:
        return []
    ends = [label.start() for label in labels[1:]] + [len(spelled)]
    results = [spelled[label.end() : end].strip(" ,;") for label, end in zip(labels, ends, strict=True)]
    return list(zip(names, results, strict=True)) if all(results) else []
