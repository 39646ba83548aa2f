r"""Words: which phrases say the same, which the opposite, and which no rule can tell apart.

A phrase is looked up in the table of `meanings`, without article, case and the frame of a sentence ("the sequence
is …").
"""

import re
from collections.abc import Iterator

from am_assets.verification.mathematics.dates import date
from am_assets.verification.mathematics.meanings import SAME
from am_assets.verification.mathematics.spellings import NONE_SUCH


def _rows() -> Iterator[tuple[str, tuple[int, int]]]:
    for paragraph, block in enumerate(SAME.strip().split("\n\n")):
        for line, row in enumerate(block.replace(";\n", "; ").split("\n")):
            for phrase in row.split(";"):
                yield phrase.strip().casefold(), (paragraph, line)


MEANING = dict(_rows())  # phrase -> (paragraph, line)
COLOURS = next(meaning[0] for phrase, meaning in MEANING.items() if phrase == "red")
ARTICLE = re.compile(r"\b(?:an?|the) (?=\w)")
# "The sequence is convergent", "the series converges": a subject of few words, and what is said of it.
SUBJECT = r"(?P<subject>(?:the|this|that|it|its|f|x|n|f\(x\))(?: (?!(?:sub)?case|branch)[a-z-]+){0,4}?)"
FRAME = re.compile(rf"{SUBJECT} (?:is|are|was|were|(?:holds|is true) for) (?:an? )?(?P<said>\S.*)", re.DOTALL)
SO = re.compile(
    r"(?:(?:since|because) [^,]*, ?|(?!(?:if|unless|when|for|in|suppose|assume)\b)[^,]*, ?so )?"
    r"(?:(?:so|thus|hence|therefore)(?: |, ?))?",
    re.DOTALL,
)
VERB_FRAME = re.compile(rf"{SUBJECT} (?P<said>(?:converges?|diverges?|exists?|does|has)\b.*)", re.DOTALL)
TRUTH = {"yes", "no", "true", "false"}
TRUTH_STATEMENT = re.compile(
    r"(?:(?:(?:the|this|that) )?(?:statement|claim|assertion|proposition)|it|this|that) is (true|false)"
    r"|(yes|no|true|false)\b ?[,.;:!\u2013\u2014] ?(.*)",
    re.DOTALL,
)
JOINT = re.compile(r", ?and | and |, ?|; ?| & |[和与、]")
STATED = re.compile(r" (?:is|are|was|has) | - |[:=]|\d\S* [a-z]")  # says of whom it is true
LED = re.compile(r"^(?:so|thus|hence|therefore)(?:,| ) ?")
HEAD = re.compile(r"((?:[a-z-]+ )+[a-z-]+?) of (?:the |an? )?\S.*", re.DOTALL)
WINS = re.compile(r"(.+?) (?:(?:always |will )?wins?|(?:has|have) (?:a )?winning strategy)")
NUMERAL = re.compile(r"i{1,3}|iv|v|vi|[\u2460-\u2469]")
CIRCLED = re.compile(r"[\u2460-\u2469]")
ALL_CIRCLED = re.compile(rf"{CIRCLED.pattern}(?:[和与、，, ]*{CIRCLED.pattern})*")
STATEMENTS = re.compile(
    r"(?:only )?(?:statements? )?(.*?)(?: only)?(?: (?:is|are) (?:true|correct))?(?: only)?", re.DOTALL
)
NAME = re.compile(r"[A-Z][a-z]+")


def same(result: str, reference: str) -> bool | None:
    """Do two phrases, normalized, say the same? None where no rule tells.

    They do if they are equal but for case, article and the order of parts joined by "and"; by the table; if one is the
    other without what it is "of"; a first name with a surname; a colour with the thing that has it. Of parts that only
    commas join nothing is told in another order.
    """
    one, other = canonical(result), canonical(reference)
    if one == other:
        return None if _adds(reference) and result.casefold() != reference.casefold() else _ordered(result, reference)
    if (day := date(result)) and (other_day := date(reference)):
        return day == other_day if day[0] == other_day[0] or day[1:] != other_day[1:] else None
    if all(items := (_numerals(one), _numerals(other))):
        return items[0] == items[1]
    if (said := _said(result)) and (wanted := _said(reference)):
        (subject, line), (other_subject, wanted_line) = said, wanted
        alike = not (subject and other_subject) or subject == other_subject
        if line[0] == wanted_line[0] and alike:
            return line == wanted_line
        return None
    if (wins := WINS.fullmatch(other)) and wins[1] == (same_wins[1] if (same_wins := WINS.fullmatch(one)) else one):
        return True
    if _head(one) == other or _head(other) == one:
        return True
    if _names(result, reference) or _coloured(one, other):
        return True
    return None


def canonical(text: str) -> str:
    """`text` without case and article, parts joined by "and" sorted, and a statement of truth as yes/no/true/false."""
    text = _bare(text)
    statement = TRUTH_STATEMENT.fullmatch(text)
    if statement and not TRUTH & set(re.findall(r"[a-z]+", statement[3] or "")):
        return statement[1] or statement[2]
    parts = JOINT.split(text)
    return " and ".join(sorted(parts)) if all(parts) else text


def _bare(text: str) -> str:
    return ARTICLE.sub("", LED.sub("", text.casefold().strip()))


def _ordered(result: str, reference: str) -> bool | None:
    """Do phrases of the same parts have them in an order that says the same? Lists with "and" have none; "no, yes, no"
    is another sequence than "yes, no, no"."""
    given, wanted = (JOINT.split(_bare(text)) for text in (result, reference))
    if given == wanted or sorted(given) != sorted(wanted) or all(map(STATED.search, wanted)):
        return True
    if len({*wanted}) < len(wanted) or TRUTH.issuperset(wanted):
        return False
    ands = [re.search("and|[&和与]", joint) is not None for joint in JOINT.findall(_bare(reference))]
    return True if all(ands) or (ands[-1] and sum(ands) == 1) else None


def _adds(reference: str) -> bool:
    """Does it say more than yes or no, as "Yes, x = 2"?"""
    statement = TRUTH_STATEMENT.fullmatch(reference.casefold())
    return bool(statement and re.search(r"[\d=]", statement[3] or ""))


def _numerals(text: str) -> set[str]:
    """Those of "i and iii only" or "①③", statements by their numerals; none where it is anything else."""
    parts = CIRCLED.findall(text) if ALL_CIRCLED.fullmatch(text) else JOINT.split(STATEMENTS.sub(r"\1", text))
    return {*parts} if all(NUMERAL.fullmatch(part) for part in parts) else set()


def meaning(text: str) -> tuple[int, int] | None:
    """The line of the table that says `text`, alone or as what a sentence says of its subject."""
    said = _said(text)
    return said[1] if said else None


def _said(text: str) -> tuple[str, tuple[int, int]] | None:
    """(subject, line of the table) of a phrase; the subject is empty where it has none."""
    plain = SO.sub("", " ".join(text.casefold().split()).strip(" .!"), count=1)
    if NONE_SUCH.fullmatch(plain):
        return "", MEANING["none"]
    for phrase in (plain, ARTICLE.sub("", plain), canonical(plain), plain.removeprefix("there are ")):
        if phrase in MEANING:
            return "", MEANING[phrase]
    for frame in (FRAME, VERB_FRAME):
        if (framed := frame.fullmatch(plain)) and framed["said"] in MEANING:
            return framed["subject"], MEANING[framed["said"]]
    return None


def _head(phrase: str) -> str | None:
    """What stands before "of", if that is more than one word: "angle bisector of the angle" is an angle bisector."""
    found = HEAD.fullmatch(phrase)
    return found[1] if found else None


def _names(result: str, reference: str) -> bool:
    """Is `result` the name `reference` with a surname? "Alice" is "Alice Smith"."""
    first, _, last = result.partition(" ")
    known = meaning(reference) or meaning(last)
    return not known and first == reference and bool(NAME.fullmatch(first) and NAME.fullmatch(last))


def _coloured(one: str, other: str) -> bool:
    """Is one a colour and the other a thing of that colour? "red" is "red ball"."""
    colour, thing = sorted((one, other), key=len)
    known = MEANING.get(colour)
    return bool(known and known[0] == COLOURS and re.fullmatch(rf"{re.escape(colour)} [a-z]+", thing))
