"""Tests of published data sets become one of two canonical forms, whole, or their row is at fault."""

import json
from typing import Any

import pytest

from am_assets.config.instruments import Code
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import Fault
from am_assets.verification.programs.io_tests import read_cases

TWO = {"inputs": ["1 2\n", "5 6\n"], "outputs": ["3\n", "11\n"]}
ADD = {"fn_name": "add", "inputs": [[1, 2], [5, 6]], "outputs": [3, 11]}
ASSERTS = ["assert add(1, 2) == 3", "assert add(5, 6) == 11"]
CODE = {"test_code": "\n".join(ASSERTS), "test_entry_point": None}
CASES = [{"input": given, "output": wanted} for given, wanted in zip(*TWO.values(), strict=True)]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (TWO, TWO),
        (ADD, ADD),
        (json.dumps(TWO), TWO),
        (json.dumps(json.dumps(TWO)), TWO),  # SYNTHETIC: JSON text within JSON
        ({"inputs": [["1 2", ""], ["5 6", ""]], "outputs": [["3", ""], ["11", ""]]}, TWO),  # lines
        ({"input": TWO["inputs"], "output": TWO["outputs"]}, TWO),
        ({"language": "python", "test_cases": [one | {"type": "stdin_stdout"} for one in CASES]}, TWO),
        ({"public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
          "private_tests": {"input": ["5 6\n"], "output": ["11\n"]},
          "generated_tests": {"input": [], "output": []}}, TWO),
        (CASES, TWO),
        ([one | {"type": "stdin_stdout"} for one in CASES], TWO),
        ([{"input": [1, 2], "output": 3, "type": "function_call", "fn_name": "add"},
          {"input": [5, 6], "output": 11, "type": "function_call", "fn_name": "add"}], ADD),
        ([{"input": "1\n2", "output": "3", "testtype": "functional", "metadata": {"func_name": "add"}},
          {"input": "5\n6", "output": "11", "testtype": "functional", "metadata": '{"func_name": "add"}'}], ADD),
        ({"fn_name": "add", "inputs": ["1\n2\n", "5\n6"], "outputs": ["3", "11"]}, ADD),
        (TWO | {"fn_name": ""}, TWO),
        ({"inputs": [["1 2\n", ""], ["5 6", ""]], "outputs": [["3\n", ""], ["11", ""]]}, TWO),
        (ADD | {"wrapped": False}, ADD | {"wrapped": False}),
        (TWO | {"checker": "print(1)"}, TWO | {"checker": "print(1)"}),
        (ASSERTS, CODE),
        ("\n".join(ASSERTS), CODE),
        ({"test_code": ASSERTS}, CODE),
        (json.dumps({"test_code": CODE["test_code"]}), CODE),
    ],
)  # fmt: skip
def test_every_form_is_one_of_two_that_verification_reads(given: Any, wanted: dict) -> None:
    found = canonical(given)
    assert json.loads(found or "") == wanted
    assert read_cases(found, Code()).tests == 2


@pytest.mark.parametrize(
    "nothing",
    [None, "", " \n", [], {"inputs": [], "outputs": []}, {"public_tests": None, "input": []}, {"public_tests": None}],
)
def test_nothing_is_no_tests(nothing: Any) -> None:
    assert canonical(nothing) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"inputs": ["1"], "outputs": []}, "as many outputs as inputs"),
        ({"inputs": "1", "outputs": "2"}, "as many outputs as inputs"),
        ({"cases": []}, "unknown form"),
        ([{"input": "1"}], "unknown form"),
        ([1, 2], "unknown form"),
        (5, "found a number"),
        ({"inputs": [{"a": 1}], "outputs": ["2"]}, "expected text for a script, found an object"),
        ({"test_code": 5}, "expected test_code"),
        (
            [{"input": "1", "output": "2", "fn_name": "f"}, {"input": "1", "output": "2", "fn_name": "g"}],
            "several functions",
        ),
        ([{"input": "1", "output": "2", "type": "functional"}], "without a name"),
    ],
)
def test_what_is_no_test_is_a_fault(given: Any, says: str) -> None:
    with pytest.raises(Fault, match=says):
        canonical(given)


def test_outputs_of_calls_on_lines_are_never_wrapped_and_others_may_be() -> None:
    on_lines = {"fn_name": "f", "inputs": ["1", '"a"'], "outputs": ["[3]", "[true]"]}
    assert json.loads(canonical(on_lines) or "") == {
        "fn_name": "f", "inputs": [[1], ["a"]], "outputs": [[3], [True]], "wrapped": False,
    }  # fmt: skip
    listed = [{"input": ["a"], "output": "3", "type": "function_call", "fn_name": "f"}]
    assert json.loads(canonical(listed) or "") == {"fn_name": "f", "inputs": [["a"]], "outputs": ["3"]}
    assert json.loads(canonical(canonical(on_lines)) or "") == json.loads(canonical(on_lines) or "")


def test_the_entry_point_beside_code_is_kept() -> None:
    assert json.loads(canonical("def check(f): assert f(1)", "f") or "")["test_entry_point"] == "f"
