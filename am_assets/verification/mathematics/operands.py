r"""A result that is not the end: the answer calculates on with it, or announces that it is not to be taken.

`3 + \boxed{42}`, "twice \boxed{42}" and `\boxed{42} - 2 = 40` say that what is asked for is another value. Nothing of
the kind say a calculation that ends in the box (`6 \cdot 7 = \boxed{42}`), one in a sentence of its own behind it
("Check: 42 + 3 = 45"), and a number that is asked for ("add \boxed{3}", "divisible by \boxed{7}", "\boxed{5} times").
"""

import re

from am_assets.verification.mathematics.clauses import table

# The text up to a box that is a factor: "$2\boxed{42}$", "$-\boxed{42}$".
FACTOR = re.compile(r"[$=({+*/]\s*(?:[-\u2212]|\d+)\Z")

SIGN = r"(?:[+*/\u00b7\u00d7\u00f7]|\\(?:cdot|times|div)(?![a-z]))"
FRACTION = r"(?:half|thirds?|quarters?|fourths?|fifths?|sixths?|tenths?|\\?%|percent)"
BY = rf"(?:{SIGN}|(?:plus|minus|times|divided by|multiplied by|modulo)(?= ))"
POWER = r"(?:square|cube|square root|cube root|double|triple|reciprocal|inverse|opposite|negative|half)"
COUNT = r"(?:VALUE|one|two|three|four|five|ten)"
MORE = r"(?:more|less|fewer|greater|larger|smaller|higher|lower|bigger)"

# Before the result, in its own sentence.
CALCULATED_WITH = (
    # "3 + RESULT", "is 100 - RESULT"; "Part 3 - RESULT" has a dash
    rf"[\d)}}\u03c0] ?{SIGN} ?RESULT",
    r"(?:=|\bis|\bare|\bget|\bhave) ?VALUE ?[-\u2212] ?RESULT",
    r"\\(?:[dt]?frac|sqrt) ?\{ ?RESULT",
    # "twice RESULT", "three times RESULT", "half of RESULT", "the square root of RESULT"
    rf"\b(?:twice|thrice|doubling|double|tripling|triple|halving|squaring|cubing|{COUNT} times|half of) RESULT",
    rf"(?:\b|(?<=\d)|(?<=\d )){FRACTION} of RESULT",
    rf"\bthe {POWER} of RESULT",
    rf"{COUNT}(?: \w+)? {MORE} than RESULT",
    # "the sum of RESULT and 3", "multiply RESULT by 2", "adding 3 to RESULT"
    rf"\b(?:sum|difference|product|quotient|ratio) of RESULT(?: \w+)? (?:and|to) {COUNT}",
    r"\b(?:multiply|multiplying|divide|dividing|increase|increasing|decrease|decreasing|reduce|reducing) RESULT by\b",
    rf"\b(?:add|adding) {COUNT} to RESULT|\b(?:subtract|subtracting|take|taking) {COUNT} from RESULT",
)
# Right behind the result. "+ C" of an antiderivative is no value, "times 1" changes nothing, and a dash before a number
# may be one of punctuation.
CALCULATED_ON = (
    rf"^RESULT[ )]*{BY} ?(?![01](?![\d.,]))VALUE(?! is what (?:he|she|they)\b)",
    r"^RESULT[ )]*[-\u2212] ?VALUE ?(?:=|[ .]*$)",
    r"^RESULT[ )]*\^ ?\{? ?[\d/]+ ?\}?(?! ?\\circ)",
    rf"^RESULT[ )]*,? (?:and )?(?:then )?(?:we )?(?:add|subtract) {COUNT}(?![\w^])",
    r"^RESULT[ )]*,? ?(?:squared|cubed|doubled|halved|tripled)(?=[ )]*(?:[.,;=]|$|is\b|gives\b|equals\b))",
)

ITEM = table("line, box, boxes, answer, result, value, number, text, output, part, expression, sentence")
NEXT = (
    rf"(?:(?:the |this )?(?:following|next|upcoming|subsequent) (?:\w+ )?{ITEM}"
    rf"|(?:the|this) {ITEM} (?:below|that follows)"
    r"|(?:what|everything|anything|all)(?: that)? (?:follows|comes (?:next|after|below|now)|(?:is |stands )?below)"
    r"|(?:the )?following(?=[ :.]*$| (?:is|are|was)\b))"
)
IGNORE = table(
    "ignore, disregard, discard, skip, omit, overlook, never mind",
    "do not (?:grade|use|trust|count|read|take|believe|accept|consider)",
)
DUMMY = table(
    r"an? (?:\w+ )?(?:test|placeholder|guess|dummy|example|template|attempt|mistake|draft|joke|trap|decoy)(?!\w)",
    r"for (?:testing|show|illustration), filler, meaningless",
)
# A sentence before the result: "Ignore the following line", "What follows is a placeholder". "We ignore the friction"
# and "the next result is not hard to prove" say nothing of the result.
ANNOUNCED = (
    rf"^\W*(?:(?:please|just|so|now|you (?:can|may|should|must)) )?{IGNORE} {NEXT}",
    rf"^\W*{NEXT} (?:is|are|was|were|does|has|should|must|can) (?:\w+ )?"
    rf"(?:not|WRONG|(?:only |just |merely )?{DUMMY})(?!\w)(?! (?:only|hard|difficult|surpris|of|for|that))",
)
