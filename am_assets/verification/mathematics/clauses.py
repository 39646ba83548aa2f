r"""What the rules of doubt are made of, and how one is applied.

A rule is a pattern over a sentence as `spoken.py` writes it. A capitalized name in it stands for the pattern of that
name below; VALUE is another value of the same kind as the result, OTHER one that ends its clause.
"""

import re
from functools import lru_cache
from typing import Literal

Kind = Literal["number", "option", "formula"]  # of the result: another value of it is of the same kind

NUMBER = r"(?<![\w^_{.])(?:[-+]?\$?(?:\d[\d,]*+(?:\.\d++)?+|\.\d++)(?: ?/ ?\d++)?+|\\[dt]?frac ?\{[^{}]*\}\{[^{}]*\})"
TERM = r"(?:(?!RESULT)(?:\d[\d,]*+(?:\.\d++)?|[a-z](?![a-z])|\\[a-z]+(?:\{[^{}]*\})*|[(){}^_]){1,6}+)"
VALUES: dict[Kind, str] = {
    "number": NUMBER,
    "option": r"OPTION_[A-J]",
    "formula": rf"(?:-?{TERM}(?: ?[-+*/\u00b7] ?{TERM}){{1,4}}+(?=[ )\]}}]*(?:[.,;!?](?: |$)|$))|{NUMBER})",
}


def table(*phrases: str) -> str:
    """A pattern for any of the phrases (comma-separated patterns)."""
    return "(?:" + "|".join(", ".join(phrases).split(", ")) + ")"


def rules(text: str) -> tuple[str, ...]:
    """The rules of a table: one a line, where an indented line goes on with the one before it; "#" begins a comment."""
    lines = re.sub(r"\n {4,}", "", text).split("\n")
    return tuple(line for line in lines if line and not line.startswith("#"))


def phrases(text: str) -> str:
    """A pattern for any of the phrases of such a table, of which one line may have several, comma-separated."""
    return table(*rules(text))


def either(text: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern for any of the rules of such a table, which name no parts."""
    return re.compile("|".join(rules(text)), flags)


# A value ends its clause, with at most a unit behind it: "it is 12 less than 19" gives nobody the value 12.
NO_UNIT = table(
    "less, more, times, plus, minus, and, or, of, to, is, are, as, if, when, for, in, by, with, at, on, out, x, than"
)
NAMES = {
    "ENDS": rf"(?=[ %}}\]\u00b0]*(?:(?!{NO_UNIT}\b)[a-z]+[ }}]*)?(?:[.,;:!?)\]\u2014]|-- |$|instead\b|because\b"
    rf"|since\b))",
    "NOUN": table(
        "answer, result, value, solution, number, total, sum, box, calculation, computation, reasoning, work",
        "conclusion, guess, attempt, approach, option, choice, derivation, count, verification, check, figure",
    ),
    "KIND": table("above, previous, first, initial, boxed, stated, earlier, last, final, obtained, required, desired"),
    "IS": r"(?:is|are|was|were|seems|looks|appears|must be|would be|has to be|should be|may be|might be"
    r"|turns out to be|turned out to be|seemed|needs to be|proves)",
    "ADVERB": r"(?: (?:\w+ly|also|then|still|therefore|just|quite|now|in fact))?",
    "GET": r"(?:gives?|yields?|leads? to|makes?|results? in|becomes|comes to|comes out (?:as|at|to)|get|find|obtain"
    r"|(?:we|i|you) (?:get|have|find|obtain))",
    # Where a clause begins.
    "START": r"(?:^|[.,;:(\[\u2014-] ?|\b(?:but|so|and|because|since|as|think|see|notice|realize|found|find|that"
    r"|hence|thus|unfortunately|however|then|clearly|obviously|now|yet|though|turns out),? )",
    # What stands for the result: itself, a pronoun that begins a clause, or "the answer", "my guess".
    "SUBJECT": r"(?:(?<![-+*/=\u00b7\u00d7] )(?<!times )(?<!twice )(?<!double )(?<!\bhalf of )"
    r"(?<!\bthird of )(?<!square of )RESULT[ ).]*(?:,? ?(?:which|that|this|it))?"
    r"|START(?:it|this|that|the above|these)|^NOUN:|(?<!as )(?<!since )(?<!because )(?<!that )(?<!where )\b"
    r"(?:the|this|that|my|our)(?: KIND)? NOUN(?: above)?:?)",
    "WRONG": table(
        r"wrong(?! (?:by|premise))\w*, incorrect\w*, invalid, mistaken, in error, erroneous, an error, a mistake",
        r"untrue, false, inconsistent, nonsens\w+, absurd, rejected, discarded, doubtful, suspect, unlikely",
        r"questionable, flawed, excluded, ruled out, only (?:an?(?! (?:matter|question|small|few))|half|part"
        r"|one)\b, just (?:an?|one)\b",
        r"an? (?:upper|lower) bound only",
        r"off by, too (?:large|small|big|high|low|many|few|much)\b(?! (?:to|for)\b), extraneous, unreasonable",
        r"one of (?:the|several|many|two) (?:\w+ )?(?:answers|candidates|options), (?:just |only )?(?:a|my) guess",
        r"a contradiction, (?:one|two|VALUE) too (?:few|many), circular, incomplete, hasty, premature",
        "tempting, withdrawn, retracted, superseded, obsolete",
    ),
    "RIGHT": table(
        r"right(?! (?:angle|triangle|side))\w*, correct\w*, true, valid, so, it, the case, accept\w+, plausible, sure",
        r"certain, consistent, RESULT, what (?:is|was|we) \w+",
        r"(?:the|my|our)(?: \w+)? (?:answer|result|value|solution|one)",
    ),
    "MEETS": table(
        r"satisf\w+, works?, holds?, fits?, match, matches, agrees?, check out, makes? sense, add up, hold up",
        r"stand, seem, look, meet, solve, fulfil\w*, obey, count",
    ),
    "BETTER": table("correct, right, actual, real, true, proper, revised, corrected, new, intended, final, updated"),
    "REPORTER": table(
        "problem, question, task, hint, key, book, textbook, user, claim, statement, teacher, grader, prompt, puzzle",
        "reference, solution, assignment, instructions?, manual",
    ),
    "PERSON": table(
        "you, he, she, they, someone, somebody, nobody, no one, people, friend, students?, others?, many, most, one, i",
        "readers?, beginners?, intuition, chatgpt, wolfram, colleague, author, candidates?, instinct",
    ),
    "SAYS": table(
        "says?, said, states?, stated, claims?, claimed, suggests?, wrote, writes, thinks?, believes?, told, asserts?",
        "expects?, wants?, gives?, gave, asks?",
    ),
    "TO_RESULT": r"(?: [^\s,;]+){0,6} ?RESULT",
    "ALTERNATIVE": r"(?:or|alternatively|also|and also)(?: (?:rather|maybe|perhaps|possibly|even))?",
    "RESULT_IS": "NOUN(?: is| was| were| be| equals| would be| will be| to be) ?RESULT",
    # A result that ends its clause: no noun is counted by it.
    "CLAUSERESULT": r"[^,;:.=<>]*RESULT",
    "CLAUSE_END": r"(?=[ \"')]*(?:[.,;:!?]|$|\u2014|-- |but\b|yet\b|and\b|which\b|because\b|here\b|by\b|though\b"
    r"|in\b|from (?:this|that|it)\b))",
    # What a writer does that leads to a result.
    "WORK": table(
        "approach, method, formula, argument, reading, interpretation, assumption, way, reasoning, calculation",
        "attempt, count, computation, solution, proof, derivation, unit, units, sign, step, equation, theorem",
    ),
}
NAME = re.compile("|".join(sorted([*NAMES, "OTHER", "VALUE"], key=len, reverse=True)))


@lru_cache
def compiled(rules: tuple[str, ...], kind: Kind) -> list[re.Pattern[str]]:
    """The rules for a result of this kind, with every name replaced by its pattern."""
    values = {"VALUE": VALUES[kind], "OTHER": VALUES[kind] + NAMES["ENDS"]}
    return [re.compile(_expanded(rule, NAMES | values), re.IGNORECASE) for rule in rules]


def says(rules: tuple[str, ...], sentence: str, kind: Kind) -> bool:
    return any(rule.search(sentence) for rule in compiled(rules, kind))


def _expanded(rule: str, names: dict[str, str]) -> str:
    while NAME.search(rule):
        rule = NAME.sub(lambda name: names[name.group()], rule)
    return rule
