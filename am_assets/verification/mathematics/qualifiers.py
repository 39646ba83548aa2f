r"""What stands behind a result and only says that a letter is any constant, integer or number."""

import re

from am_assets.verification.mathematics.parameters import UNBOUND, renamed

# From the first word of one, or the first letter that is said to lie in a set of numbers.
QUALIFIER = re.compile(
    r"[,;]?\s*\(?\s*(\\text\{(?:for|where|with|only|respectively)\b[^{}]*\}.*"
    r"|\(?\\text\{\s*\(?(?:double|triple|repeated)\b[^{}]*\}\)?"
    r"|(?<=[,;(])\s*[a-z]\s*\\text\{(?:is|an|any|integer)\b[^{}]*\}.*"
    r"|(?:(?<=[,;(])\s*[a-zA-Z](?:_\{\d\})?(?:\s*,\s*[a-zA-Z](?:_\{\d\})?)*|(?<=\s)[a-z])\s*\\in\s*\\mathbb\{[ZRCQN]\}.*)$",
    re.DOTALL,
)
WORDS = """
for any all some every each where with only is are an a arbitrary constant constants integer integers real number
numbers parameter respectively and value values of double triple repeated root roots solution multiplicity
"""
KNOWN = set(WORDS.split())
DOMAINS = {"positive", "natural", "nonnegative"}  # of the argument of a function
OF_FUNCTION = re.compile(r"[a-zA-Z](?:\(([a-z])\)|_\{?([a-z])\}?)\s*=")
COMMAND = re.compile(r"\\(?:text|in|mathbb|ldots)(?![a-z])|\{[ZRCQN]\}")
KINDS = {"Z": re.compile(r"\\mathbb\{Z\}|\bintegers?\b"), "N": re.compile(r"\\mathbb\{N\}"), "R": re.compile("")}
LETTER = re.compile(r"\b(?:a(?=\s*(?:$|[,)}]|is\b|are\b|and\b))|(?!a\b)[A-Za-z])\b")
SAYS_ONLY_THAT = re.compile(r"\\text\{[^{}]*\}|\\in\s*\\mathbb\{[ZRCQN]\}|[A-Za-z](?:_\{\w\})?|[\s,.()]")


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
    kind = next(kind for kind, said in KINDS.items() if said.search(found[1]))
    named = {*LETTER.findall(COMMAND.sub(" ", found[1]))} - {*(of_function.groups() if of_function else ())}
    for letter in named - (UNBOUND if kind == "R" else set()):
        rest = renamed(rest, letter, f"{letter}_{{{kind}}}")
    return rest
