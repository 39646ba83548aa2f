r"""What stands behind a result and only says that a letter is any constant, integer or number."""

import re

from am_assets.verification.mathematics.parameters import UNBOUND, renamed

# From the first word of one, or the first letter that is said to lie in a set of numbers.
QUALIFIER = re.compile(
    r"[,;]?\s*\(?\s*(\\text\{(?:for|where|with|only|respectively)\b[^{}]*\}.*"
    r"|\(?\\text\{\s*\(?(?:double|triple|repeated)\b[^{}]*\}\)?"
    r"|(?<=[,;(])\s*[a-z]\s*\\text\{(?:is|an|any|integer)\b[^{}]*\}.*"
    r"|(?:(?<=[,;(])\s*[a-zA-Z](?:_\{\d\})?(?:\s*,\s*[a-zA-Z](?:_\{\d\})?)*|(?<=\s)[a-z])\s*\\in\s*\\mathbb\{[ZRCQN]\}(?:\^\{\+\})?.*)$",
    re.DOTALL,
)
WORDS = """
for any all some every each where with only is are an a arbitrary constant constants integer integers real number
numbers parameter respectively and value values of double triple repeated root roots solution multiplicity
"""
KNOWN = set(WORDS.split())
DOMAINS = {"positive", "natural", "nonnegative"}  # of the argument of a function
OF_FUNCTION = re.compile(r"[a-zA-Z](?:\(([a-z])\)|_\{?([a-z])\}?)\s*=")
COMMAND = re.compile(r"\\(?:text|in|mathbb|ldots)(?![a-z])|\{[ZRCQN]\}|\^\{\+\}")
KINDS = {"P": r"\\mathbb\{[ZN]\}\^", "Z": r"\\mathbb\{Z\}|\bintegers?\b", "N": r"\\mathbb\{N\}", "R": ""}
LETTER = re.compile(r"\b(?:a(?=\s*(?:$|[,)}]|is\b|are\b|and\b))|(?!a\b)[A-Za-z])\b")
SAYS_ONLY_THAT = re.compile(r"\\text\{[^{}]*\}|\\in\s*\\mathbb\{[ZRCQN]\}(?:\^\{\+\})?|[A-Za-z](?:_\{\w\})?|[\s,.()]")
# Behind a value, and on a letter of it: "y = x^2 (x > 0)", "x^2 + y^2 = 1, x \\ne 1".
COMPARED = r"(?:\\text\{(?:for|where|when|if|with)\}\s*)?[^()=<>{}]*(?:[<>]|\\(?:ne|le|ge)(?![a-z]))[^()=]*"
CONDITIONED = re.compile(rf"([^<>]+?)\s*,?\s*(?:\(({COMPARED})\)|(?:,|(?=\\text))\s*({COMPARED}))", re.DOTALL)
CONDITION_WORDS = re.compile(r"\\text\{(?:if|when|for|where|with)\s*([^{}]*)\}")
COMMAND_OR_TEXT = re.compile(r"\\text\{[^{}]*\}|\\[A-Za-z]+")


def conditioned(text: str) -> tuple[str, str] | None:
    """A value, and the condition under which it is one."""
    found = CONDITIONED.fullmatch(text)
    if not found:
        return None
    value, said = found[1], found[2] or found[3]
    letters = [{*re.findall("[a-z]", COMMAND_OR_TEXT.sub("", part))} for part in (value, said)]
    about = re.match(r"\s*([a-z])\s*=", value)
    beside = bool(found[3]) and about is not None and about[1] in letters[1]  # x = 5, x > 7
    if beside or re.search(r"\\(?:ne|le|ge|in|text|ldots)(?![a-z])|;", value) or not letters[0] & letters[1]:
        return None
    return value, condition(said)


def condition(text: str) -> str:
    text = CONDITION_WORDS.sub(r"\\text{\1}", text).replace("\\text{}", "").strip(" ,.")
    return re.sub(r"\\text\{\s*(?:otherwise|else|elsewhere)\s*\}", "otherwise", text)


def unqualified(text: str) -> str | None:
    r"""`text` without its qualifier; None if it has none, or one that says more, as "for x > 0" and "k = 0, 1". The
    letters of integers and constants are bound then.

    >>> unqualified(r"2k+1, k\in\mathbb{Z}")
    '2k_{Z}+1'
    """
    found = QUALIFIER.search(text)
    if not found or not found.start():
        return None
    words = set(re.findall(r"[A-Za-z]{2,}", COMMAND.sub(" ", found[1])))
    of_function = OF_FUNCTION.match(text)
    if words - (KNOWN | DOMAINS if of_function else KNOWN) or SAYS_ONLY_THAT.sub("", found[1]):
        return None
    rest = text[: found.start()]
    rest = rest + ")" if rest.count("(") > rest.count(")") else rest
    kind = next(kind for kind, said in KINDS.items() if re.search(said, found[1]))
    named = {*LETTER.findall(COMMAND.sub(" ", found[1]))} - {*(of_function.groups() if of_function else ())}
    for letter in named - (UNBOUND if kind == "R" else set()):
        rest = renamed(rest, letter, f"{letter}_{{{kind}}}")
    return rest
