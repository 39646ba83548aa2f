"""Values on their way between a program and its tests."""

import pytest

from am_assets.config.instruments import Code

DEFAULTS = "from collections import defaultdict\n"
LIMITS = Code(timeout_seconds=2, memory_mb=256)
HOLDS = """
import contextlib, functools
class P:
    def __init__(self, v): self.v = v
class Box:
    def __init__(self, items): self.items = items
    def put(self, item): self.items.append(item)
    def count(self): return len(self.items)
    def all(self): return self.items
    def copy(self): return list(self.items)
    def run(self, g): g(self); self.items.append('end')
def walk(x):
    x.append('in')
    yield
    x.append('out')
    yield
@contextlib.contextmanager
def opened(x):
    x.append('in')
    yield
    x.append('out')
@functools.cache
def memo(n): return [n]
"""


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [
            "None", "True", "-3", "2**200", "10**5000", "1.5", "float('inf')", "1e-300", "3+4j", "'a\\ud800\\n'",
            "b'\\xff'", "bytearray(b'x')", "[1, [2, (3, {4: {5}})]]", "frozenset({1, (2,)})", "{'a': [], (1, 2): {}}",
            "range(2, 9, 3)", "collections.Counter('aab')", "collections.deque([1, 2])", "fractions.Fraction(1, 3)",
            "decimal.Decimal('1.10')", "collections.OrderedDict(a=1)", "int", "collections.defaultdict(list, a=[1])",
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
            ("def f(a): return len(a)", "assert f('x' * 9_000_000) == 9_000_000"),
            ("LIMIT = 7\nimport math", "assert LIMIT == 7 and math.floor(1.5) == 1"),
            ("def f(x): raise ValueError('no')",
             "try:\n  f(-1)\n  assert 0\nexcept ValueError as e: assert str(e) == 'no'"),
            ("class Odd(KeyError): pass\ndef f(): raise Odd", "try: f()\nexcept KeyError: pass\nelse: assert False"),
            ("def sum(a, b): return a * b", "assert sum(3, 4) == 12"),
            ("class N:\n  def __init__(s, v): s.v = v\ndef f(n): return n.next.v",
             "a, b = N(1), N(2)\na.next = b\nassert f(a) == 2 and a.next is b"),
            ("class S(str): pass\ndef f(): return S('x')", "assert f() == 'x' and type(f()) is str"),
            ("from collections import defaultdict\ndef f():\n  d = defaultdict(int); d['a'] += 1; return d",
             "assert f() == {'a': 1} and f()['b'] == 0"),
            ("def f(d, k): d[k].append(k)", f"{DEFAULTS}d = defaultdict(list)\nf(d, 1)\nassert d == {{1: [1]}}"),
            ("def f(d, k): return d[k] + 1", f"{DEFAULTS}assert f(defaultdict(lambda: 4), 1) == 5"),
            ("import collections\ndef f(): return collections.defaultdict(f)", "assert f()[1][2] == {}"),
        ],
    )  # fmt: skip
    def test_usual_ways_of_testing_work(self, sandbox, program, tests):
        assert sandbox.run(program, tests).status == "pass"

    @pytest.mark.parametrize(
        ("program", "tests", "status"),
        [
            ("def f(a): return a", "x = [1]\nassert f(x) is x", "pass"),
            ("def f(a): return a", "x = [1]\nassert f(x) is not x", "wrong_answer"),
            ("def f(a): return a[:]", "x = [[1]]\ny = f(x)\ny[0].append(2)\nassert x == [[1]]", "wrong_answer"),
            ("import copy\ndef f(a): return copy.deepcopy(a)",
             "x = [[1]]\ny = f(x)\ny[0].append(2)\nassert x == [[1]]", "pass"),
            ("def f(n): return [[0] * n] * n", "m = f(2)\nm[0][0] = 1\nassert m[1][0] == 0", "wrong_answer"),
            ("def f(n): return [[0] * n for _ in range(n)]", "m = f(2)\nm[0][0] = 1\nassert m[1][0] == 0", "pass"),
            ("def f(a): a.append(1)", "x = []\nf(a=x)\nassert x == [1]", "pass"),
            ("def f(a): a.append(1)", "x = []\nf(a=x)\nassert x == []", "wrong_answer"),
            ("def f(a): a[0]['k'] = 1", "x = {}\nf([x])\nassert x == {'k': 1}", "pass"),
            ("def f(a): a[0].append(1)", "x = ([],)\nf(x)\nassert x == ([1],)", "pass"),
            ("def f(a): a[0], a[1] = a[1], a[0]", "x, y = [1], [2]\nz = [x, y]\nf(z)\nassert z[0] is y", "pass"),
            ("def f(a, b):\n  a.append(1)\n  return len(b)", "x = []\nassert f(x, x) == 1", "pass"),
            ("def f(a):\n  a.append(1)\n  raise ValueError",
             "x = []\ntry: f(x)\nexcept ValueError: assert x == [1]\nelse: assert False", "pass"),
            ("def f(a):\n  a.append(1)\n  raise ValueError",
             "x = []\ntry: f(x)\nexcept ValueError: assert x == []\nelse: assert False", "wrong_answer"),
            ("def f(d, k): return d.get(k)", f"{DEFAULTS}d = defaultdict(list)\nf(d, 1)\nassert d == {{1: []}}",
             "wrong_answer"),
            ("def f(d, k): return d[k]", "assert f({}, 1) is None", "exception"),
            ("def f(a): return a[0] is a", "x = []\nx.append(x)\nassert f(x)", "undecided"),
            ("def f(a): return [a]", "x = []\nx.append(x)\nassert f(1) == [2] or f(x)", "undecided"),
            ("def f(a):\n  a.append(a)\n  return a", "assert f([]) == [[]]", "exception"),
        ],
    )  # fmt: skip
    def test_what_a_call_is_given_and_gives_back_is_one_on_both_sides(self, sandbox, program, tests, status):
        assert sandbox.run(program, tests).status == status

    @pytest.mark.parametrize(
        ("tests", "status"),
        [
            ("x = []\nbox = Box(x)\nbox.put(1)\nassert x == [1]", "pass"),
            ("x = []\nbox = Box(x)\nbox.put(1)\nassert x == []", "wrong_answer"),
            ("x = []\nbox = Box(x)\nx.append(1)\nassert box.count() == 1", "pass"),
            ("x = []\na, b = Box(x), Box(x)\na.put(1)\nb.put(2)\nassert x == [1, 2] == a.items == b.items", "pass"),
            ("box = Box([])\nbox.all().append(1)\nassert box.count() == 1", "pass"),
            ("box = Box([])\nbox.all().append(1)\nassert box.all() == []", "wrong_answer"),
            ("box = Box([])\nbox.copy().append(1)\nassert box.all() == []", "pass"),
            ("x = []\nsteps = walk(x)\nnext(steps), next(steps)\nassert x == ['in', 'out']", "pass"),
            ("x = []\nwith opened(x): assert x == ['in']\nassert x == ['in', 'out']", "pass"),
            ("x = []\nBox(x).run(lambda box: box.put(1))\nassert x == [1, 'end']", "pass"),
            ("x = []\nbox = Box(x)\nbox.put(P(3))\nassert x[0].v == 3", "pass"),
            ("for n in range(300): assert Box([n]).all() == [n] and memo(n) == [n]", "pass"),
            (
                "x = [[0] * 100] * 100\nbox = Box(x)\nfor n in range(100): assert box.count() == 100",
                "pass",
            ),
        ],
    )
    def test_what_both_sides_hold_of_earlier_calls_is_one(self, sandbox, tests, status):
        assert sandbox.run(HOLDS, tests).status == status
