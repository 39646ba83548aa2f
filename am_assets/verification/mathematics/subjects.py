"""Whom a sentence behind a result speaks of: the result, somebody of the task, or an assumption that is refuted."""

import re
from itertools import pairwise

from am_assets.verification.mathematics import doubt
from am_assets.verification.mathematics.clauses import NUMBER as ANY_NUMBER
from am_assets.verification.mathematics.clauses import Kind, either, says

# A sentence of one number, at its end and worked out of nothing; it is new if no text before the result has it.
PLAIN_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
NEW_VALUE = re.compile(rf"(?<![=+*/\u00b7\u00d7\u00f7<>-] )(?<![=+*/\u00b7\u00d7\u00f7<>^_(,-]){ANY_NUMBER}[ .!)\]]*$")
OF_ANOTHER = either(
    r"""
RESULT
\\(?:ne|neq|le|leq|ge|geq)\b
\b(?:of the|next|first|second|third|each|both|other|sides?|divisible|decimal|degrees|radians|recall|note|here
    |uses?d?|step|lemma|case|part|fig\w*|theorem|claim|remark|set|problem|method|example|checks?|verif\w+|estimate
    |rounded|about|add|subtract|double|at least|at most)\b
""",
    re.IGNORECASE,
)
# What a sentence with a new value at its end has to begin with, or to say, if it is to speak of the result.
SPEAKS_OF_RESULT = either(
    r"""
^\W*(?:so(?! far)|hence|thus|therefore|then|now|oh|ah|no|well|actually|better|rather|really|in fact|make|take|put
    |(?:i|we) (?!bought|had|have|did|spent|paid)|it (?:is|was|should|must|would|becomes|needs)(?: \w+){0,3}:? [-$\d]
    |one obtains|look\w*|this|that|answer|my|our|includ\w*|add\w*
    |the (?:\w+ ){0,2}(?:answer|result|value|one) (?:is|was|should|must))\b
\b(?:correct|right(?! now)|real|true|actual|proper|instead(?! of)|rather|should
    |final (?:answer|choice|result|value))\b
^(?!.*\b(?:has|had|have|costs?|bought|paid|sold|gets?|is|are|was|were)\b)\W*(?:\S+\s+){0,3}\S+$
""",
    re.IGNORECASE,
)
# A sentence on somebody or something of the task: "He", "His bill", "Gretchen bowled", "One banana costs".
OF_THE_TASK = either(r"""
^\W*(?:[^,]{1,25}, )?(?:(?:[Tt]ogether )?[Tt]hey|[Hh]e|[Ss]he|[Hh]is|[Hh]er|[Tt]heir
    |[Oo]ne(?:-\w+)?(?! (?:obtains|gets|finds|would))
    |(?!(?:The|This|That|These|Its?|A|An|All|Any|No|My|Our|In|Take|Some\w*|Every\w*|Intuition
    |\w+i(?:ng|on)s?) )[A-Z][a-z]+(?: and [A-Z][a-z]+)? (?!(?:gives|yields|makes|leads|results|says|shows|equals
    |becomes|needs|i?s|a?s|was|fail(?:s|ed)|seems|contradicts|disagrees|ignores|misses|violates|overcounts
    |assumes)\b)(?:[a-z]+(?:s|ed)|took|got|had|made|found|bought|sold|gave|ate|lost|won|left|paid|spent|caught))\b
""")
# A sentence that assumes something else than the result, and the words that then refute the assumption alone.
ASSUMES = re.compile(
    r"\b(?:suppos\w+|assum(?:e|es|ed|ing)\b|if\b|otherwise|contrary|case\b|were\b|let\b)", re.IGNORECASE
)
ASSUMES_RESULT = either(
    r"""
(?:suppos\w+|assum\w+|if|were)(?: \w+)? (?:this|that|it|so)\b
(?<!than )(?<!least )(?<!most )(?<!below )(?<!above )RESULT
""",
    re.IGNORECASE,
)
REFUTED = re.compile(
    r"(?:\b(?:is|are|leads to|gives|yields) )?(?:\ban? )?\b(?:contradict\w*|impossible|absurd\w*)", re.IGNORECASE
)
AFFIRMED = either(
    r"""
^\W*(?:yes|good|great|correct|indeed|right|ok|okay)\b
\b(?:matches|checks out|as (?:expected|required|desired|before)|confirm\w*|agrees|consistent|same (?:result|answer)
    |(?:is|are|looks) (?:indeed )?(?:right|correct|fine))\b
[\u2713\u2714]
""",
    re.IGNORECASE,
)
ANSWERED = re.compile(r"^\W*(?:yes|because|since|as|indeed)\b|\byes\W*$", re.IGNORECASE)
VALUE_ASKED = (r"\b(?:is|was|be|are) VALUE",)
DECLINED = re.compile(r"^\W*no\b[, ]+(?:since|because|as)\b", re.IGNORECASE)
NEGATION = re.compile(r"\b(?:not|no|but|never|wrong|however)\b", re.IGNORECASE)


def questioned(later: list[str], kind: Kind) -> bool:
    """Is there a question on the result that the next sentence does not answer in its favour?"""
    return any(
        says(doubt.QUESTIONED, part, kind)
        and not ANSWERED.search(answer)
        and not ("RESULT" not in part and says(VALUE_ASKED, part, kind) and DECLINED.search(answer))
        for part, answer in pairwise([*later, ""])
    )


def affirmed(later: list[str]) -> bool:
    """Does the text behind a result end with a check that came out right?"""
    return any(AFFIRMED.search(part) and not NEGATION.search(part) for part in later[-2:])


def without_refutations(later: list[str]) -> list[str]:
    """The sentences behind a result, without the contradiction that an assumption other than the result leads to."""
    assumed = next((at for at, part in enumerate(later) if ASSUMES.search(part)), len(later))
    if any(ASSUMES_RESULT.search(part) for part in later[assumed : assumed + 1]):
        return later
    return later[:assumed] + [REFUTED.sub("", part) for part in later[assumed:]]


def speaks_of_result(sentence: str) -> bool:
    """May a value at the end of `sentence` be one for the result, and not for somebody or something of the task?"""
    return bool(SPEAKS_OF_RESULT.search(sentence)) and not (OF_ANOTHER.search(sentence) or OF_THE_TASK.match(sentence))
