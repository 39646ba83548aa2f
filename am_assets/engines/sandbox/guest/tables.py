"""Tests of inputs and outputs, as the judge runs them: when a result is the expected one.

`test` and `run_program` are what test code has as `__test__` and `run_program` (`judge.py`). A result is compared by
plain types alone, so that no object of the program takes part in a comparison. Part of `code.VERSION`.
"""

import json
import math
import os
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from am_assets.engines.sandbox.guest import languages

CHECKER_FILES = ("input.txt", "correct_output.txt", "solution_output.txt")
ACCEPTED = {"1", "1.0", "100", "100.0", "ok", "yes", "true", "correct", "accepted", "ac"}
COMPILED = "./checker"  # one in C++
DECIMALS = "decimals"  # in place of how much whitespace counts: line by line, see `same_line`
REFUSING = (1, 2, 4, 8)  # exit codes: wrong, badly formed, with more behind it, with less than there should be
REFUSED = {"0", "0.0", "no", "false", "wrong", "incorrect", "wa", "pe", "rejected"}
WRITTEN = (int, float, bool, type(None))  # as keys, which JSON writes as text
PLAIN = (*WRITTEN, str, list, tuple, dict, Decimal, Fraction)
SET = "__set__"  # see `datasets/cases.py`
Caller = Callable[[list[Any]], Any]  # from arguments to the result
INTEGER = re.compile(r"-?\d+")


class CheckerFault(BaseException):
    """The checker itself failed: nothing is said of the program."""


def imported(owner: str, function: str) -> Caller:
    """The function of a program in Python, or the method of this name of a new object of `owner`."""

    def call(arguments: list[Any]) -> Any:
        import solution  # the program

        its_own = not hasattr(solution, function) or hasattr(getattr(solution, owner, None), function)
        if hasattr(solution, owner) and its_own:
            return getattr(getattr(solution, owner)(), function)(*arguments)
        return getattr(solution, function)(*arguments)

    return call


def over_stdin(run_program: Callable[[str], str]) -> Caller:
    """The function of a script that prints the result for the arguments that it reads, as the last line, in JSON."""

    def call(arguments: list[Any]) -> Any:
        printed = run_program(json.dumps(arguments))
        return json.loads(printed.rpartition("\n")[2], object_hook=lambda one: special(one) if len(one) == 1 else one)

    return call


def special(one: dict[str, Any]) -> Any:
    """A number that JSON lacks."""
    number = one.get("__number__")
    return one if not isinstance(number, str) else float(number) if "n" in number.lower() else int(number)


def run_calls(
    test: Any, call: Caller, inputs: list[list[Any]], outputs: list[Any], wrapped: bool, tolerance: float
) -> None:
    """Call a function with each list of arguments.

    What JSON can't say is read in every way it may be meant, and the program has to agree with one reading in all
    tests: keys that are integers as text, and, if `wrapped` (APPS), an output that is a list of one for its item.
    """
    readings = [(key, bare) for key in (int, str) for bare in ([False, True] if wrapped else [False])]
    for number, (arguments, expected) in enumerate(zip(inputs, outputs, strict=True)):
        if test(number):
            with test:
                met = agreeing(call, arguments, expected, readings, tolerance)
                assert met, f"call {number}"
                readings = met


def agreeing(call: Caller, arguments: list[Any], expected: Any, readings: list[Any], tolerance: float) -> list[Any]:
    """Those of the readings by which the result is the expected one. Raises what the program does where none is."""
    results: dict[Any, Any] = {}
    met, errors = [], []
    with_integers = keyed(arguments)
    either = with_integers == arguments
    for key in [int] if either else dict.fromkeys(key for key, _ in readings):
        try:
            results[key] = call(with_integers if key is int else arguments)
        except Exception as error:
            errors.append(error)
    if either and int in results:
        results[str] = results[int]
    for key, bare in readings:
        if key in results and same(results[key], expected[0] if bare else expected, tolerance):
            met.append((key, bare))
    if not met and errors:
        raise errors[0]
    return met


def keyed(value: Any) -> Any:
    """With integers as the keys of objects all of whose keys are integers, which JSON writes as text."""
    if isinstance(value, list):
        return [keyed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {SET}:
        return as_set(value)
    change = int if value and all(INTEGER.fullmatch(key) for key in value) else str
    return {change(key): keyed(item) for key, item in value.items()}


def as_set(value: dict[str, list[Any]]) -> set[Any]:
    """The set that an object stands for."""
    return set(map(hashable, value[SET]))


def hashable(value: Any) -> Any:
    return tuple(map(hashable, value)) if isinstance(value, list) else value


def same(got: Any, expected: Any, tolerance: float) -> bool:
    """Is a result what a JSON value says? Tuples are lists, keys of a dict are text, floats are equal within the
    tolerance, integers exactly; numbers and arrays of numpy are what their `tolist` says."""
    if type(got) not in PLAIN and hasattr(got, "tolist"):
        got = got.tolist()
    if isinstance(expected, list):
        return (
            isinstance(got, list | tuple)
            and len(got) == len(expected)
            and all(same(one, other, tolerance) for one, other in zip(got, expected, strict=True))
        )
    if isinstance(expected, dict):
        if expected.keys() == {SET}:
            return type(got) in (set, frozenset) and bool(got == as_set(expected))
        if not isinstance(got, dict) or len(got) != len(expected):
            return False
        found = {json.dumps(key) if type(key) in WRITTEN else key: item for key, item in got.items()}
        return found.keys() == expected.keys() and all(same(found[key], expected[key], tolerance) for key in expected)
    if type(got) not in PLAIN:
        return False
    return bool(got == expected) or (isinstance(expected, float) and close(got, expected, tolerance))


def close(got: Any, expected: float, tolerance: float) -> bool:
    try:
        number = float(got)
    except (TypeError, ValueError, OverflowError):  # no number, or an integer beyond floats
        return False
    if isinstance(got, str | bool):
        return False
    both_nan = math.isnan(number) and math.isnan(expected)
    return both_nan or math.isclose(number, expected, rel_tol=tolerance, abs_tol=tolerance)


def run_scripts(
    test: Any,
    run_program: Callable[..., str],
    inputs: list[str],
    outputs: list[str],
    whitespace: str,
    tolerance: float,
    checker: str | None,
    seconds: float,
) -> None:
    """Run the program on each input and compare what it prints, or ask the checker. What does not fit without one is
    run again, in a process of its own."""
    for number, (given, expected) in enumerate(zip(inputs, outputs, strict=True)):
        if test(number):
            with test:
                printed = run_program(given)
                if checker is None:
                    fits = same_output(printed, expected, whitespace, tolerance)
                    if not fits and test.repeated():
                        fits = same_output(run_program(given, True), expected, whitespace, tolerance)
                else:
                    test.report_line("alive")  # the checker has a time of its own
                    fits = accepted(checker, (given, expected, printed), seconds)
                assert fits, f"input {number}"


def same_output(printed: str, expected: str, whitespace: str, tolerance: float) -> bool:
    if whitespace == DECIMALS:
        got, wanted = lines(printed), lines(expected)
        return len(got) == len(wanted) and all(map(same_line, got, wanted))
    got, wanted = words(printed, whitespace), words(expected, whitespace)
    return len(got) == len(wanted) and all(
        same_word(one, other, tolerance) for one, other in zip(got, wanted, strict=True)
    )


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def same_line(got: str, expected: str) -> bool:
    """As the runner of LiveCodeBench has it: as text, or as numbers, all of them."""
    if got == expected:
        return True
    try:
        return [*map(Decimal, got.split())] == [*map(Decimal, expected.split())]
    except ArithmeticError:  # a word that is no number
        return False


def words(text: str, whitespace: str) -> list[str]:
    """With the space between them, where that counts."""
    if whitespace == "any":
        return text.split()
    if whitespace == "trailing":
        text = "\n".join(line.rstrip() for line in text.rstrip().split("\n"))
    return re.split(r"(\s+)", text)


def same_word(got: str, expected: str, tolerance: float) -> bool:
    if got == expected:
        return True
    try:  # integers have to be exact
        number = float(got)
        spelled = "n" in got.lower() or math.isfinite(number)  # 2e999 is no other than itself
        spelled = spelled and got.isascii() and "_" not in got  # as only Python writes numbers
        return spelled and not expected.lstrip("+-").isdigit() and close(number, float(expected), tolerance)
    except ValueError:
        return False


def compile_checker(source: str, limits: dict[str, Any]) -> None:
    """A checker in C++, for `accepted`. Raises CheckerFault."""
    try:
        languages.checker(source, limits)
    except languages.Ended as error:
        raise CheckerFault(str(error)[:500]) from None


def accepted(checker: str, contents: tuple[str, str, str], seconds: float) -> bool:
    """What a checker says of input, expected and printed output, in files: 1 or 0, or a word for it, on stdout or else
    on stderr; or it ends as those of testlib do (0 right; 1, 2, 4 and 8 wrong). Raises CheckerFault.

    `checker` is its source in Python, or COMPILED. In Python the files come in this order, as in open-r1's Codeforces,
    in C++ in that of testlib: the expected last.
    """
    import subprocess  # slow to load, and rarely needed

    for name, content in zip(CHECKER_FILES, contents, strict=True):
        with open(name, "w") as file:
            file.write(content)
    given, expected, printed = CHECKER_FILES
    python = [sys.executable, "-S", "-s", "-c", checker, given, expected, printed]
    command = ["./checker", given, printed, expected] if checker == COMPILED else python
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.getcwd(), "PYTHONHASHSEED": "0"}
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, env=environment, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise CheckerFault("not ended in time") from None
    said = ((ended.stdout.split() or ended.stderr.split())[:1] or [""])[0].lower().rstrip(".,:")
    if "Traceback (most recent call last)" in ended.stderr or ended.returncode not in (0, *REFUSING):
        raise CheckerFault(ended.stderr.strip()[-200:].split("\n")[-1] or f"it ended with {ended.returncode}")
    if said in REFUSED or (ended.returncode and said not in ACCEPTED):
        return False
    if said in ACCEPTED and not ended.returncode:
        return True
    raise CheckerFault(f"it ended with {ended.returncode} and printed {ended.stdout[:100]!r}")
