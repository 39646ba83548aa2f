"""Benchmark items as they turn up in pools: a function a kind, each deterministic; None where a kind can't be made."""

import random
import re
from collections.abc import Callable

GIVEN = """
Adam Alex Alice Amy Andrew Andy Ann Anna Anthony Barbara Ben Betty Bill Billy Bob Brandon Brian Carl Carla Carlos Carol
Charles Cindy Claire Dan Daniel Dave David Dylan Elizabeth Ella Ellen Emily Emma Eric Erin Frank Gabriel Gary George
Grace Greg Hannah Harry Helen Henry Ivan Jack Jake James Jane Janet Jasmine Jason Jeff Jennifer Jenny Jerry Jessica
Jill Jim Joe John Jordan Joseph Josh Julia Julie Karen Kate Kevin Kim Kyle Laura Leo Liam Linda Lisa Lucy Luke Madison
Maria Marie Mark Martin Mary Mason Matt Max Megan Melissa Mia Michael Mike Nancy Natalie Nick Noah Olivia Pam Patricia
Paul Penny Peter Philip Rachel Ray Richard Rick Rob Robert Rose Ruby Ryan Sally Sam Samantha Sandra Sara Sarah Scott
Sean Sharon Sophia Sophie Stephanie Steve Steven Susan Terry Thomas Tim Tina Toby Tom Tommy Tony Tracy Victor Vincent
Walter William Zoe
"""
NAMES = GIVEN.split()
NAME = re.compile(rf"\b({'|'.join(NAMES)})\b")
BEFORE = [
    "I found this in an old workbook and could not solve it. ",
    "You are a patient tutor. Read the following task carefully and help me with my homework.\n\n",
    "Last week our class had a short test, and one of its problems went like this: ",
]
AFTER = [
    " Please show every step of your work before you state the result.",
    "\n\nExplain the solution so that a younger student can follow it. Thank you!",
    " I would also like to know which rule is used here.",
]
PUNCTUATION = {".": "!", ",": ";", "?": " ?!", "'": "\u2019", '"': "\u201c", ";": ",", ":": " -"}


def verbatim(text: str, _: random.Random) -> str:
    return text


def recased(text: str, draw: random.Random) -> str:
    return draw.choice([str.upper, str.lower, str.swapcase])(text)


def repunctuated(text: str, _: random.Random) -> str:
    """Every mark at the end of a word is another one, and every space two."""
    marked = re.sub(r"(?<=\w)[.,?'\";:](?=\s|$)", lambda mark: PUNCTUATION[mark.group()], text)
    return marked.replace(" ", "  ")


def number_swapped(text: str, draw: random.Random) -> str | None:
    """Every run of digits is another number, of up to one digit more."""

    def other(run: re.Match) -> str:
        number = draw.randrange(2, 10 ** (len(run.group()) + 1))
        return str(number + (str(number) == run.group()))

    return re.sub(r"\d+", other, text) if re.search(r"\d", text) else None


def name_swapped(text: str, draw: random.Random) -> str | None:
    """Every common given name is another one, the same throughout."""
    found = sorted(set(NAME.findall(text)))
    others = dict(zip(found, draw.sample([name for name in NAMES if name not in found], len(found)), strict=True))
    return NAME.sub(lambda name: others[name.group()], text) if found else None


def embedded(text: str, draw: random.Random) -> str:
    return draw.choice(BEFORE) + text + draw.choice(AFTER)


def reordered(text: str, draw: random.Random) -> str | None:
    """The sentences in another order."""
    sentences = re.split(r"(?<=[.?!])\s+", text.strip())
    if len(set(sentences)) < 2:
        return None
    moved = sentences
    while moved == sentences:
        moved = draw.sample(sentences, len(sentences))
    return " ".join(moved)


KINDS: list[Callable[[str, random.Random], str | None]] = [
    verbatim, recased, repunctuated, number_swapped, name_swapped, embedded, reordered,
]  # fmt: skip
