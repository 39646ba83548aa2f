"""Whose fault a failed test is: the program's, or what the sandbox lacks or can't show."""

import pytest

from am_assets.engines.sandbox import SandboxUnavailable
from am_assets_tests.promised import without_sandbox
from am_assets_tests.verification.answers import cases, fenced, verdicts

PARAMETERS = "import pytest\nfrom solution import f\n@pytest.mark.parametrize('x', [1, 2])\ndef test_f(x):\n"
UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(1), 2)\n"
FILES = """import os, tempfile
def test_f():
    assert f(1) == 2
def test_g():
    with tempfile.NamedTemporaryFile('w', delete=False) as file:
        file.write('5')
    assert g(file.name) == 5
"""
WARNS = "import pytest\ndef test_f():\n    with pytest.warns(UserWarning):\n        f(1)\n"
BANK = "class Bank:\n    def open(self):\n        {}\n    def exists(self):\n        return True\n"
SEEN = "seen = []\ndef add(x):\n    seen.append({})\n    return len(seen)\n"


def reasons(*rows: tuple[str, str]) -> list[str]:
    found = verdicts(*[(fenced(program), cases(tests)) for program, tests in rows])
    if found[0]["sandbox"] == "none":
        without_sandbox(SandboxUnavailable(found[0]["detail"]))
    return [row["reason"] for row in found]


def test_an_interrupt_is_a_failed_test_with_its_name() -> None:
    program = "def f(x):\n    raise KeyboardInterrupt\n"
    tests = [f"{PARAMETERS}    assert f(x) == x + 1\n", UNITTEST, "assert f(1) == 2"]
    found = verdicts(*[(fenced(program), cases(one)) for one in tests])
    if found[0]["sandbox"] == "none":
        without_sandbox(SandboxUnavailable(found[0]["detail"]))
    assert [row["reason"] for row in found] == ["exception"] * 3
    assert all("KeyboardInterrupt" in row["detail"] for row in found)
    expects = f"{PARAMETERS}    with pytest.raises(KeyboardInterrupt):\n        f(x)\n"
    assert reasons((program, expects)) == ["tests_passed"]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def f(x):\n    raise ModuleNotFoundError(\"No module named 'nowhere'\")\n", "exception"),
        ("import collections.nope\ndef f(x):\n    return 2\n", "exception"),
        ("import nowhere.part\ndef f(x):\n    return 2\n", "needs nowhere"),
        ("import importlib\ndef f(x):\n    return importlib.import_module('nowhere').f(x)\n", "needs nowhere"),
        ("try:\n    import nowhere\nexcept ImportError:\n    pass\ndef f(x):\n    return 2\n", "tests_passed"),
    ],
)
def test_a_module_is_needed_only_by_an_import(program: str, reason: str) -> None:
    assert reasons((program, "assert f(1) == 2")) == [reason]


def test_files_excuse_no_program_that_only_computes() -> None:
    reading = "def f(x):\n    return x + {}\ndef g(path):\n    return int(open(path).read())\n"
    computing = "import math\ndef f(x):\n    return x\ndef g(path):\n    return 5\n"
    unseen = "sandbox can't show the tests and the program the same files"
    assert reasons((computing, FILES), (reading.format(1), FILES)) == ["wrong_answer", unseen]


def test_a_word_that_files_have_too_excuses_nothing() -> None:
    tests = "bank = Bank()\nassert bank.open() == 1\nassert bank.exists()  # open, tempfile"
    programs = [f"import json\n{BANK.format(does)}" for does in ("return 1", "return 2")]
    assert reasons(*[(program, tests) for program in programs]) == ["tests_passed", "wrong_answer"]


def test_warnings_excuse_a_program_that_may_warn() -> None:
    warning = "import warnings\ndef f(x):\n    warnings.warn('old')\n"
    assert reasons((warning, WARNS), ("def f(x):\n    return x\n", WARNS)) == [
        "sandbox can't show the tests the program's logs and warnings",
        "exception",
    ]


def test_global_containers_are_the_same_for_tests_and_program() -> None:
    tests = "assert add(5) == 1\nassert seen == [5]\nseen.clear()\nassert add(6) == 1\nassert seen == [6]"
    rebinding = "cache = {1: 1}\ndef reset():\n    global cache\n    cache = {}\n"
    assert reasons(
        (SEEN.format("x"), tests), (SEEN.format("0"), tests), (rebinding, "reset()\nassert cache == {}")
    ) == ["tests_passed", "wrong_answer", "tests_passed"]
