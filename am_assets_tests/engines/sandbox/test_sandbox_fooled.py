"""A program that wants to pass tests that it does not solve."""

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job

LIMITS = Code(timeout_seconds=1, memory_mb=256, processes=32, output_kb=64)
SECRET = 918273645  # what the tests expect; nobody can work it out from the arguments
TEST = f"assert f(1) == {SECRET}"
CHECK = f"def check(candidate):\n    expected = {SECRET}\n    assert candidate(1) == expected"
EQUAL_TO_ALL = """
class Equal{base}:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    def __sub__(self, other): return 0
    __rsub__ = __abs__ = __hash__ = lambda *_: 0
"""
# A number found anywhere in what the program can read of its own process is answered.
SEARCH = """
import gc, sys
def secret(value): return isinstance(value, int) and 918_000_000 < value < 919_000_000
"""


FOOLERS = {
    "prints the expected output": f"print({SECRET})\ndef f(x): print({SECRET})",
    "exits with status 0": "import os\ndef f(x): os._exit(0)",
    "raises SystemExit": "def f(x): raise SystemExit(0)",
    "raises KeyboardInterrupt": "def f(x): raise KeyboardInterrupt",
    "raises GeneratorExit": "def f(x): raise GeneratorExit",
    "an exit hook": "import atexit, os\natexit.register(os._exit, 0)\nimport sys; sys.exit()",
    "replaces AssertionError": "import builtins\nbuiltins.AssertionError = type('Quiet', (BaseException,), {})\nf = id",
    "replaces builtins": "import builtins\nbuiltins.int = builtins.exec = builtins.eval = lambda *a: True\nf = id",
    "defines check": "def check(candidate): pass\ndef f(x): return 0",
    "equals everything": EQUAL_TO_ALL.format(base="") + "def f(x): return Equal()",
    "an int that equals everything": EQUAL_TO_ALL.format(base="(int)") + "def f(x): return Equal(7)",
    "a str that equals everything": EQUAL_TO_ALL.format(base="(str)") + "def f(x): return Equal('7')",
    "a list that equals everything": EQUAL_TO_ALL.format(base="(list)") + "def f(x): return Equal([7])",
    "a mock that equals everything": "from unittest.mock import ANY\ndef f(x): return ANY",
    "a class that equals everything": EQUAL_TO_ALL.format(base="(type)") + "class f(metaclass=Equal):\n"
    "  def __init__(s, x): 0",
    "forges an answer and more": """
import os
def f(x):
    for fd in range(1, 12):
        try: os.write(fd, b'["returned", true, [], []]\\n["pass", ""]\\n!["pass", ""]\\n')
        except OSError: pass
""",
    "a fake report and out": """
import os
for n in range(1, 12):
    try: os.write(n, b'!["pass", ""]\\n')
    except OSError: pass
os._exit(0)
""",
    "replaces its own harness": """
import sys
for name, module in list(sys.modules.items()):
    if "sandbox" in name:
        for key in list(vars(module)):
            if callable(vars(module)[key]) and not key.startswith("__"):
                setattr(module, key, lambda *a, **k: ["pass", ""])
def f(x): return 0
""",
    "unknown references": """
import os
def f(x): os.write(3, b'["returned", ["object", [1]], [], []]\\n'); return 0
""",
    "calls functions that the tests never lent": """
import os
def f(x): os.write(3, b'["back", 0]\\n["back", -1, 3]\\n'); return 0
""",
    "changes what is no argument": """
import os
def f(x): os.write(3, b'["returned", 0, [[-1, ["list"]], [5, ["dict"]]], []]\\n'); return 0
""",
    "keeps what is no argument": """
import os
def f(x): os.write(3, b'["returned", 0, [], [0, -1]]\\n'); return 0
""",
    "a module that compares": "import sys, unittest.mock\nf = unittest.mock",
    "searches its memory": SEARCH + """
def f(x):
    frame = sys._getframe()
    while frame:
        for space in (frame.f_locals, frame.f_globals):
            for value in space.values():
                if secret(value): return value
        frame = frame.f_back
    for held in gc.get_objects():
        for value in gc.get_referents(held):
            if secret(value): return value
""",
    "searches the memory of all processes": """
import os, re
def f(x):
    for pid in [n for n in os.listdir('/proc') if n.isdigit()]:
        try:
            spans = [line.split()[0] for line in open(f'/proc/{pid}/maps') if ' rw' in line]
            with open(f'/proc/{pid}/mem', 'rb', 0) as memory:
                for span in spans:
                    start, end = (int(part, 16) for part in span.split('-'))
                    memory.seek(start)
                    for found in re.findall(rb'f\\(1\\) == (\\d+)|expected = (\\d+)', memory.read(end - start)):
                        return int(found[0] or found[1])
        except OSError: pass
""",
    "searches files and descriptors": """
import os, re
def f(x):
    for pid in [n for n in os.listdir('/proc') if n.isdigit()]:
        for part in ('cmdline', 'environ', *(f'fd/{n}' for n in range(4, 20))):
            try:
                fd = os.open(f'/proc/{pid}/{part}', os.O_RDONLY | os.O_NONBLOCK)
                for found in re.findall(rb'f\\(1\\) == (\\d+)', os.read(fd, 1 << 20)): return int(found)
            except OSError: pass
    for folder, _, names in os.walk('/tmp'):
        for name in names:
            for found in re.findall(r'f\\(1\\) == (\\d+)', open(f'{folder}/{name}').read()): return int(found)
""",
    "asks the tests' module": "import sys\ndef f(x): return vars(sys.modules['__main__']).get('expected')",
}  # fmt: skip


class TestFooled:
    @pytest.mark.parametrize("program", FOOLERS.values(), ids=FOOLERS)
    def test_nothing_passes_that_does_not_solve_it(self, sandbox, program):
        for outcome in (sandbox.run(program, TEST), sandbox.run(program, CHECK, "f")):
            assert outcome.status not in ("pass", "sandbox_error"), outcome

    def test_the_tests_can_be_passed_at_all(self, sandbox):
        solution = f"def f(x): return {SECRET}"
        assert sandbox.run(solution, TEST).status == sandbox.run(solution, CHECK, "f").status == "pass"

    def test_what_is_left_running_has_no_say(self, sandbox):
        program = "import os, time\nif os.fork() == 0:\n    time.sleep(.3)\n"
        program += "    while True: os.write(3, b'[\"returned\", 5, [], []]\\n')\ndef f(x): return x"
        assert sandbox.run(program, "assert f(1) == 5").status == "wrong_answer"
        assert sandbox.run("def f(x): return x", "assert f(1) == 5").status == "wrong_answer"

    def test_a_copy_does_not_answer_for_the_program(self, sandbox):
        program = "import os, time\nif os.fork():\n    os._exit(0)\ntime.sleep(.1)\ndef f(x): return 5"
        assert sandbox.run(program, "assert f(1) == 5").status == "exited_early"

    @pytest.mark.parametrize(
        "tests",
        [
            "assert abs(f(1) - 918273645) < 1",
            "assert 918273645 in f(1)",
            "assert f(1) <= 5 and f(1) >= 918273645",
            "for got, want in zip(map(f, [1, 2]), [918273645, 0]): assert got == want",
            "try:\n    got = f(1)\nexcept Exception:\n    got = None\nassert got == 918273645",
            "try:\n    got = f(1)\nexcept BaseException:\n    pass\nelse:\n    assert got == 918273645",
        ],
    )
    @pytest.mark.parametrize(
        "program",
        [
            EQUAL_TO_ALL.format(base="") + "def f(x): return Equal()\ndef abs(x): return 0",
            EQUAL_TO_ALL.format(base="(float)") + "def f(x): return Equal(7)\ndef zip(*x): return []",
            "import os\ndef f(x): os._exit(0)",
            "import os\ndef f(x): os.write(3, b'nonsense\\n' * 99); os._exit(0)",
            "def f(x): raise StopIteration",
        ],
        ids=["object", "float", "exit", "nonsense", "stop"],
    )
    def test_no_way_of_comparing_is_open(self, sandbox, program, tests):
        if "StopIteration" in program and "BaseException" in tests:
            pytest.skip("tests that take any exception take this one")
        assert sandbox.run(program, tests).status not in ("pass", "sandbox_error")

    def test_an_operator_tells_nothing_of_what_is_expected(self, sandbox):
        program = """
seen = []
class Spy:
    def __getattr__(self, name): raise AttributeError
    def __eq__(self, other): seen.append(other)
    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __sub__ = __rsub__ = __add__ = __radd__ = __eq__
def f(): return Spy()
def told(): return seen
"""
        tests = """
for compare in ("a == 7", "a != 7", "a < 7", "7 in a", "a - 7", "7 + a"):
    try:
        eval(compare, {"a": f()})
    except BaseException:
        pass
with __test__: assert False, told()
with __test__: assert told() == []
"""
        outcome = next(sandbox.run_many([Job(program, tests, tests=2)]))
        assert outcome.tests == ("undecided", "pass") and "sandbox can't" in outcome.detail
