"""Suites of pytest and unittest, and the packages that programs and tests import."""

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job, open_sandbox

LIMITS = Code(timeout_seconds=6, memory_mb=384, processes=32, output_kb=64)
PROGRAM = """
import os
class Bad(ValueError):
    code = 3
def f(x):
    if x is None: return int(input()) + 1
    if x == "env": return os.environ["F_ENV"]
    if x < 0: raise Bad("no")
    if x == 0: print("zero")
    return x + 1
async def g(x): return x + 1
"""
SUITES = {
    "pytest": """
import pytest
from solution import f, Bad
@pytest.fixture
def three(): return 3
@pytest.mark.parametrize("a, b", [(1, 2), (2, 3)], ids=["x", "y"])
def test_parameters(a, b): assert f(a) == b
def test_fixture(three): assert f(three) == 4
def test_raises():
    with pytest.raises(Bad, match="no") as info: f(-1)
    assert info.value.code == 3
    with pytest.raises(ValueError): f(-1)
def test_approx(): assert f(0.1) == pytest.approx(1.1)
def test_printed(capsys):
    f(0)
    assert capsys.readouterr().out == "zero\\n"
def test_patched(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: "7")
    monkeypatch.setenv("F_ENV", "5")
    assert f(None) == 8 and f("env") == "5"
class TestF:
    def setup_method(self): self.x = 5
    def test_method(self): assert f(self.x) == 6
@pytest.mark.skip
def test_skipped(): assert False
""",
    "unittest": """
import unittest
from unittest.mock import patch
class Cases(unittest.TestCase):
    def setUp(self): self.x = 1
    def test_values(self):
        self.assertEqual(f(self.x), 2); self.assertIsInstance(f(1), int); self.assertAlmostEqual(f(.1), 1.1)
    def test_raises(self):
        with self.assertRaises(Bad): f(-1)
        for n in range(3):
            with self.subTest(n=n): self.assertEqual(f(n), n + 1)
    @patch("builtins.input", return_value="3")
    def test_patched(self, asked):
        self.assertEqual(f(None), 4)
        asked.assert_called_once()
if __name__ == "__main__": unittest.main()
""",
    "coroutines": """
import asyncio, pytest
@pytest.mark.asyncio
async def test_one(): assert await g(1) == 2
async def test_more(): assert await asyncio.gather(g(1), g(2)) == [2, 3]
""",
}
METHOD = "class TestF:\n  def test_one(self): assert f(1) == 2\n"
NUMPY = """
import numpy as np
assert np.array_equal(f([1, 2]), np.array([2, 4])) and f([1]).shape == (1,) and (f([1, 2]) == np.array([2, 4])).all()
np.testing.assert_allclose(f([1.5]), [3.0])
assert f([1])[0] == 2 and isinstance(f([1.0])[0], float) and f(np.ones(2)).sum() == 4
"""


class TestSuites:
    @pytest.mark.parametrize("suite", SUITES)
    def test_right_passes_and_wrong_fails(self, sandbox, suite):
        wrong = PROGRAM.replace("return x + 1", "return x + 2")
        right, failed = sandbox.run_many([Job(PROGRAM, SUITES[suite]), Job(wrong, SUITES[suite])])
        assert right.status == "pass", right.detail
        assert failed.status == "wrong_answer"

    @pytest.mark.parametrize(
        "change",
        [('Bad("no")', "KeyError()"), ('print("zero")', "pass"), ("code = 3", "code = 4"), ("int(", "5 or int(")],
    )
    def test_each_part_can_fail(self, sandbox, change):
        outcome = sandbox.run(PROGRAM.replace(*change), SUITES["pytest"])
        assert outcome.status in ("wrong_answer", "exception"), outcome

    @pytest.mark.parametrize(
        "program",
        [
            "import unittest\ndef f(x): raise unittest.SkipTest('no')",
            "import pytest\ndef f(x): pytest.skip('no')",
            "import pytest\ndef f(x): pytest.exit('no', returncode=0)",
            "def f(x): raise SystemExit(0)",
            "import os\ndef f(x): os._exit(0)",
            "import sys, pytest\nsys.modules['pytest'].main = lambda *a, **k: 0\ndef f(x): return 5",
            "class f:\n  def __init__(s, x): 0\n  def __eq__(s, o): return True",
        ],
        ids=["skips", "skips with pytest", "ends pytest", "exits", "ends", "replaces pytest", "agrees"],
    )
    def test_a_suite_is_not_left_or_skipped(self, sandbox, program):
        assert sandbox.run(program, f"{METHOD}  def test_two(self): pass").status not in ("pass", "sandbox_error")

    @pytest.mark.parametrize(
        ("tests", "why"),
        [
            ("def test_f(benchmark): assert f(1) == 2", "find the fixture benchmark"),
            ("import pytest\n@pytest.mark.skip\ndef test_f(): assert f(1) == 2", "find a test that runs"),
            ("def test_f(tmp_path):\n  (tmp_path / 'a').write_text('b')\n  assert f('a') == 'b'", "show the tests and"),
        ],
    )
    def test_what_can_not_be_told(self, sandbox, tests, why):
        outcome = sandbox.run("def f(path): return open(path).read()", tests)
        assert outcome.status == "undecided" and f"sandbox can't {why}" in outcome.detail.split("\n")[0]


class TestPackages:
    def test_arrays(self, sandbox):
        program = "import numpy as np\ndef f(x): return np.array(x) * {}"
        ends = sandbox.run_many([Job(program.format(factor), NUMPY) for factor in (2, 3)])
        assert [end.status for end in ends] == ["pass", "wrong_answer"]

    @pytest.mark.parametrize("target", ["shlex.quote", "solution.shlex.quote"])
    def test_what_a_suite_patches_is_patched_for_the_program(self, sandbox, target):
        suite = f"from unittest.mock import patch\nfrom solution import f\n@patch('{target}')\ndef test_f(quote):\n"
        suite += "  quote.return_value = 7\n  assert f('a') == 7\n  quote.assert_called_with('a')"
        program = "import shlex\ndef f(x): return shlex.quote({})"
        ends = sandbox.run_many([Job(program.format(given), suite) for given in ("x", "x * 2")])
        assert [end.status for end in ends] == ["pass", "wrong_answer"]

    def test_a_module_of_the_program_hides_none_of_the_tests(self, sandbox):
        suite = "import numpy as np\nfrom solution import *\nassert np.allclose(f(1), [2, 2])"
        program = "import numpy as np\ndef f(x): return np.full(2, x + {})"
        ends = sandbox.run_many([Job(program.format(more), suite) for more in (1, 2)])
        assert [end.status for end in ends] == ["pass", "wrong_answer"]
        hidden = sandbox.run("import numpy as np", "from solution import np\nassert np.sum([1]) == 1")
        assert hidden.detail.startswith("sandbox can't show the tests the program's module numpy")

    def test_a_script(self, sandbox):
        tests = "assert run_program('1 2') == '3\\n'"
        program = "from sortedcontainers import SortedList\nprint(sum(SortedList(map(int, input().split()))))"
        absent = "import pandas\nprint(3)"
        ends = list(sandbox.run_many([Job(one, tests, is_script=True) for one in (program, absent)]))
        assert [end.status for end in ends] == ["pass", "undecided"] and ends[1].detail.startswith("needs pandas\n")

    def test_what_is_not_there_is_named(self, sandbox):
        for program, tests in (
            ("import pandas as pd\ndef f(): return 1", "assert f() == 1"),
            ("def f(): return 1", "import torch.nn\nassert f() == 1"),
        ):
            outcome = sandbox.run(program, tests)
            assert outcome.status == "undecided" and outcome.detail.split("\n")[0] in ("needs pandas", "needs torch")

    def test_a_failed_test_comes_before_what_is_not_there(self, sandbox):
        tests = "with __test__: assert f() == 2\nwith __test__:\n  import torch"
        (outcome,) = sandbox.run_many([Job("def f(): return 1", tests, tests=2)])
        assert (outcome.status, outcome.tests) == ("wrong_answer", ("wrong_answer", "undecided"))

    def test_packages_that_can_not_be_installed_say_nothing_of_the_tests(self, caplog):
        with open_sandbox(Code(packages=("numpy==0.0.1",)), "bubblewrap") as bare:
            assert bare.run("import numpy", "").status == "sandbox_error"
            assert bare.run("def f(): return 1", "assert f() == 1").status == "pass"
        assert "pip can't install" in caplog.text

    def test_without_packages(self):
        with open_sandbox(Code(packages=()), "bubblewrap") as bare:
            assert bare.run("import numpy", "").detail.startswith("needs numpy\n")
            assert bare.run("def f(): return 1", "assert f() == 1").status == "pass"
