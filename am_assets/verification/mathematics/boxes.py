r"""The boxes of an answer: `\boxed{…}`, `\fbox{…}`, `\framebox{…}`, and `\boxed 7` without braces.

Runs in the main process over untrusted text, so every pattern takes linear time.
"""

import re
from functools import lru_cache
from typing import NamedTuple

BOX = re.compile(
    r"\\(?P<box>boxed|fbox|framebox)(?![A-Za-z])(?:\[[^\]\n]{0,20}\]){0,2}\s*"
    r"(?:(?P<brace>\{)|(?P<bare>[-+]?\d(?:[\d.,]*\d)?|[A-Za-z](?![A-Za-z])|\\[dt]?frac\s*(?:\d\s*\d|\{[^{}]*\}\s*\{[^{}]*\}))"
    r"|(?P<nothing>))"
    r"|\\.|[{}]",
    re.DOTALL,
)
# What leaves a box without a value: nothing, a blank to be filled in, or a question mark.
HOLLOW = re.compile(
    r"(?:\\(?:h|v)?phantom\s*\{[^{}]*\}|\\(?:text|mathrm|mbox)\s*\{\s*\}|\\(?:quad|qquad|[,;:! ]|ldots|dots|square|Box)"
    r"|[\s$~{}?._\u2026\u25a1])*"
)
# An empty box after these words is only spoken of: "Always use \boxed{}."
SPOKEN_OF = re.compile(
    r"\b(?:in|inside|within|into|us(?:e|ing)|with|the|an?|your|each|every|put|via)\W{0,3}$", re.IGNORECASE
)


class Box(NamedTuple):
    start: int  # of the command
    end: int  # behind the closing brace
    content: str


def boxes(text: str) -> tuple[Box, ...]:
    """The outermost boxes with a value, in order."""
    return _read(text)[0]


def boxed(text: str) -> tuple[list[str], int]:
    """The contents of `boxes`, and the position behind the last of them."""
    found = boxes(text)
    return [box.content for box in found], found[-1].end if found else 0


def uncommitted(text: str) -> int | None:
    r"""Where the last box of `text` ends if it is empty, a blank, or never closed; else None. The answer has then not
    come to its result, whatever an earlier box holds: only a statement behind it can give one.

    >>> uncommitted(r"\boxed{42}, so the final answer is \boxed{}")
    41
    """
    return _read(text)[1]


@lru_cache(4)  # a verdict asks for the boxes of its answer several times
def _read(text: str) -> tuple[tuple[Box, ...], int | None]:
    """(boxes with a value, the end of the last box if it has none)."""
    braces: list[tuple[int, int] | None] = []  # for each open brace: where its box and its content start, if it has one
    found: list[Box] = []
    hollow = -1  # where the last box without a value ends
    for token in BOX.finditer(text):
        if token["brace"]:
            braces.append((token.start(), token.end()))
        elif token["bare"]:
            found.append(Box(token.start(), token.end(), token["bare"]))
        elif token["box"]:
            hollow = token.end() if not text[token.end() :].strip(" \n$.*") else hollow
        elif token.group() == "{":
            braces.append(None)
        elif token.group() == "}" and braces and (opened := braces.pop()) is not None:
            start, inside = opened
            content = text[inside : token.start()].strip()
            if not HOLLOW.fullmatch(content):
                while found and found[-1].start > start:  # nested boxes
                    found.pop()
                found.append(Box(start, token.end(), content))
            elif content or not SPOKEN_OF.search(text[max(0, start - 40) : start]):
                hollow = token.end()
    last = found[-1].end if found else 0
    if any(opened and opened[0] >= last for opened in braces):  # never closed: all that follows is in it
        return tuple(found), len(text)
    return tuple(found), hollow if hollow > last else None
