"""Tests of evalplus as it publishes them: inputs, and a right program whose results are the expected ones.

The program runs beside the tests, in the sandbox. What is equal is what `evalplus.eval` 0.3.1 says, its exceptions for
single tasks included.
"""

import ast
from collections.abc import Callable
from typing import Any

from am_assets.datasets.values import Fault

# numpy is imported where it decides alone, as that takes longer than most programs.
HELPERS = """import copy
import math

inf, nan = math.inf, math.nan


def is_floats(value):
    if isinstance(value, (list, tuple)) and value:
        return all(isinstance(item, float) for item in value)
    return isinstance(value, float) or getattr(value, "dtype", None) in ("float64", "float32")


def assertion(got, wanted, atol):
    if atol == 0 and is_floats(wanted):
        atol = 1e-6
    if not got == wanted:
        assert atol != 0 and type(got) == type(wanted)
        assert not isinstance(wanted, (list, tuple)) or len(got) == len(wanted)
        import numpy

        assert numpy.allclose(got, wanted, rtol=1e-07, atol=atol)


def polynomial(coefficients, x):
    return sum(each * math.pow(x, power) for power, each in enumerate(coefficients))


def pyramid(base, height):
    return round(base**2 + 2 * base * math.sqrt((base / 2) ** 2 + height**2))


def digits_apart(one, other):
    width = max(len(str(one)), len(str(other)))
    return sum(abs(int(a) - int(b)) for a, b in zip(str(one).zfill(width), str(other).zfill(width)))
"""
# Not a `check(candidate)`: some tasks ask for a function of that name.
LOOP = """function = reference()
for given in inputs:
    wanted = function(*copy.deepcopy(given))
    got = {entry_point}(*copy.deepcopy(given))
    """
EQUAL = "assertion(got, wanted, {atol!r})"
AS_SETS = f"if set(got) != set(wanted):\n        {EQUAL}"
NOT_NONE = "assert (got if isinstance(got, bool) else got is not None) == (wanted is not None)"
# Tasks on which evalplus decides otherwise.
EXCEPTIONS = {"HumanEval": {"find_zero": "assert abs(polynomial(*given, got)) <= {atol!r}"}, "Mbpp": {
    "are_equivalent": "assert True",
    "sum_div": f"if got != 0:\n        {EQUAL}",
    "surface_Area": f"if not abs(got - pyramid(*given)) <= {{atol!r}}:\n        {EQUAL}",
    "digit_distance_nums": f"if got != digits_apart(*given):\n        {EQUAL}",
    **dict.fromkeys(["similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly", "larg_nnum",
                     "intersection_array", "find_dissimilar", "Diff"], AS_SETS),
    **dict.fromkeys(["check_str", "text_match_three", "text_starta_endb"], NOT_NONE),
}}  # fmt: skip


def deep(value: Any) -> Any:
    return tuple(map(deep, value)) if isinstance(value, list) else value


def items(value: list[Any]) -> list[Any]:
    return [tuple(one) for one in value]


# Arguments that JSON has no types for, by the numbers of tasks of MBPP.
SHAPES: list[tuple[set[int], Callable[[list[Any]], Any]]] = [
    ({2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809},
     items),
    ({63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780}, lambda given: [*map(items, given)]),
    ({75, 413, 444, 753}, lambda given: [items(given[0]), given[1]]),
    ({106, 750}, lambda given: [given[0], tuple(given[1])]),
    ({115}, lambda given: [[set(one) if isinstance(one, list) and one else {} for one in given[0]]]),
    ({124}, lambda given: (float(given[0]), complex(given[1]))),
    ({250, 307, 405, 446, 617, 720, 763, 808}, lambda given: [tuple(given[0]), *given[1:]]),
    ({259, 401, 445}, lambda given: [tuple(items(one)) for one in given]),
    ({278}, lambda given: [tuple(tuple(one) if isinstance(one, list) else one for one in given[0])]),
    ({722}, lambda given: [{key: tuple(one) for key, one in given[0].items()}, *given[1:]]),
    ({252}, lambda given: [complex(given[0])]),
    ({580, 615, 791}, deep),
]  # fmt: skip


def tests_of(task: str | None, program: str, entry_point: str | None, inputs: Any, atol: Any) -> dict[str, str]:
    """The function that is asked for on all inputs, as canonical tests in code.

    `task` is the id, as "Mbpp/2" or "HumanEval/0"; `program` a right one with its imports. `Fault` where these are not
    what evalplus publishes.
    """
    if not isinstance(entry_point, str) or not entry_point.isidentifier():
        raise Fault("field `entry_point`: not a function name")
    if not isinstance(inputs, list) or not inputs or not all(isinstance(given, list) for given in inputs):
        raise Fault("field `plus_input`: expected a list of lists of arguments")
    if not isinstance(atol, int | float):
        raise Fault("field `atol`: expected a number")
    kind, _, number = (task or "").partition("/")
    shape = next((made for ids, made in SHAPES if kind == "Mbpp" and number.isdigit() and int(number) in ids), None)
    try:
        shaped = inputs if shape is None else [shape(given) for given in inputs]
    except (ValueError, TypeError, LookupError, AttributeError):
        raise Fault("field `plus_input`: not the arguments of this task") from None
    loop = (LOOP + EXCEPTIONS.get(kind, {}).get(entry_point, EQUAL)).format(entry_point=entry_point, atol=atol)
    return {"test_code": "\n\n".join([HELPERS, _reference(program, entry_point), f"inputs = {shaped!r}", loop])}


def _reference(program: str, entry_point: str) -> str:
    """A function that returns the one of the program: within it, no name of the program meets one of the tests."""
    try:
        body = ast.parse(program).body
    except (SyntaxError, ValueError, RecursionError):
        raise Fault("field `canonical_solution`: not Python") from None
    if not any(isinstance(node, ast.FunctionDef) and node.name == entry_point for node in body):
        raise Fault("field `canonical_solution`: does not define the function that is asked for")
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    others = [node for node in body if node not in imports]
    made = ast.parse(f"def reference():\n    return {entry_point}").body[0]
    assert isinstance(made, ast.FunctionDef)  # as written above
    made.body[:0] = others
    return ast.unparse(ast.fix_missing_locations(ast.Module([*imports, made], [])))
