"""Extraction of the program from an answer. It is at most parsed here, never run."""

import ast
import re
import textwrap

from am_assets.engines.sandbox.protocol import Language
from am_assets.verification.programs.unit_tests import parse

FENCE = re.compile(r"^[ \t]*```[ \t]*(?P<language>[\w+.-]*)[^\n`]*\n(?P<code>.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.M | re.S)
PYTHON = {"python", "python3", "py"}
CPP = {"cpp", "c++", "cc", "cxx"}


def extract_script(answer: str) -> tuple[str, Language] | None:
    """(program, language): the last block with a language if that is C++, else the Python program; None without any."""
    named = [block for block in blocks(answer) if block[0] in PYTHON | CPP]
    if named and named[-1][0] in CPP:
        return named[-1][1], "cpp"
    return (code, "python") if (code := extract_code(answer)) is not None else None


def extract_code(answer: str) -> str | None:
    r"""The last fenced Python block of the answer; else its last block without a language that parses as Python; else
    the whole answer, if that parses and defines something. An unclosed last block extends to the end of the answer.

    >>> extract_code("Here:\n```python\nprint(1)\n```")
    'print(1)\n'
    """
    answer = answer.replace("\r\n", "\n")
    found = blocks(answer)
    if named := [code for language, code in found if language in PYTHON]:
        return named[-1]
    if unnamed := [code for language, code in found if not language and parse(code)]:
        return unnamed[-1]
    tree = parse(answer)
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign
    return answer if tree and any(isinstance(node, definitions) for node in tree.body) else None


def blocks(answer: str) -> list[tuple[str, str]]:
    """(language in lower case or "", code) of each fenced block that is not empty."""
    found = FENCE.finditer(answer.replace("\r\n", "\n"))
    return [(m["language"].lower(), textwrap.dedent(m["code"])) for m in found if m["code"].strip()]
