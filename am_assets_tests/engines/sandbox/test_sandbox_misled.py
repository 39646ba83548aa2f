"""A program that uses what its classes may do at the border to pass tests that it does not solve."""

# ruff: noqa: E501 - a program a line

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job

LIMITS = Code(timeout_seconds=2, memory_mb=256, processes=32, output_kb=64)
SECRET = 918273645
# Agrees to everything, in each way that an object may be asked.
LIAR = """
class Liar{base}:
    def __new__(cls, *a, **k): return {new}
    def __init__(self, *a, **k): pass
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def zero(self, *a): return 0
    __hash__ = __len__ = __int__ = __float__ = __index__ = __round__ = __abs__ = zero
    def same(self, *a): return self
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __mod__ = __xor__ = same
    __and__ = __or__ = __rand__ = __ror__ = __floordiv__ = __pow__ = __neg__ = __pos__ = __divmod__ = __iter__ = same
    def __next__(self): raise StopIteration
    def __bool__(self): return False
"""
PLAIN = LIAR.format(base="", new="object.__new__(cls)")
LIARS = {
    "an object": PLAIN + "def f(x): return Liar()",
    "the class itself": PLAIN.replace("Liar", "f"),
    "an int": LIAR.format(base="(int)", new="int.__new__(cls, 7)") + "def f(x): return Liar()",
    "a float": LIAR.format(base="(float)", new="float.__new__(cls, 7)") + "def f(x): return Liar()",
    "a str": LIAR.format(base="(str)", new="str.__new__(cls, 7)") + "def f(x): return Liar()",
    "a list": LIAR.format(base="(list)", new="list.__new__(cls)") + "def f(x): return Liar()",
    "a dict": LIAR.format(base="(dict)", new="dict.__new__(cls)") + "def f(x): return Liar()",
    "a tuple": LIAR.format(base="(tuple)", new="tuple.__new__(cls, (7,))") + "def f(x): return Liar()",
    "an exception": LIAR.format(base="(Exception)", new="Exception.__new__(cls, 7)") + "def f(x): return Liar()",
    "in a list": PLAIN + "def f(x): return [Liar()]",
    "a class that agrees": PLAIN.replace("class Liar:", "class Liar(type):").replace("object.__new__(cls)", "type.__new__(cls, 'L', (), {})") + "def f(x): return Liar()",
}  # fmt: skip
# Each is right of SECRET, and of nothing that a program may return without knowing it.
COMPARING = [
    "f(1) == {}", "{} == f(1)", "not f(1) != {}", "f(1) >= {} and f(1) <= {}", "abs(f(1) - {}) < 1", "not f(1) - {}",
    "abs({} - f(1)) < 1e-6", "f(1) in [{}]", "f(1) in ({}, 1)", "{} in [f(1)]", "f(1) in {{{}}}", "[f(1)] == [{}]",
    "(f(1), 1) == ({}, 1)", "{{'a': f(1)}} == {{'a': {}}}", "f(1) ^ {} == 0", "f(1) / {} == 1", "f(1) % {} == 0 and f(1) > 0",
    "round(f(1) - {}, 3) == 0", "math.isclose(f(1), {})", "int(f(1)) == {}", "float(f(1)) == {}", "sum([f(1), -{}]) == 0",
    "str(f(1)) == '{}'", "repr(f(1)) == str({})", "max(f(1), {}) == {} == min(f(1), {})", "f(1) is {} or f(1) == {}",
    "hash(f(1)) == hash({}) and f(1) == {}", "divmod(f(1), {}) == (1, 0)", "({}).__eq__(f(1)) is True", "operator.eq(f(1), {})",
    "sorted([f(1), {}]) == [{}, {}]", "collections.Counter([f(1)]) == {{{}: 1}}", "{{f(1): 1}}.get({}) == 1",
    "functools.reduce(lambda a, b: a == b, [f(1), {}]) is True", "bool(f(1)) and not bool(f(1) - {})",
    "{} in f(1)", "len([x for x in f(1) if x == {}]) == 1", "list(f(1)) == [{}]", "set(f(1)) == {{{}}}", "f(1)[0] == {}",
    "not set(f(1)) ^ {{{}}} and len(set(f(1)))", "isinstance(f(1), int) and f(1) == {}",
]  # fmt: skip
IMPORTS = "import collections, functools, math, operator\n"
# A program, and the tests that it does not solve.
MISLEADING = {
    "an alias of every exception": ("Bad = Exception\ndef f(x): pass", "try:\n  f(-1)\n  assert False\nexcept Bad: pass"),
    "an alias of a failed test": ("Bad = AssertionError\ndef f(x): pass", "try:\n  f(-1)\n  assert False\nexcept Bad: pass"),
    "a class above every exception": ("Bad = object\ndef f(x): pass", "try:\n  f(-1)\n  assert False\nexcept Bad: pass"),
    "an exception that claims to catch all": (
        "class All(type):\n  def __instancecheck__(c, x): return True\n  __subclasscheck__ = __instancecheck__\nclass Bad(Exception, metaclass=All): pass\ndef f(x): pass",
        "try:\n  f(-1)\n  assert False\nexcept Bad: pass",
    ),
    "suppresses what fails in its block": (
        "class P:\n  def __enter__(s): return s\n  def __exit__(s, *e): return True\n  x = 0", "with P() as p:\n  assert p.x == 1",
    ),
    "another class than the tests compare with": (
        "class P:\n  def __init__(s, x): s.x = x\n  def __eq__(s, o): return s.x == o.x\nclass L(P):\n  def __eq__(s, o): return True\ndef f(): return L(0)",
        "assert f() == P(5)",
    ),
    "a class for a function": (PLAIN.replace("Liar", "Mean"), f"assert abs(Mean(1) - {SECRET}) < 1"),
    "a class for a function, compared": (PLAIN.replace("Liar", "Mean"), f"assert Mean(1) == {SECRET}"),
    "a class for a function, in order": (PLAIN.replace("Liar", "Mean"), f"assert {SECRET} - 1 < Mean(1) < {SECRET} + 1"),
    "replaces a method of the tests": (
        "def f(p):\n  p.near = lambda o: True\n  return p",
        "class N:\n  def __init__(s, x): s.x = x\n  def near(s, o): return s.x == o.x\nassert f(N(1)).near(N(2))",
    ),
    "replaces a method of the tests' class": (
        "def f(p):\n  type(p).near = lambda s, o: True\n  return p",
        "class N:\n  def __init__(s, x): s.x = x\n  def near(s, o): return s.x == o.x\nassert f(N(1)).near(N(2))",
    ),
    "calms a mock": (
        "def f(m):\n  m.assert_called_once_with = print\n  m.configure_mock(assert_called_once_with=print)",
        "from unittest.mock import Mock\nm = Mock(); f(m); m.assert_called_once_with(7)",
    ),
    "reads the names of the tests": (
        "def f(g): return g.__globals__['expected']", "expected = 5\ndef g(): pass\nassert f(g) == expected",
    ),
    "reads the frame of a generator": (
        "def f(g): return g.gi_frame.f_globals['expected']", "expected = 5\nassert f(x for x in [1]) == expected",
    ),
    "reads by way of a class": (
        "def f(n): return type(n).get.__globals__['expected']", "expected = 5\nclass N:\n  def get(s): pass\nassert f(N()) == expected",
    ),
    "makes what the tests did not hand over": (
        "def f(s): return type(s)('x').getvalue()", "import io\nassert f(io.StringIO('y')) == 'x'",
    ),
    "a list whose content is a lie": (
        "class L(list):\n  def __eq__(s, o): return True\ndef f(): return L()", f"assert f() == [{SECRET}]",
    ),
    "a built-in for every import": ("def abs(x): return 0\ndef f(x): return 0", f"from solution import *\nassert abs(f(1) - {SECRET}) < 1"),
    "a module that the tests import": (
        "class math:\n  isclose = lambda *a: True\ndef f(x): return 0", f"import math\nfrom solution import *\nassert math.isclose(f(1), {SECRET})",
    ),
    "a module by its name": (
        "import types\ntools = types.ModuleType('os')\ndef f(x): return 0", "from solution import f, tools\nassert tools.getpid() > 0",
    ),
    "what a default is": (
        "import collections\nclass E:\n  def __eq__(s, o): return True\ndef f(x): return collections.defaultdict(E)", f"assert f(1)[2] == {SECRET}",
    ),
}  # fmt: skip
# What a program may write to the judge instead of an answer; none of it may end as a pass or bring the sandbox down.
FORGED = [
    ["returned", ["function", 1, "g", None, ["a=__import__('os')._exit(0)"], 0, None, [], None, None, None], [], []],
    ["returned", ["class", 900, "int", "builtins", [["type", "int"]], ["__eq__"]], [], []],
    ["returned", ["class", 901, "Refusal", "am_assets.engines.sandbox.guest.remote", [], []], [], []],
    ["returned", ["object", 902, ["class", 903, "X", "solution", [["type", "int"], ["type", "list"]], ["__eq__"]], 5], [], []],
    ["returned", ["object", -1, ["type", "AssertionError"], []], [], []], ["returned", ["awaitable", 904], [], []],
    ["raised", ["object", -1, ["type", "GeneratorExit"], []], "", None, [], []], ["raised", 5, "", None, [], []],
    ["raised", ["object", 905, ["class", 906, "S", "solution", [["type", "StopIteration"]], []], []], "", None, [], []],
    ["returned", ["defaultdict"], [], []], ["returned", ["defaultdict", 5], [], []],
    ["returned", ["own", 0], [], []], ["returned", ["own", -1], [], []], ["returned", ["module", "os"], [], []],
    ["returned", ["array", True, "|O", [1], "00"], [], []], ["call", [["own", 0]], {}, [], []], ["get", [["own", 0], "__globals__"], {}, [], []],
    ["returned", ["same", -1], [], []], ["returned", 0, [[0, ["list", ["same", 7]]]], []], ["returned", 0, [], [0, "x"]],
    ["apply", ["os.system", "true"], {}, [], []], ["special", [["type", "type"], "__call__", ["own", 0]], {}, [], []],
    ["special", [None, "__init__", ["own", 0]], {}, [], []], ["set", [["own", 0], "x", 1], {}, [], []], ["special", [], {}, [], []], ["get"], ["load", ["x"], {}, [], []],
]  # fmt: skip


class TestMisled:
    @pytest.mark.parametrize("liar", LIARS)
    def test_no_object_agrees_with_a_plain_value(self, sandbox, liar):
        jobs = [Job(LIARS[liar], f"{IMPORTS}assert {test.replace('{}', str(SECRET)).format()}") for test in COMPARING]
        ends = dict(zip(COMPARING, sandbox.run_many(jobs), strict=True))
        assert {test: end for test, end in ends.items() if end.status in ("pass", "sandbox_error")} == {}

    def test_they_can_be_passed(self, sandbox):
        right = f"class N(int):\n  def __getitem__(s, n): return {SECRET}\n  def __iter__(s): return iter([{SECRET}])\n"
        right += f"  def __contains__(s, n): return n == {SECRET}\ndef f(x): return N({SECRET})"
        plain = [f"def f(x): return {SECRET}", f"def f(x): return [{SECRET}]"]
        jobs = [
            Job(program, f"{IMPORTS}assert {test.replace('{}', str(SECRET)).format()}")
            for test in COMPARING
            for program in plain
        ]
        ends = [end.status for end in sandbox.run_many(jobs)]
        passed = ["pass" in ends[place : place + 2] for place in range(0, len(ends), 2)]
        assert [test for test, done in zip(COMPARING, passed, strict=True) if not done] == []

    @pytest.mark.parametrize("name", MISLEADING)
    def test_tests_are_not_misled(self, sandbox, name):
        outcome = sandbox.run(*MISLEADING[name])
        assert outcome.status not in ("pass", "sandbox_error"), outcome

    def test_what_is_forged(self, sandbox):
        program = "import os, json\ndef f(g): os.write(3, json.dumps({}).encode() + b'\\n'); return 0"
        tests = "def g(): return 5\nassert f(g) == 5"
        ends = list(sandbox.run_many([Job(program.replace("{}", repr(forged)), tests) for forged in FORGED]))
        assert [end for end in ends if end.status in ("pass", "sandbox_error")] == []
        assert sandbox.run("def f(g): return g()", tests).status == "pass"
