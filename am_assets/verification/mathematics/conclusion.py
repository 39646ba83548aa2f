"""The result of an answer that marks none: what its end (`extraction.tail`) is about, read as mathematics.

Only what result a text has belongs here; whether it is asserted is checked in `retraction.py`.
"""

import re

from am_assets.verification.mathematics.asides import VALUED
from am_assets.verification.mathematics.extraction import CALCULATION, CLAUSE, NUMBER, SENTENCE_END, is_formula
from am_assets.verification.mathematics.normalization import names_a_set
from am_assets.verification.mathematics.reading import readings
from am_assets.verification.mathematics.values import Equation, Group, Named, Term, Value, Void, Words

VERB = re.compile(r"\b(?:is|are|be|was|were|has|have|can)\b", re.IGNORECASE)
SENTENCE = re.compile(
    r"\?|\b(?:the|we|i|it|there|so|maybe|perhaps|not|since|because|then|thus|hence|therefore)\b|[是为得故则即有取]"
    r"|等于|所以|因此|[\u0400-\u04ff\u3040-\u30ff\uac00-\ud7af]",
    re.IGNORECASE,
)
# A text with a number that begins with a word and goes on without a sign: "Il y a 12", "In conclusion, x = 17".
WORD_FIRST = re.compile(
    r"\W*(?!(?:a?(?:sin|cos|tan|sec|csc|cot)|arc\w+|log|ln|exp|sqrt|pi|mod|all|any|every|no)\b)[^\W\d_]{2,},?\s+[\w$\\(-].*\d",
    re.DOTALL,
)
CHANGED = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|think|guess|not)\b"
    r"|^\W*\d[\d.,]*\s+(?:squared|cubed|factorial|times|plus|minus|divided)\b\D*$",
    re.IGNORECASE,
)
# "Thus the ratio is", "so", "we get", "there are": what comes before a result that a sentence is about.
CONCLUDED = re.compile(
    r"(?:(?:so|thus|hence|therefore|then|finally|consequently),?\s+)?"
    r"(?:(?:the|this|its|our|an?)\s(?:(?!\b(?:not|is|are|if|when|that|which|between|than|least|most|about)\b)[^.=<>?!])"
    r"{1,80}?\b(?:is|are|equals)\s+(?:equal to\s+|all\s+)?|there (?:is|are)\s+(?:exactly\s+|only\s+)?"
    r"|we (?:get|have|find|obtain|conclude)(?: that)?\s+)?",
    re.IGNORECASE,
)
# Of a sentence what comes last counts: behind a further conclusion, a display, or the end of a formula.
FURTHER = re.compile(
    r"[,;]?\s+(?:so|hence|thus|therefore|then|giving)\s+"
    r"|\s*(?:\\(?:implies|therefore|(?:Longr|R)ightarrow)(?![a-z])|[\u21d2\u27f9\u2234])\s*",
    re.IGNORECASE,
)
LAST_SAID = re.compile(rf"{SENTENCE_END.pattern}|[.,]?(?:\\\]|\$\$)\s*(?=\w)|[.]\$\s+(?=[A-Z])")
# What stands behind a result and is no part of it; where it has a number, that may be the result.
FOR_ALL = re.compile(r",?\s+for (?:all|every|each|any)\b[^,.]*$")
AFTER = re.compile(rf"\s+(?:of|at|in|on|for|per|during|within|from|with|when|if)\s+|{CLAUSE.pattern}")
ARITHMETIC = re.compile(r"(?=[^=]*\d)[\d\s.,$%x\u00d7*/+()\\-]+=")  # "2 x 17 = 34"
# Its value, where other numbers stand behind it: "so he scored 4 + 5 = 9 points in the 40 minutes".
COMES_TO = re.compile(
    rf"{CALCULATION}({NUMBER})[^=\d]*\s"
    r"(?:in|for|of|per|during|within|from|with|over|after|on|at|to|than|by|the)\s[^=]*\d[^=]*$"
)
CLOCK = re.compile(r"(?<![\d:])(\d{1,2}:\d\d(?:\s*[apAP]\.?[mM]\b\.?)?)[^\d]*$")  # "the train leaves at 9:05 AM"
# "He has 24 left, since 12 are gone".
BECAUSE = re.compile(r"(?<=[\d$%)}])((?: [a-z]+){0,3}),? (?:since|because) [^.=]*\.?\s*$")
# "The probability is 2 out of 3".
OUT_OF = re.compile(
    r"\b(?:probability|chances?|odds|likelihood|fraction|proportion)\b[^\d?]*\b(?:is|are)\s+(\d+ (?:out of|in) \d+)$",
    re.IGNORECASE,
)
# A quantity at the end: "350 cents", "2h15m", "2 hours and 15 minutes".
MEASURED = re.compile(
    r"(?<![\d.,:/])\d[\d,]*(?:\.\d+)?\s*(?:\\?%|[A-Za-z]+(?:(?:,|\s+and)?\s*\d+(?:\.\d+)?\s*[A-Za-z]+){0,2})$"
)
# "He sold 5 of the 40", "24 are left after 12 are sold": the last number belongs to another one.
BELONGS = re.compile(
    r"\d\$?(?: [a-z]+){0,3}"
    r"(?: (?:of|in|from|for|on|with|among|over) (?:(?:the|all|his|her|their|these|other) )*"
    r"|,? (?:after|once|when|by|exceeds?|double|twice|half|instead of|rather than|than|until|before) (?:[a-z]+ ){0,3})"
    r"\$?\d[\d.,]*[^=\d]*$"
    r"|\d[^=]*\d (?:[a-z]+ )?(?:fewer|less)$"
)
# What somebody has or does, and what for: "so he pays $64 for 8 glasses".
OBJECT = re.compile(
    r"^(?!.*\b(?:thinks?|thought|says?|said|claims?|guess\w*|believes?)\b)[^=\d]*"
    r"\b(?:there (?:is|are)|pays?|paid|spends?|spent|earns?|earned|needs?|costs?|makes?|made|gets?|has|have|buys?"
    r"|bought|saves?|saved|receives?|owes?|collect(?:s|ed)?|uses?|sells?|sold|takes?|covers?|travel(?:s|ed)?)"
    rf"\s+(?:a total of |only |exactly )?({NUMBER})(?!%|\s+(?:\w+ )?(?:less|more|fewer|percent|times)\b)[^=\d]*"
    r"\s(?:for|in|on|with|from|over|among|during|to (?:buy|make))\s[^=\d]*\d[\d.,]*[^=\d]*$",
    re.IGNORECASE,
)
AND = re.compile(r",?\s+(?:and|or)\s+|,\s*")
RATIO, TO = re.compile(r"\b(?:ratio|odds)\b", re.IGNORECASE), re.compile(r"(?<=\d) to (?=\d)")
# Lines of formulas at the end, and the sides of a line.
LINES = re.compile(
    r"\\begin\{(align|aligned|eqnarray|gather|gathered|split)\*?\}((?:(?!\\begin\{\1).)*)\\end\{\1\*?\}[\s.$\\\]]*$",
    re.DOTALL,
)
SIDES = re.compile(r"=|\\equiv(?![a-z])")
# The same in Chinese: what is given, and a value behind the last verb, before what it counts.
CHINESE_GIVEN = re.compile(r"[，,]?\s*(?:此时|这时|其中|当且仅当).*$|^.*?当[^，]*时[，,]\s*")
CHINESE = re.compile(
    r".*(?:(?<!不)(?:是|为|等于)|值|解得|得到?|(?<!没)有|剩(?:下|余)?|需要?|取|所以|因此|故|则|即|答|共)\s*[：:，,]?\s*(?P<value>(?:[^\u4e00-\u9fff]|[或和且与、])+?)"
    r"\s*[\u4e00-\u9fff]{0,10}"
)
CHINESE_DOUBT = re.compile(
    "可能|也许|或许|大概|大约|约为|假设|假如|如果|倘若|若|说|猜|觉得|认为|以为|至少|至多|最多|不超过|不少于|舍去|错|矛盾|难道|吗|但|不对|不等于|不是|并非"
    "|不成立|本来|原来|本应|才能"
)
JOINS = str.maketrans({"或": ",", "和": ",", "且": ",", "与": ",", "、": ",", "，": ","})
FEW = 8  # numbers of a sentence
ONE_RESULT = 100  # characters of an answer that may be nothing but its result


def is_result(answer: str) -> bool:
    """Is the whole answer one result and no sentence, as "0.25 liters" and "x < 2 or x > 3" are?"""
    text = answer.strip()
    if (
        len(text) > ONE_RESULT
        or "\n" in text
        or ((VERB.search(text) or SENTENCE.search(text)) and not names_a_set(text))
    ):
        return False
    if WORD_FIRST.match(text) and not names_a_set(text):
        return False
    values = readings(text)
    return bool(values) and not any(isinstance(value, Words | Void) or _is_step(value) for value in values)


def _is_step(value: Value) -> bool:
    """Is it an equation and what follows from it, "3x = 15, x = 5"?"""
    items = value.items if isinstance(value, Group) else ()
    return len(items) > 1 and isinstance(items[0], Equation) and isinstance(items[-1], Named)


def concluded(end: str) -> str | None:
    """The result that the last sentence is about: "so the ratio is 3:4", "thus x > 3 for all of them"; or that lines of
    formulas at the end come to."""
    end = end.rstrip(" .。")
    if lines := LINES.search(end):
        result = _come_to(lines[2])
        return result if result and is_result(result) else None
    sentence = FURTHER.split(LAST_SAID.split(end)[-1])[-1]
    if value := CHINESE.fullmatch(CHINESE_GIVEN.sub("", sentence)):
        *rest, last = value["value"].translate(JOINS).split(",")
        steps = any("=" in part and not VALUED.fullmatch(part.strip()) for part in (*rest, last))
        result = last if steps else ", ".join((*rest, last))
        return result if is_result(result) and not CHINESE_DOUBT.search(sentence) else None
    if value := CLOCK.search(sentence):
        return value[1]
    if value := OUT_OF.search(sentence) or COMES_TO.search(sentence) or OBJECT.search(sentence):
        return value[1]
    begun = CONCLUDED.match(sentence)
    said = FOR_ALL.sub("", sentence[begun.end() :] if begun else sentence)
    result, _, beside = AFTER.sub("\n", said, count=1).partition("\n")
    if said == sentence or re.search(r"\d", beside):
        return None
    result = TO.sub(":", result) if RATIO.search(sentence) else result
    names = all(VALUED.fullmatch(part.strip(" $")) for part in AND.split(result))
    if "=" in result and (
        (not names and not is_formula(result)) or ARITHMETIC.match(result)
    ):  # its last side is what is asked for
        return None
    return result if is_result(result) and (is_formula(result) or re.search(r"\d", result)) else None


def _come_to(lines: str) -> str:
    """The values of several names, a line each, or the last side of the last line."""
    rows = [row.replace("&", "").strip(" .,\n") for row in lines.split("\\\\") if row.strip()]
    names = {row[: row.index("=")].strip() for row in rows if VALUED.fullmatch(row)}
    return ", ".join(rows) if len(names) == len(rows) > 1 else SIDES.split(rows[-1])[-1] if rows else ""


def last_result(end: str) -> tuple[str | None, bool]:
    """The result of a text that marks none, and whether it is only a number that another one stands beside."""
    end = BECAUSE.sub("", end)
    if result := concluded(end):
        return result, False
    alone = numbers(end)
    result = (
        _measured(end) or searched(end) or (alone[0] if len(alone) == 1 and not CHINESE_DOUBT.search(end) else None)
    )
    return result, bool(BELONGS.search(SENTENCE_END.split(end.rstrip(" ."))[-1]))


def _measured(end: str) -> str | None:
    """The quantity with which a text ends, if its unit is a known one; "5 dozen" may be asked for as 5."""
    found = MEASURED.search(end.rstrip(" .!*"))
    values = readings(found[0]) if found else []
    units = [value.unit for value in values if isinstance(value, Term)]
    return found[0] if found and units and units[0] and units[0].dimension else None


def numbers(end: str) -> list[str]:
    """Those of the last sentence, a few at most."""
    return re.findall(NUMBER, SENTENCE_END.split(end.rstrip(" .。"))[-1])[-FEW:]


def is_changed(answer: str) -> bool:
    """Does a short answer without a verb say that its number is not the result, as "5 squared" and "6 = 5" do?"""
    if len(text := answer.strip()) > ONE_RESULT or VERB.search(text):
        return False
    return bool(CHANGED.search(text)) or any(isinstance(value, Void) for value in readings(text))


def searched(end: str) -> str | None:
    """The last result that math-verify finds in the text."""
    from math_verify import parse

    parsed = parse(end, parsing_timeout=None, raise_on_error=True)
    return parsed[-1] if parsed and isinstance(parsed[-1], str) else None
