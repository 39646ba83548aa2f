"""Tests of a question, in the forms of published data sets, as one canonical JSON text.

Two canonical forms, which `verification/` reads: code, {"test_code", "test_entry_point"}, and tables of inputs and
outputs, {"inputs", "outputs"} of a script, which may have a "checker", or with "fn_name" of a function. Whether tests
can decide anything is a matter of verification; here they are brought over, whole or not at all.

Of a call, an input is the list of its arguments and the output a value (APPS, TACO), or both are text: an argument in
JSON on each line, and a value in JSON (LiveCodeBench). Outputs of the first may each be wrapped in a list, which only a
program can tell; of the second they are never, which "wrapped": false says where it may be asked. A set, as Python
writes it, is an object {"__set__": its items}.
"""

import ast
import json
from collections.abc import Iterable
from typing import Any

from am_assets.datasets.values import Fault, broken, clean, kind, parsed, written

TABLES = ("public_tests", "private_tests", "generated_tests")  # of CodeContests, which belong together
SET = "__set__"  # the only key of an object that stands for a set, with its items
CALLED = ("functional", "function_call", "call")  # types of a test that calls a function


def canonical(tests: Any, entry_point: str | None = None, checker: str | None = None) -> str | None:
    """The tests as JSON text; None where there are none. `Fault` for a form that is not known. `checker`: the source of
    a program that decides on what a script prints.

    Known are: code; a list of assertions; {"test_code", "test_entry_point"}, and {"functional"} as in rLLM;
    {"inputs", "outputs"[, "fn_name"]} as in APPS; {"input": […], "output": […]}, also as public, private and generated
    tests, as in CodeContests; a list of {"input", "output"[, "type", "fn_name"]} as in LiveCodeBench and DeepCoder, and
    the same as {"test_cases"}, as in SYNTHETIC-1.
    Each may be JSON text, also within JSON, or what Python wrote.

    >>> canonical([{"input": "1 2", "output": "3"}])
    '{"inputs":["1 2"],"outputs":["3"]}'
    """
    tests = written(tests)
    if broken(tests):
        raise Fault("tests: text that begins as JSON and is none")
    if isinstance(tests, str):
        return _code(tests, entry_point) if tests.strip() else None
    if isinstance(tests, list):
        return _listed(tests, entry_point, checker) if tests else None
    if not isinstance(tests, dict):
        if tests is None:
            return None
        raise Fault(f"tests: expected code or a table, found {kind(tests)}")
    if code := next((name for name in ("test_code", "functional") if name in tests), None):
        name = tests.get("test_entry_point") or tests.get("entry_point") or entry_point
        return _code(tests[code], name, tests.get("import_prefix"))
    if isinstance(tests.get("test_cases"), list):
        return canonical(tests["test_cases"], entry_point, checker)
    if "inputs" in tests:
        return _table(tests["inputs"], tests.get("outputs"), tests.get("fn_name"), **_kept(tests, checker))
    parts = [tests[name] for name in TABLES if tests.get(name)]
    if parts or ({*TABLES} & tests.keys() and "input" not in tests):
        inputs, outputs = ([one for part in parts for one in _column(part, name)] for name in ("input", "output"))
        return _table(inputs, outputs, None, checker=checker)
    if "input" in tests:
        return _table(_column(tests, "input"), _column(tests, "output"), tests.get("fn_name"), **_kept(tests, checker))
    raise Fault("tests of an unknown form")


def _code(code: Any, entry_point: Any, before: Any = None) -> str | None:
    if isinstance(code, list) and all(isinstance(line, str) for line in code):
        code = "\n".join(code)
    if not isinstance(code, str) or not isinstance(entry_point, str | None):
        raise Fault("test_case: expected test_code (text) and test_entry_point (text or null)")
    whole = f"{before}\n{code}" if isinstance(before, str) and before.strip() else code
    return _json({"test_code": whole, "test_entry_point": entry_point}) if code.strip() else None


def _kept(table: dict[str, Any], checker: str | None) -> dict[str, Any]:
    """What a table says beside its inputs and outputs."""
    return {"wrapped": table.get("wrapped"), "checker": table.get("checker") or checker}


def _listed(tests: list[Any], entry_point: str | None, checker: str | None) -> str | None:
    if all(isinstance(test, str) for test in tests):
        return _code("\n".join(tests), entry_point)
    if not all(isinstance(test, dict) and {"input", "output"} <= test.keys() for test in tests):
        raise Fault("tests of an unknown form")
    functions = [name for test in tests if (name := test.get("fn_name") or _function_of(test))]
    if any(name != functions[0] for name in functions):
        raise Fault("tests of several functions")
    called = any((test.get("type") or test.get("testtype")) in CALLED for test in tests)
    function = functions[0] if functions else entry_point if called else None
    if function is None and called:
        raise Fault("tests that call a function without a name")
    inputs, outputs = ([test[name] for test in tests] for name in ("input", "output"))
    return _table(inputs, outputs, function, checker=checker)


def _function_of(test: dict[str, Any]) -> str | None:
    metadata = parsed(test.get("metadata"))
    return (metadata.get("func_name") or metadata.get("fn_name")) if isinstance(metadata, dict) else None


def _column(table: Any, name: str) -> list[Any]:
    table = parsed(table)
    if not isinstance(table, dict):
        raise Fault(f"tests: expected a table, found {kind(table)}")
    value = table.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def _table(inputs: Any, outputs: Any, function: Any, *, wrapped: Any = None, checker: Any = None) -> str | None:
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
        raise Fault("tests: expected as many outputs as inputs")
    if not inputs:
        return None
    if not isinstance(function, str | None):
        raise Fault(f"tests: fn_name: expected text, found {kind(function)}")
    if not function:
        table = {"inputs": list(_texts(inputs)), "outputs": list(_texts(outputs))}
        return _json(table | ({"checker": checker} if checker else {}))
    in_lines = any(isinstance(given, str) for given in inputs)
    calls = [_call(given, wanted) for given, wanted in zip(inputs, outputs, strict=True)]
    told = {"wrapped": False} if wrapped is False or (in_lines and all(_is_one(wanted) for _, wanted in calls)) else {}
    return _json({"fn_name": function, "inputs": [c[0] for c in calls], "outputs": [c[1] for c in calls]} | told)


def _call(given: Any, wanted: Any) -> tuple[Any, Any]:
    """The arguments of a call, and its result."""
    if not isinstance(given, str):
        return given, wanted
    arguments = [_literal(line) for line in given.split("\n") if line.strip()]
    return arguments, _literal(wanted) if isinstance(wanted, str) else wanted


def _is_one(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1


def _literal(text: str) -> Any:
    """A value in JSON or in Python, where it is one that JSON has, or a set; else the text."""
    for read in (json.loads, ast.literal_eval):
        try:
            return json.loads(json.dumps(read(text), default=_set))
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
    return text


def _set(value: Any) -> dict[str, list[Any]]:
    if not isinstance(value, set):
        raise TypeError
    return {SET: sorted(value, key=repr)}


def _texts(values: Iterable[Any]) -> Iterable[str]:
    """What a script reads and prints: text, the lines of a text, or a number."""
    for value in values:
        lines = value if isinstance(value, list) else [value]
        if not all(isinstance(line, str | int | float) and not isinstance(line, bool) for line in lines):
            raise Fault(f"tests: expected text for a script, found {kind(value)}")
        yield "\n".join(str(line) if len(lines) == 1 else str(line).removesuffix("\n") for line in lines)


def _json(tests: dict[str, Any]) -> str:
    return clean(json.dumps(tests, ensure_ascii=False, separators=(",", ":")))
