"""Values on their way between a program and its tests."""

import pytest

from am_assets.config.instruments import Code

LIMITS = Code(timeout_seconds=2, memory_mb=256)


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [
            "None", "True", "-3", "2**200", "10**5000", "1.5", "float('inf')", "1e-300", "3+4j", "'a\\ud800\\n'",
            "b'\\xff'", "bytearray(b'x')", "[1, [2, (3, {4: {5}})]]", "frozenset({1, (2,)})", "{'a': [], (1, 2): {}}",
            "range(2, 9, 3)", "collections.Counter('aab')", "collections.deque([1, 2])", "fractions.Fraction(1, 3)",
            "decimal.Decimal('1.10')", "collections.OrderedDict(a=1)", "int",
        ],
    )  # fmt: skip
    def test_each_type_comes_back_as_it_was(self, sandbox, value):
        tests = "import collections, decimal, fractions\n"
        tests += f"value = {value}\nassert same(value) == value and type(same(value)) is type(value)\n"
        assert sandbox.run("def same(x): return x", tests).status == "pass"

    @pytest.mark.parametrize(
        ("program", "tests"),
        [
            ("def f(a): a.sort()", "x = [3, 1]\nf(x)\nassert x == [1, 3]"),
            ("def f(a): a['k'] = [1]", "x = {}\nassert f(x) is None and x == {'k': [1]}"),
            ("def f(a): a[0][0] = 9", "x = [[1], 2]\nf(x)\nassert x == [[9], 2]"),
            ("def f(): yield from range(5)", "assert list(f()) == [0, 1, 2, 3, 4] and sum(f()) == 10"),
            ("def f(g, xs): return [g(x) for x in xs]", "assert f(lambda x: x + 1, [1, 2]) == [2, 3]"),
            ("LIMIT = 7\nimport math", "assert LIMIT == 7 and math.floor(1.5) == 1"),
            ("def f(x): raise ValueError('no')",
             "try:\n  f(-1)\n  assert 0\nexcept ValueError as e: assert str(e) == 'no'"),
            ("class Odd(KeyError): pass\ndef f(): raise Odd", "try: f()\nexcept KeyError: pass\nelse: assert False"),
            ("def sum(a, b): return a * b", "assert sum(3, 4) == 12"),
            ("class N:\n  def __init__(s, v): s.v = v\ndef f(n): return n.next.v",
             "a, b = N(1), N(2)\na.next = b\nassert f(a) == 2 and a.next is b"),
            ("class S(str): pass\ndef f(): return S('x')", "assert f() == 'x' and type(f()) is str"),
            ("from collections import defaultdict\ndef f():\n  d = defaultdict(int); d['a'] += 1; return d",
             "assert f() == {'a': 1}"),
        ],
    )  # fmt: skip
    def test_usual_ways_of_testing_work(self, sandbox, program, tests):
        assert sandbox.run(program, tests).status == "pass"
