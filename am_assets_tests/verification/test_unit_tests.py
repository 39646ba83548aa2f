"""Unit tests of a question are told apart, and those that decide nothing are refused."""

import json

import pytest

from am_assets.verification.programs.unit_tests import Runnable, UnusableTests, read_tests
from am_assets_tests.verification.answers import CHECK, cases


def read(test_code: str | list[str], entry_point: str | None = None) -> Runnable:
    return read_tests(cases(test_code, entry_point), most=9)


def guarded(*statements: str, indent: str = "") -> str:
    lines = []
    for number, statement in enumerate(statements):
        lines += [f"if __test__({number}):", "    with __test__:", f"        {statement}"]
    return "\n".join(indent + line for line in lines)


class TestReadTests:
    def test_each_assert_is_a_test_and_what_stands_between_them_is_not(self):
        tests = read(["xs = [2, 1]", "sort(xs)", "assert xs == [1, 2]", "assert sort([]) is None"])
        asserts = guarded("assert xs == [1, 2]", "assert sort([]) is None")
        assert tests == Runnable(f"xs = [2, 1]\nsort(xs)\n{asserts}", tests=2)

    def test_each_assert_of_a_check_is_a_test(self):
        test_code = "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(0, 0) == 0"
        body = guarded("assert candidate(1, 2) == 3", "assert candidate(0, 0) == 0", indent="    ")
        assert read(test_code, "add") == Runnable(f"def check(candidate):\n{body}", "add", tests=2)

    @pytest.mark.parametrize(
        "test_code",
        [
            "def check(candidate):\n    assert candidate(1, 2) == 3\n    return\n    assert False",
            "def check(candidate):\n    assert candidate(1, 2) == 3\ncheck(add)",
        ],
    )
    def test_a_check_that_may_not_run_once_to_its_end_is_one_test(self, test_code):
        assert read(test_code, "add") == Runnable(test_code, "add")

    def test_pytest_functions_are_called(self):
        code = "from solution import add\ndef test_one():\n    assert add(1, 2) == 3\n"
        code += "def test_two():\n    assert add(0, 0) == 0"
        tests = read(code, "add")
        assert tests.test_code.replace("\n\n", "\n") == f"{code}\n{guarded('test_one()', 'test_two()')}"
        assert tests.tests == 2

    def test_a_helper_that_the_tests_call_is_no_test(self):
        tests = read("def test_case(a, b):\n    assert add(a, 0) == b\ntest_case(1, 1)")
        assert tests.tests == 1 and tests.test_code.count("test_case(1, 1)") == 1

    def test_only_as_many_are_taken_as_the_instrument_allows(self):
        tests = read_tests(cases([f"assert add({n}, 0) == {n}" for n in range(9)] + ["print(1)"]), most=2)
        assert tests == Runnable(guarded("assert add(0, 0) == 0", "assert add(1, 0) == 1"), tests=2)

    @pytest.mark.parametrize(
        ("test_cases", "why"),
        [
            (None, "none given"),
            ("", "none given"),
            ("assert True", "JSON"),
            ("[1]", "JSON"),
            (json.dumps({"inputs": [1], "outputs": [2]}), "JSON"),
            (cases("assert ("), "not Python"),
            (cases(""), "asserts nothing"),
            (cases("add(1, 2)"), "asserts nothing"),
            (cases(CHECK), "nothing runs"),
            (cases("if __name__ == '__main__':\n    assert add(1, 2) == 3"), "asserts nothing"),
        ],
    )
    def test_tests_that_decide_nothing_are_refused(self, test_cases, why):
        with pytest.raises(UnusableTests, match=why):
            read_tests(test_cases, most=9)
