"""Tests that start the program as a file."""

import pytest

from am_assets.engines.sandbox import SandboxUnavailable
from am_assets_tests.promised import without_sandbox
from am_assets_tests.verification.answers import cases, fenced, verdicts

SUMS = """
import sys
try:
    a, b = map(int, input().split())
except ValueError:
    print("no numbers", file=sys.stderr)
    sys.exit(2)
print(a + b)
"""
RUN = "import subprocess, sys\n"
SUITE = f"""{RUN}
def run(given):
    return subprocess.run([sys.executable, "solution.py"], input=given, capture_output=True, text=True).stdout
def test_sums():
    assert run("1 2") == "3\\n"
def test_zero():
    assert run("0 0").strip() == "0"
"""
PIPES = f"""{RUN}
import os, unittest
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'solution.py')
class TestSums(unittest.TestCase):
    def test_sums(self):
        started = subprocess.Popen(["python3", PATH], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(started.communicate(b"1 2")[0].split(), [b"3"])
"""
CODES = f"""{RUN}
ended = subprocess.run("python solution.py", shell=True, input="x", capture_output=True, text=True)
assert ended.returncode == 2 and "no numbers" in ended.stderr
assert subprocess.check_output(["python", "solution.py"], input=b"1 2") == b"3\\n"
"""


@pytest.mark.parametrize("tests", [SUITE, PIPES, CODES], ids=["run", "pipes", "codes"])
def test_each_start_is_a_run_of_the_program(tests: str) -> None:
    rows = verdicts(
        (fenced(SUMS), cases(tests)),
        (fenced(SUMS.replace("a + b", "a - b - 1")), cases(tests)),
        (fenced(SUMS.replace("sys.exit(2)", "raise").replace("b)", "b, 0)")), cases(tests)),
    )
    if rows[0]["sandbox"] == "none":
        without_sandbox(SandboxUnavailable(rows[0]["detail"]))
    assert [row["verdict"] for row in rows] == ["pass", "fail", "fail"], rows


@pytest.mark.parametrize("command", ["'echo 1 2 | python solution.py'", "['python', 'solution.py', '1', '2']"])
def test_other_commands_are_not_run(command: str) -> None:
    asked = f"{RUN}assert subprocess.run({command}, shell=True, capture_output=True, text=True).stdout == '3\\n'"
    (row,) = verdicts((fenced(SUMS), cases(asked)))
    assert row["reason"] == "sandbox can't run other commands than python solution.py"
