r"""When two mathematical results are equal: math-verify over sympy, in a worker process.

Nothing here bounds its own time: `math.py` kills the worker. Answers reach this module from models, so it never
evaluates text as Python; math-verify's plain-expression parser is given digits and operators only.
"""

import re

from am_assets.verification.stated import WINDOW, boxed, is_text, words

MEMORY = 4 << 30  # bytes of address space: a power tower runs into it before it runs into the machine
Parsed = list  # of sympy expressions, the text they were read from last, as math-verify gives them


def prepare_worker() -> None:
    """Loads what a row needs before its clock starts, and caps the process's memory."""
    import logging
    import resource
    import signal

    import math_verify  # noqa: F401

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that we time out ourselves
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would wait for the very C call we must end
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def judge(found: list[str], answer: str, reference: str) -> tuple[str, str, str | None]:
    """(verdict, reason, extracted) of an answer whose results are `found`; see `math.verify`."""
    gold = parse(reference)
    if not gold:
        return "unverifiable", "reference unparseable", " | ".join(found) or None
    readings = [parse(result) for result in found]
    extracted = " | ".join(found)
    spoken = not any(readings) and any(words(result) for result in found) and not boxed(answer)[0]
    if not found or spoken:  # nothing is marked, or a phrase is: let math-verify look through the text
        readings = [whole] if (whole := _parse(answer[-WINDOW:])) else []
        extracted = str(whole[-1]) if whole and isinstance(whole[-1], str) else extracted
    if not readings:
        return "fail", "answer missing", extracted or None
    if all(equal(gold, reading) for reading in readings):
        return "pass", "equal", extracted
    if len(readings) > 1:
        if equal(gold, parse(", ".join(found))):  # one box for each of several solutions
            return "pass", "equal", extracted
        if not all(equal(readings[-1], reading) for reading in readings):
            return "fail", "several conflicting answers", extracted
    return "fail", "different", extracted


def parse(text: str) -> Parsed:
    """`text` as mathematics; empty where it is none."""
    if is_text(text):
        return []
    # math-verify stumbles over currency, thin spaces, thousands in a fraction and, taking "+ c" for a unit, over
    # blanks around operators.
    text = re.sub(r"\\[$!,;:]|(?<=\d),(?:\\!)?(?=\d{3}(?!\d))", "", text)
    text = re.sub(r"\s*([-+*/=])\s*", r"\1", text).strip(" .,")
    delimited = re.search(r"\$|\\[(\[]", text)
    quantity = words(text) and "\\" not in text  # "12 apples": the number counts, the letters are no factors
    return _parse(text if delimited or quantity else f"\\boxed{{{text}}}")


def _parse(text: str) -> Parsed:
    from math_verify import parse as extract

    parsed = extract(text, parsing_timeout=None, raise_on_error=True)
    return parsed if any(not isinstance(part, str) for part in parsed) else []


def equal(gold: Parsed, reading: Parsed) -> bool:
    from math_verify import verify

    return bool(gold and reading) and verify(gold, reading, timeout_seconds=None, raise_on_error=True)
