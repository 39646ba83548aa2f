r"""A result string read as a value: the first of the forms in `FORMS` that it has.

Nothing is evaluated here. Where a comma may set off thousands or elements, the string has two readings.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from am_assets.verification.mathematics import algebra, asides, atoms
from am_assets.verification.mathematics.notation import clean
from am_assets.verification.mathematics.qualifiers import condition, conditioned, unqualified
from am_assets.verification.mathematics.thousands import with_commas
from am_assets.verification.mathematics.values import (
    ENVIRONMENT,
    JOINED,
    MATRICES,
    SYSTEMS,
    Equation,
    Group,
    Matrix,
    Named,
    Piecewise,
    Range,
    Region,
    Rounded,
    Term,
    Value,
    Void,
    Words,
    as_set,
    closes_early,
    ends_early,
    listed,
    named_values,
    split,
)

COMPARISON = re.compile(r"\\(?:le|ge|ne)(?![a-z])|[<>]")
EXCEPTED = re.compile(r"[A-Za-z]\s*\\ne(?![a-z])\s*")
APPROXIMATES = re.compile(r"\\approx(?![a-z])")
EQUALS = re.compile(r"(?<![<>!:])=")
MEMBER = re.compile(r"((?:[A-Za-z]|\\[a-z]+)(?:_\{\w+\})?|\([a-z, ]+\))\s*\\in(?![a-z])\s*(.+)", re.DOTALL)
IMPLIES = re.compile(r"\\(?:iff|to|(?:Long)?(?:[lL]eft)?[rR]ightarrow)(?![a-z])|[\u21d2\u21d4\u27f9]")
RELATION = re.compile(r"[=<>]|\\(?:le|ge|in)(?![a-z])")
UNION = re.compile(r"\\cup(?![a-z])")
REALS = re.compile(r"[a-z]\s*\\in\s*\\mathbb\{R\}")
INTERSECTION = re.compile(r"\\cap(?![a-z])")
MINUS = re.compile(r"\\setminus(?![a-z])|\\(?=\\\{)|(?<=\\mathbb\{R\})\s*-(?=\s*\\\{)")
BUILT = re.compile(r"\\\{\s*([a-z]|\\[a-z]+)(?:\s*\\in\s*\\mathbb\{R\})?\s*[|:]\s*(.+)\\\}", re.DOTALL)
SEQUENCE = re.compile(r"\\\{\s*(.+?)\s*(?:\\middle\s*)?[:|]\s*([a-z]\s*\\in\s*\\mathbb\{Z\})\s*\\\}", re.DOTALL)
POINT = re.compile(r"([A-Z]'?(?:_\{?\w\}?)?)\s*(\([^()]*(?:\([^()]*\)[^()]*)*,[^()]*(?:\([^()]*\)[^()]*)*\))")
RESTATED = re.compile(r"(.+?) +\(+(?:(?:\\text\{\(?or\}|=) *)?([^()]+)\)+")


def readings(text: str) -> list[Value]:
    """The values that `text` may name, the likeliest first; [] for no text."""
    return _readings(text[:2_000]) if text.strip() else []


@lru_cache(1024)
def _readings(text: str) -> list[Value]:
    spelled = asides.value_alone(clean(asides.kept(text)))
    return [read(commas) for commas in dict.fromkeys(with_commas(spelled))] if spelled else []


def read(text: str) -> Value:
    """The value of `text`, which is in the spelling of `clean`."""
    for form in FORMS:
        value = form(text)
        if value is not None:
            return value
    return Words(text)


def _environment(text: str) -> Value | None:
    """Matrices, systems of equations and functions by cases."""
    found = ENVIRONMENT.fullmatch(text)
    if not found or ends_early(found["body"], found["kind"]):
        return None
    rows = [[cell.strip(" ,") for cell in row.split("&")] for row in re.split(r"\\\\(?:\[[^\]]*\])?", found["body"])]
    rows = [row for row in rows if any(row)]
    system = found["kind"] in SYSTEMS or found["before"] == "\\{"
    value: Value | None = None
    if system and found["kind"] not in {"aligned", "align", "split"} and rows and all(len(row) == 2 for row in rows):
        value = Piecewise(tuple((read(row[0].rstrip(",")), condition(row[1])) for row in rows))
    elif system:
        lines = re.sub(r",\s*(?==)", " ", ", ".join("".join(row).strip() for row in rows))  # "= 5" goes on with a line
        value = _joined(lines) or read(lines)
    elif found["kind"] in MATRICES or found["kind"] == "array":
        if found["before"] == "|":
            return None  # a determinant
        value = atoms.scaled(rows, found["factor"])
    if found["factor"] and not isinstance(value, Matrix):
        return None
    if value is not None and found["name"]:
        return Named(((atoms.name(found["name"]), value),))
    return value


def _qualified(text: str) -> Value | None:
    rest = unqualified(text)
    return None if rest is None else read(rest)


def _conditioned(text: str) -> Value | None:
    """y = x^2 (x > 0)."""
    found = conditioned(text)
    value = read(found[0]) if found else None
    return Piecewise(((value, found[1]),)) if found and value and not isinstance(value, Words | Void) else None


def _ordered(text: str) -> Value | None:
    """2 and 3, respectively."""
    value = read(rest) if (rest := asides.in_order(text)) else None
    return Group("point", value.items) if isinstance(value, Group) and value.kind == "list" else None


def _labelled(text: str) -> Value | None:
    """(a) 3 (b) 5; maximum 24, minimum 12."""
    parts = asides.parts(text) or asides.called(text)
    values = [read(part) for _, part in parts]
    if not parts or any(isinstance(value, Words | Void) for value in values):
        return Words(text) if parts else None
    return Named(tuple((atoms.name(name), value) for (name, _), value in zip(parts, values, strict=True)))


def _implied(text: str) -> Value | None:
    """What is concluded last: x = 5 of 3x = 15 \\implies x = 5."""
    parts, cuts = split(text, IMPLIES)
    return read(parts[-1]) if cuts and all(map(RELATION.search, parts)) else None


def _restated(text: str) -> Value | None:
    r"""A number with another form of it in brackets: 75\% (\frac34)."""
    found = RESTATED.fullmatch(text)
    if not found or not atoms.is_number(found[1]) or not atoms.is_number(found[2]):
        return None
    return read(found[1]) if algebra.same(atoms.amount(found[1]), atoms.amount(found[2])) else None


def _rounded(text: str) -> Value | None:
    parts, cuts = split(text, APPROXIMATES)
    if not cuts or len(cuts) > 1:
        return Words(text) if cuts else None
    exact = read(parts[0]) if parts[0] else None
    return Rounded(exact, read(parts[1]))


def _joined(text: str) -> Value | None:
    parts, cuts = split(text, JOINED)
    if not cuts:
        return None
    parts = [part for part in parts if part]
    return _several(parts, cuts) if len(parts) > 1 else read(parts[0]) if parts else None


def _several(parts: list[str], cuts: list[str]) -> Value | None:
    """Parts of one result: a region, named values, an ellipsis or a list."""
    if not parts:
        return None
    if any(re.fullmatch(r"(?:[-+]?\s*)?\\ldots|", part) for part in parts):
        return Range("list", tuple("" if "\\ldots" in part else part for part in parts))
    if any("\\ldots" in part for part in parts):
        return Words(", ".join(parts))
    if excepted := EXCEPTED.match(parts[0]):  # x \\ne 0, 1
        parts = [parts[0], *(part if COMPARISON.search(part) else excepted[0] + part for part in parts[1:])]
    if any(split(part, COMPARISON)[1] for part in parts) and not any(split(part, EQUALS)[1] for part in parts):
        regions = tuple(read(part) for part in parts if not REALS.fullmatch(part))
        if not all(isinstance(one, Region | Group) for one in regions):
            return Words(", ".join(parts))
        return Region("union" if any("or" in cut for cut in cuts) else "both", regions)
    values = [read(part) for part in parts]
    if congruent := atoms.congruent(parts, values):
        return congruent
    if any("or" in cut for cut in cuts) and {Region} < {*map(type, values)} <= {Region, Named}:  # x = 5 or x > 7
        return Region("union", tuple(as_set(value) for value in values))
    if any(isinstance(value, Words | Void) for value in values):
        return Words(", ".join(parts))
    if any(isinstance(value, Named | Equation) for value in values):
        return named_values(values, either=any("or" in cut for cut in cuts))
    if all(isinstance(value, Region) for value in values):
        return Region("union", tuple(values))
    items = [item for value in values for item in listed(value)]
    return items[0] if len(items) == 1 else Group("list", tuple(items))


def _named_point(text: str) -> Value | None:
    """B(3, 4)."""
    found = POINT.fullmatch(text)
    point = _bracketed(found[2]) if found else None
    return Named(((atoms.name(found[1]), point),)) if found and point else None


def _built(text: str) -> Value | None:
    if sequence := SEQUENCE.fullmatch(text):
        return read(f"{sequence[1]}, {sequence[2]}")
    found = BUILT.fullmatch(text)
    if not found or closes_early(text):
        return None
    defined = re.match(rf"{re.escape(found[1])}\s*=", found[2])
    return read(found[2]) if defined or split(found[2], COMPARISON)[1] else None


def _member(text: str) -> Value | None:
    found = MEMBER.fullmatch(text)
    return read(found[2]) if found else None


def _compared(text: str) -> Value | None:
    parts, cuts = split(text, COMPARISON)
    if not cuts:
        return None
    if cuts == ["\\ne"] and re.search(r"\\pm(?![a-z])", text):
        return Region("both", tuple(read(re.sub(r"\\pm(?![a-z])", sign, text)) for sign in ("", "-")))
    if split(text, EQUALS)[1] or not all(parts):
        return Words(text)
    operands = [parts[0]]
    for sign, part in zip(cuts, parts[1:], strict=True):
        operands += [sign, part]
    return Region("compare", tuple(operands))


def _combined(text: str) -> Value | None:
    for operator, sign in {"without": MINUS, "union": UNION, "both": INTERSECTION}.items():
        parts, cuts = split(text, sign)
        if cuts and all(parts):
            return Region(operator, tuple(read(part) for part in parts))
    return None


def _equated(text: str) -> Value | None:
    parts, cuts = split(text, EQUALS)
    if not cuts or not all(parts):
        return Words(text) if cuts else None
    if any("\\text" in part and part.count("(") != part.count(")") for part in parts):
        return Words(text)  # an aside, and no side of the equation
    numbers = [atoms.is_number(part) for part in parts]
    amounts = [atoms.amount(part) for part in parts]
    if atoms.NAME.fullmatch(parts[0]) and not numbers[0]:
        stated = [amount for amount, number in zip(amounts[1:], numbers[1:], strict=True) if number]
        if len(stated) > 1 and any(algebra.same(stated[-1], other) is False for other in stated[:-1]):
            return Void(text)
        value = read(parts[-1])
        if len(parts) > 2 and all(re.fullmatch("[a-z]", part) for part in parts[:-1]) and isinstance(value, Term):
            return Named(tuple((part, value) for part in parts[:-1]))  # x = y = z = 1
        if isinstance(value, Group) and value.kind == "list":
            return Named(tuple((atoms.name(parts[0]), item) for item in value.items))
        return value if isinstance(value, Words | Void) else Named(((atoms.name(parts[0]), value),))
    if all(numbers):
        if len({*parts}) == 1:
            return Void(text)
        told = [algebra.same(amounts[0], other) for other in amounts[1:]]
        return read(parts[-1]) if all(told) else Void(text) if False in told else Words(text)
    if len(parts) == 2 and re.search(r"\\[pm][pm](?![a-z])", parts[0]):
        return _plus_minus(text)
    if len(parts) == 2 and atoms.NAME.fullmatch(parts[1]) and numbers[0]:
        return Named(((atoms.name(parts[1]), read(parts[0])),))
    if len(parts) == 2:
        return Equation(*(reversed(parts) if numbers[0] else parts))
    return Equation(parts[0], parts[-1]) if numbers[-1] else Words(text)


def _bracketed(text: str) -> Value | None:
    found = re.fullmatch(r"(\\\{|\\langle|[(\[])(.*)(\\\}|\\rangle|[)\]])", text, re.DOTALL)
    if not found or split(text, re.compile(r"$^"))[0] != [text] or closes_early(text):
        return None
    if found[1] == "\\{" and found[3] == "\\}":
        kind = "set"
    elif (found[1] in ("(", "[") and found[3] in (")", "]")) or (found[1] == "\\langle" and found[3] == "\\rangle"):
        kind = "point"
    else:
        return None
    parts, cuts = split(found[2].strip(), re.compile(r",|;"))
    if any("\\ldots" in part for part in parts):
        return Range(kind, tuple("" if part == "\\ldots" else part for part in parts))
    if kind == "point" and not cuts:
        return read(found[2].strip()) if found[1] + found[3] == "()" else None
    values = [read(part) for part in parts]
    items = [item for value in values for item in listed(value)]
    if not all(parts) or any(isinstance(item, Words | Void) for item in items):
        return Words(text)
    return Group(kind, tuple(items), "()" if found[1] == "\\langle" else found[1] + found[3] if kind == "point" else "")


def _plus_minus(text: str) -> Value | None:
    if not re.search(r"\\(?:pm|mp)(?![a-z])", text):
        return None
    either = [re.sub(r"\\pm(?![a-z])", plus, re.sub(r"\\mp(?![a-z])", minus, text)) for plus, minus in ("+-", "-+")]
    values = [read(re.sub(r"^\s*\+\s*", "", re.sub(r"([(\[{=])\s*\+\s*", r"\1", one))) for one in either]
    return None if any(isinstance(value, Words) for value in values) else Group("list", tuple(values))


# In this order. A qualifier, an approximation and separators bind least, a unit binds most.
FORMS: list[Callable[[str], Value | None]] = [
    _environment, _ordered, _qualified, _conditioned, _labelled, _implied, _restated, atoms.compound_quantity,
    atoms.congruence, _rounded, _joined, _built, _compared, _member, _equated, _combined, _named_point, atoms.row,
    _bracketed, _plus_minus, atoms.numeral, atoms.ratio, atoms.term,
]  # fmt: skip
