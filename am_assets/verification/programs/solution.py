"""The program of an answer, by one rule, on blocks of code (`blocks.py`). It is at most parsed here, never run.

From the last block backwards, a block is taken if it defines a name that is still wanted: what the tests call, or what
a block taken before uses and does not define. So of two versions the later one counts, imports and helpers come along
from their blocks, and neither a usage example nor tests nor output behind the solution replaces it. A block that would
define such a name and is not Python is taken too, and does not compile. Where no block defines what the tests call, the
last one is the program, and fails.

A script has nothing that is called: it begins with the last block that reads standard input and does something, else
the last that does something, and is completed in the same way, by definitions and imports alone. It is C++ where the
last block of the two named languages is, or where it reads and no Python block does, or where these only define
something. It is Java or JavaScript, which few sandboxes have, only where it is not C++ and the last two hold of it:
so what a sandbox has turns no verdict of a program that it could run before.
"""

import ast
import re
import sys
from collections.abc import Collection
from contextlib import suppress

from am_assets.engines.sandbox.protocol import Language
from am_assets.verification.programs.blocks import PROGRAMS, Block, blocks, language_of
from am_assets.verification.programs.names import DEFINITIONS, IMPORTS, is_text, names_of, parse

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
READS_IN: dict[str, re.Pattern[str]] = {
    "cpp": re.compile(r"\b(?:cin|scanf|getline|getchar|fgets|fread|gets|read)\b"),
    "java": re.compile(r"\bSystem\s*\.\s*in\b|\bSystem\.console\b"),
    "javascript": re.compile(r"\bstdin\b|\breadFileSync\b|\breadline\b"),
}
PROMPT = ">>> "
READS = re.compile(r"\binput\s*\(|\bstdin\b|\bopen\(\s*0|\bfileinput\b|/dev/stdin|\bos\.read\(\s*0|\braw_input\b")


def extract_code(answer: str, wanted: Collection[str] = ()) -> str | None:
    r"""The Python program that defines the names `wanted`; None where the answer has no code in Python.

    >>> extract_code("```python\ndef add(a, b): return a + b\n```\nSo\n```python\nadd(1, 2)\n```", ["add"])
    'def add(a, b): return a + b\n'
    """
    found = python_blocks(answer)
    taken = completed(found, set(wanted))
    if not taken and found:
        defining = [code for code in found if definitions(code)]
        last = (defining or found)[-1] if wanted else found[-1]
        taken = [*completed(found[: found.index(last)], set(names_of(last).free)), last]
    return joined(taken) if taken else None


def extract_script(answer: str) -> tuple[str, Language] | None:
    """(program, language) of a program that reads standard input; None without any."""
    found = blocks(answer)
    named = [block.language for block in found if block.language in ("python", "cpp")]
    codes = python_blocks(answer)
    acting = [code for code in codes if acts(code)]
    reading = [code for code in acting if READS.search(code)]
    for languages in (("cpp",), ("java", "javascript")):
        if (one := last_program(found, languages)) is not None:
            alone = not acting or (not reading and READS_IN[str(one.language)].search(one.code) is not None)
            if one.language and (alone or named[-1:] == ["cpp"] == [*languages]):
                return one.code, one.language
    if not (last := (reading or acting or codes)[-1:]):
        return None
    before = codes[: codes.index(last[0])]
    parts = map(definitions, completed(before, set(names_of(last[0]).free)))
    return joined([*parts, *last]), "python"


def last_program(found: list[Block], languages: Collection[str]) -> Block | None:
    """The last block in one of these languages, one that is whole before any other. One in Java has to be."""
    unnamed = {at for at, one in enumerate(found) if one.language == "" and parse(one.code) is None}
    read = [Block(language_of(one.code), one.code) if at in unnamed else one for at, one in enumerate(found)]
    theirs = [one for one in read if one.language in languages]
    whole = [one for one in theirs if one.language and PROGRAMS[one.language].search(one.code)]
    parts = [one for one in theirs if one.language != "java"]
    return (whole or parts)[-1] if whole or parts else None


def extract_function(answer: str, name: str) -> tuple[str, Language] | None:
    """(program, language) of the last block that is named another language than Python and defines the function."""
    defined = re.compile(
        rf"\b{re.escape(name)}\s*(?:\([^)]*\)\s*(?:const\s*)?(?:throws [\w, ]+)?\{{"
        r"|=\s*(?:async\s*)?(?:function\b|\(|\w+\s*=>))"
    )
    for one in reversed(blocks(answer)):
        if one.language and one.language != "python" and defined.search(one.code):
            return one.code, one.language
    return None


def python_blocks(answer: str) -> list[str]:
    """The Python blocks, in order: those named so and those without a name that are Python; else the last of them,
    whatever is wrong with it."""
    found = [block for block in blocks(answer) if block.language in ("python", "")]
    if not any(parse(one.code) for one in found):
        found = [Block(one.language, typed(one.code)) for one in found]
    named = any(block.language == "python" for block in found)
    return [one.code for one in found if one.language == "python" or (parse(one.code) and (not named or tells(one)))]


def typed(code: str) -> str:
    """What was typed in a session of Python's prompt; any other code as it is."""
    import doctest

    with suppress(ValueError):
        return doctest.script_from_examples(code) if code.startswith(PROMPT) else code
    return code


def tells(block: Block) -> bool:
    """Does a block without a name define anything, unlike output?"""
    return bool(names_of(block.code).bound)


def completed(codes: list[str], wanted: set[str]) -> list[str]:
    """The blocks that define what is wanted, and what they need themselves, in order. One that only seems to define it
    is taken where no other does."""
    taken: set[int] = set()
    done: set[str] = set()
    for seeming in (False, True):
        at = len(codes) - 1
        while at >= 0:
            if at not in taken and (found := {name for name in wanted - done if defines(codes[at], name, seeming)}):
                names = names_of(codes[at])
                taken.add(at)
                done |= found | names.bound
                if not names.free <= wanted:  # which a later block may define
                    wanted, at = wanted | names.free, len(codes)
            at -= 1
    return [codes[at] for at in sorted(taken)]


def defines(code: str, name: str, seeming: bool) -> bool:
    """Does it bind the name at its top level, or as a method of a class Solution? Also where it is not Python. A stub
    and an import from outside of Python's library only seem to."""
    if (tree := parse(code)) is None:
        return re.search(rf"^(?:async\s+)?(?:def|class)\s+{re.escape(name)}\b", code, re.M) is not None
    if name in names_of(code).bound:
        named = [node for node in tree.body if name in bound_by(node)]
        return not any(of_a_class(node) or (not seeming and (is_stub(node) or is_foreign(node))) for node in named)
    solutions = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Solution"]
    methods = [node for each in solutions for node in each.body if name in bound_by(node)]
    return any(seeming or not is_stub(node) for node in methods)


def bound_by(node: ast.stmt) -> set[str]:
    """The name of a definition, the names of an import from a module."""
    if isinstance(node, DEFINITIONS):
        return {node.name}
    return {alias.asname or alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()


def is_stub(node: ast.stmt) -> bool:
    """Is it a function that does nothing, or a class all of whose methods do nothing?"""
    if isinstance(node, ast.ClassDef):
        methods = [inner for inner in node.body if isinstance(inner, FUNCTIONS)]
        return bool(methods) and all(map(is_stub, methods))
    nothing = (isinstance(one, ast.Pass) or is_text(one) for one in getattr(node, "body", []))
    return isinstance(node, FUNCTIONS) and all(nothing)


def is_foreign(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in sys.stdlib_module_names


def of_a_class(node: ast.stmt) -> bool:
    """Is it a method that is shown alone?"""
    return isinstance(node, FUNCTIONS) and [one.arg for one in node.args.posonlyargs + node.args.args][:1] == ["self"]


def acts(code: str) -> bool:
    """Does it do more than define and import?"""
    if (tree := parse(code)) is None:
        return READS.search(code) is not None
    return not all(isinstance(node, DEFINITIONS | IMPORTS) or is_text(node) for node in tree.body)


def definitions(code: str) -> str:
    """Its definitions, imports and constants, without what it does."""
    if (tree := parse(code)) is None:
        return code
    kept = [node for node in tree.body if isinstance(node, DEFINITIONS | IMPORTS) or is_constant(node)]
    return ast.unparse(ast.Module(kept, [])) + "\n" if kept else ""


def is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign) and not any(isinstance(n, ast.Call) for n in ast.walk(node))


def joined(codes: list[str]) -> str:
    """One program; `from __future__` of later blocks has to stand first."""
    future = re.compile(r"^from __future__ import .*\n?", re.M)
    if len(codes) == 1 or not any(map(future.search, codes)):
        return "\n".join(codes)
    first = [line for code in codes for line in future.findall(code)]
    return "".join(first) + "\n".join(future.sub("", code) for code in codes)
