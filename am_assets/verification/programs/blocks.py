"""The blocks of code of an answer, in order: fenced, between tags, or bare among prose."""

import ast
import html
import itertools
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from am_assets.engines.sandbox.protocol import Language
from am_assets.verification.programs.names import parse

BEFORE = r"[ \t]*(?:[-*][ \t]+|\d+[.)][ \t]+|[^`\n]*[:>][ \t]*)?"  # a mark of a list; what ends in a colon or a tag
FENCE = re.compile(rf"{BEFORE}(?P<fence>`{{3,}}|~{{3,}})[ \t]*(?P<info>[^\n`]*)")
CLOSING_TAG = re.compile(r"[ \t]*</\w+>[ \t]*$")
TAG = re.compile(r"<(code|python|py|cpp)(?:\s[^<>]*)?>|\[(PYTHON)\]")
QUOTED = re.compile(r"^> ?(?:```|~~~)", re.M)
PROGRAM_OF = ("code", "python_code", "source_code", "python", "program", "solution", "answer")  # its names in an object
MARK = re.compile(r"\[/?[A-Z]+\]\s*")  # [BEGIN], [DONE]
NAMES: dict[Language, re.Pattern[str]] = {  # behind a fence
    "python": re.compile(r"(?:i?python|py|pypy|pycon)[\d.]*"),
    "cpp": re.compile(r"(?:c\+\+|cpp|cc|cxx|g\+\+|gnu\+\+)[\d\w]*"),
    "java": re.compile(r"java[\d.]*"),
    "javascript": re.compile(r"javascript|js|mjs|cjs|ecmascript|node(?:\.?js)?"),
}
# What a block without a name has to have, or bare code, and then is in this language unless it is Python.
PROGRAMS: dict[Language, re.Pattern[str]] = {
    "cpp": re.compile(r"#include\b.*\bmain\s*\(", re.S),
    "java": re.compile(r"\bclass\s+\w+.*\bstatic\s+(?:\w+\s+)*void\s+main\s*\(", re.S),
    "javascript": re.compile(r"\b(?:require\s*\(|from)\s*['\"](?:node:)?(?:fs|readline)\b|\bprocess\.std(?:in|out)\b"),
}
BEGINS = {
    "cpp": re.compile(r"#include\b"),
    "java": re.compile(r"(?:import\s+(?:static\s+)?java|package\s|(?:public\s+|final\s+)*class\s)"),
    "javascript": re.compile(r"(?:const|let|var|import|function|async|process|require)\b|['\"]use strict"),
}
# Names of languages that no sandbox runs, as fences give them.
OTHERS = re.compile(
    r"(?:`{3,}|~{3,})[ \t]*(rust|rs|go|golang|csharp|c#|cs|c|kotlin|kt|swift|ruby|rb|php|scala|haskell|hs|perl|"
    r"typescript|ts|pascal|julia|lua|dart|ocaml|fsharp|elixir|clojure|nim|zig)(?![\w+#])",
    re.I,
)
STATEMENT = re.compile(
    r"(?:import|from|def|async def|class|if|elif|else|for|while|try|except|finally|with|return|print|assert|global)\b"
    r"|@|#|[)\]}]|[A-Za-z_][\w.\[\], ]{0,99}\s*[-+*/%|&^]?=(?!=)|[A-Za-z_][\w.]*\("
)
DOES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.Import | ast.Call
TRIES = 12  # lines that are left out at most at either end of a bare block


class Block(NamedTuple):
    """`language`: None where the fence names another language than these, "" where it names none."""

    language: Language | Literal[""] | None
    code: str


def blocks(answer: str) -> list[Block]:
    """All blocks that are not empty: the fenced ones; without any, those between tags; without any, bare ones. Of an
    answer in JSON, those of the text that is the program."""
    answer = answer.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    if (program := _in_json(answer)) is not None:
        return blocks(program)
    if QUOTED.search(answer):
        answer = re.sub(r"^> ?", "", answer, flags=re.M)
    if MARK.match(answer.lstrip()) is None and _does(answer):
        return [Block("", answer)]
    for read in (_fenced, _tagged, _bare):
        if found := [Block(one.language, textwrap.dedent(one.code)) for one in read(answer) if one.code.strip()]:
            return found
    return []


def _in_json(answer: str) -> str | None:
    """The text of the program in an object, which is the whole answer or the content of its only fences."""
    fences = [*_fenced(answer)]
    try:
        told = json.loads(fences[0].code if len(fences) == 1 else answer, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    return next((told[name] for name in PROGRAM_OF if isinstance(told.get(name), str)), None)


def _fenced(answer: str) -> Iterator[Block]:
    """A fence of three or more backticks or tildes, up to the next such line, or to the end of the answer."""
    lines = answer.split("\n")
    at = 0
    while at < len(lines):
        opening = FENCE.fullmatch(lines[at])
        at += 1
        if opening is None:
            continue
        language = _language(opening["info"])
        if not opening["info"] and at < len(lines) and lines[at].isalnum() and _language(lines[at]):
            language, at = _language(lines[at]), at + 1  # the name stands below the fence
        end = _closing(lines, at, opening["fence"], language)
        code = "\n".join(lines[at:end])
        if end == len(lines) and (rest := CLOSING_TAG.sub("", code.rstrip())).endswith(opening["fence"]):
            code = rest.removesuffix(opening["fence"])
        yield Block(language, code + "\n" if end < len(lines) else code)
        next_one = FENCE.fullmatch(lines[end]) if end < len(lines) else None
        at = end if next_one and next_one["info"] else end + 1


def _closing(lines: list[str], start: int, fence: str, language: str | None) -> int:
    """The line that closes a block, which may be the opening of the next. A fence within a docstring closes nothing, if
    there is one after it that does."""
    closing = re.compile(rf"[ \t]*{re.escape(fence[0])}{{{len(fence)},}}[ \t]*(?P<info>[^\n`]*)")
    texts = (CLOSING_TAG.sub("", line) for line in lines[start:])
    found = (closing.fullmatch(text) for text in texts)
    places = (at for at, match in enumerate(found, start) if match and _ends(match["info"]))
    first = next(places, len(lines))
    if language in ("python", ""):
        for place in itertools.chain([first], itertools.islice(places, TRIES)):
            code = "\n".join(lines[start:place])
            if not (code.count('"""') % 2 or code.count("'''") % 2):
                return place if place == first or parse(textwrap.dedent(code)) else first
    return first


def _ends(info: str) -> bool:
    return not info or bool(_language(info))


def _language(info: str) -> Language | Literal[""] | None:
    """Of the first word behind a fence: `Python 3`, `py:main.py`, `{.python}`, `c++17`."""
    word = re.split(r"[\s:,;={(]", info.strip().lower().lstrip("{."), maxsplit=1)[0].rstrip("}")
    return next((language for language, names in NAMES.items() if names.fullmatch(word)), None if word else "")


def language_of(code: str) -> Language | None:
    """Of code that is a program in another language than Python, as it reads."""
    return next((language for language, known in PROGRAMS.items() if known.search(code)), None)


def other_language(answer: str) -> str | None:
    """The name of a language that no sandbox runs, of the last block that has one."""
    return names[-1].lower() if (names := OTHERS.findall(answer)) else None


def _tagged(answer: str) -> Iterator[Block]:
    at = 0
    while tag := TAG.search(answer, at):
        name, at = tag[1] or tag[2].lower(), tag.end()
        if (end := answer.find(f"</{name}>" if tag[1] else "[/PYTHON]", at)) < 0:
            break
        language, code = _language(name.removeprefix("code")), html.unescape(answer[at:end].lstrip("\n"))
        at = end
        if language or _does(textwrap.dedent(code)):
            yield Block(language, code)


def _bare(answer: str) -> Iterator[Block]:
    """Each run of lines that is Python, or all of them where they are another program."""
    if (foreign := language_of(answer)) and BEGINS[foreign].match(answer.lstrip()):
        yield Block(foreign, answer)
        return
    lines = [line for line in answer.split("\n") if not MARK.fullmatch(line)]
    runs = list(_runs(lines, lambda line: line[:1] in ("", " ", "\t") or STATEMENT.match(line) is not None))
    runs = runs or list(_runs(lines, lambda line: not line.strip() or line.startswith(("    ", "\t"))))
    for run in runs:
        yield Block("", run)


def _runs(lines: list[str], belongs: Callable[[str], bool]) -> Iterator[str]:
    """Each longest run of lines that belong, without what keeps it from being Python at either end."""
    for fits, run in itertools.groupby(lines, belongs):
        if fits and (code := _python(list(run))):
            yield code


def _python(lines: list[str]) -> str | None:
    for left_out in range(min(TRIES, len(lines))):
        for first in range(left_out + 1):
            code = textwrap.dedent("\n".join(lines[first : len(lines) - (left_out - first)])).strip("\n") + "\n"
            if _does(code):
                return code
    return None


def _does(code: str) -> bool:
    """Is it Python that binds a name or calls something, unlike a word or a number?"""
    tree = parse(code)
    return tree is not None and any(isinstance(node, DOES) for node in ast.walk(tree))
