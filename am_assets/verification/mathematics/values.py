r"""What a result is: the kinds of values that a result string may name, and where two separators take it apart.

A value holds text in the spelling of `notation.clean`; expressions in it are parsed only when they are compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from am_assets.verification.mathematics.units import Unit


@dataclass(frozen=True)
class Term:
    """A number or expression, with the unit and the noun behind it."""

    text: str
    unit: Unit | None = None
    noun: str = ""


@dataclass(frozen=True)
class Numeral:
    """Digits in a base: 2413_5."""

    digits: str
    base: int


@dataclass(frozen=True)
class Congruence:
    """Residues by their modulus: x = 3 (mod 7), n = 1, 3 (mod 8)."""

    residues: tuple[int, ...]
    modulus: int


@dataclass(frozen=True)
class Ratio:
    """3:5, and times of day with their half, "a" or "p"."""

    parts: tuple[str, ...]
    half: str = ""


@dataclass(frozen=True)
class Group:
    """Several values: a bare `list` and a `set` in any order, a `point` in its order; a point of two may be an interval
    with these brackets, and has none where words say that the order counts."""

    kind: str
    items: tuple["Value", ...]
    brackets: str = ""


@dataclass(frozen=True)
class Range:
    """A list with an ellipsis; `parts` are the texts around it, in order, and "" the ellipsis."""

    kind: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Region:
    r"""A set of reals: `operator` is "union", "both" (an intersection) or "without", or a comparison of texts as in
    0 < x < 5 (operands are texts and signs in turn)."""

    operator: str
    operands: tuple["Value | str", ...]


@dataclass(frozen=True)
class Named:
    """x = 2, y = 5: pairs of a name and its value, a name for each of several values."""

    pairs: tuple[tuple[str, "Value"], ...]


@dataclass(frozen=True)
class Equation:
    left: str
    right: str


@dataclass(frozen=True)
class Piecewise:
    """Values, each with the text of its condition."""

    rows: tuple[tuple["Value", str], ...]


@dataclass(frozen=True)
class Matrix:
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Rounded:
    r"""An exact value and its approximation: \frac13 \approx 0.333; `exact` is None where only the latter stands."""

    exact: "Value | None"
    decimal: "Value"


@dataclass(frozen=True)
class Words:
    """What no rule reads as mathematics."""

    text: str


@dataclass(frozen=True)
class Void:
    """An equation that names no value, of two different numbers or of one with itself; it equals nothing."""

    text: str


Value = (
    Term | Numeral | Congruence | Ratio | Group | Range | Region | Named | Equation | Piecewise | Matrix | Rounded
    | Words | Void
)  # fmt: skip


def listed(value: Value) -> tuple[Value, ...]:
    r"""The values of a list within a list, as of 1, \pm 2."""
    return value.items if isinstance(value, Group) and value.kind == "list" else (value,)


def as_set(value: Value) -> Value:
    return Group("set", tuple(one for _, one in value.pairs)) if isinstance(value, Named) else value


def named_values(values: list[Value], either: bool) -> Value:
    """x = 2, y = 5; a value without a name is another one of that before it. A list for `either`: x = 2 or y = 5."""
    pairs: list[tuple[str, Value]] = []
    for value in values:
        if isinstance(value, Named):
            pairs += value.pairs
        elif isinstance(value, Equation) or not pairs:
            return Group("list", tuple(values))
        else:
            pairs += [(pairs[-1][0], item) for item in listed(value)]
    letters = [name.partition("_")[0] for name, _ in pairs]
    alternatives = either and 1 < len(letters) == len({*letters})
    return Group("list", tuple(values)) if alternatives else Named(tuple(pairs))


JOINED = re.compile(r",?\s*\\text\{(?:and|or)\}|,|;|\\\\|\\newline")
OPENING = re.compile(r"\\begin\{|\\\{|\\langle|\\lfloor|\\lceil|[(\[{]")
CLOSING = re.compile(r"\\end\{|\\\}|\\rangle|\\rfloor|\\rceil|[)\]}]")


def split(text: str, separator: re.Pattern[str]) -> tuple[list[str], list[str]]:
    """The parts of `text` between separators outside of all brackets, and these separators."""
    parts, found, start, at, depth = [], [], 0, 0, 0
    while at < len(text):
        if opened := OPENING.match(text, at):
            depth, at = depth + 1, opened.end()
            if opened[0] == "\\begin{":
                at = text.find("}", at) + 1 or len(text)
        elif closed := CLOSING.match(text, at):
            depth, at = depth - 1, closed.end()
            if closed[0] == "\\end{":
                at = text.find("}", at) + 1 or len(text)
        elif depth == 0 and (cut := separator.match(text, at)):
            parts.append(text[start:at].strip())
            found.append(cut[0].strip())
            start = at = cut.end()
        elif text.startswith("\\text{", at):
            at = text.find("}", at) + 1 or len(text)
        elif text[at] == "\\":
            at += 2
        else:
            at += 1
    return [*parts, text[start:].strip()], found


def closes_early(text: str) -> bool:
    """Does the first bracket close before the end, as in (0,1) \\cup (2,3)?"""
    depth = 0
    for token in re.finditer(r"\\[{}]|\\langle|\\rangle|[()\[\]]", text):
        depth += 1 if token[0] in ("\\{", "\\langle", "(", "[") else -1
        if depth == 0:
            return token.end() < len(text)
    return True


ENVIRONMENT = re.compile(
    r"(?:(?P<name>[^=&\\]+(?:\\[a-z]+[^=&\\]*)?)=)?\s*"
    r"(?:(?P<factor>-|[^=&]*?[\w})])\s*(?:\\(?:cdot|times)(?![a-z])\s*)?)?(?P<before>\\\{|\(|\[|\|)?\s*\\begin\{(?P<kind>\w+)\*?\}"
    r"\s*(?:\{[lcr|. ]*\})?(?P<body>.*)\\end\{(?P=kind)\*?\}\s*(?P<after>\\\}|\)|\]|\|)?",
    re.DOTALL,
)
MATRICES = {"matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix"}
SYSTEMS = {"cases", "dcases", "rcases", "aligned", "align", "gathered", "split", "alignedat"}


def ends_early(body: str, kind: str) -> bool:
    """Is this the content of several environments, with what stands between them?"""
    end, begin = (body.find(f"\\{word}{{{kind}") for word in ("end", "begin"))
    return end >= 0 and end < begin


def depths(text: str) -> Iterator[tuple[int, int]]:
    """(position, depth in round, square and curly brackets, those of LaTeX groups left out) of each comma."""
    stack: list[bool] = []
    at = 0
    while at < len(text):
        if opened := OPENING.match(text, at):
            stack.append(opened[0] != "{")
            at = opened.end()
        elif closed := CLOSING.match(text, at):
            if stack:
                stack.pop()
            at = closed.end()
        else:
            if text[at] == ",":
                yield at, sum(stack)
            at += 1
