"""A right program does not fail for the border between it and its tests, and a wrong one does not pass by it."""

# ruff: noqa: E501 - a program a line

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job

LIMITS = Code(timeout_seconds=4, memory_mb=256, processes=32, output_kb=64)
P = """
class P:
    made = 0
    def __init__(self, x): self.x = x
    def __eq__(self, other): return isinstance(other, P) and self.x == other.x
    def __hash__(self): return hash(self.x)
    def __lt__(self, other): return self.x < other.x
    def __add__(self, other): return P(self.x + other.x)
    def __mul__(self, n): return P(self.x * n)
    __rmul__ = __mul__
    def __iadd__(self, other):
        self.x += other.x
        return self
    def __neg__(self): return P(-self.x)
    def __abs__(self): return abs(self.x)
    def __contains__(self, n): return n == self.x
    def __repr__(self): return f"P({self.x})"
    def __len__(self): return self.x
    def __getitem__(self, n): return range(self.x)[n]
    def __setitem__(self, n, value): self.x = value
    def __bool__(self): return self.x != 0
    def __call__(self, y): return self.x + y
    def __enter__(self): return self
    def __exit__(self, *error): self.x = -1
    @property
    def double(self): return 2 * self.x
    @classmethod
    def of(cls, text): return cls(int(text))
    @staticmethod
    def twice(n): return 2 * n
class Q(P): pass
"""
# Tests of the class P, each right.
OF_P = [
    "P(1) == P(1) and not P(1) != P(1) and P(1) != P(2)", "P(1) != None and P(1) is not None", "P(1) < P(2) > P(1)",
    "sorted([P(3), P(1)]) == [P(1), P(3)]", "min(P(3), P(1)) == P(1)", "P(1) + P(2) == P(3)", "-P(1) == P(-1)",
    "P(2) * 3 == P(6) and 3 * P(2) == P(6)", "(P(2) * 3).x == 6", "sum([P(1), P(2)], P(0)) == P(3)", "abs(P(-3)) == 3",
    "3 in P(3) and 4 not in P(3)", "P(3) in [P(1), P(3)]", "repr(P(1)) == 'P(1)' == str(P(1)) == f'{P(1)}'",
    "len(P(3)) == 3 and list(P(3)) == [0, 1, 2] and P(3)[1] == 1 and P(3)[-1] == 2", "not P(0) and P(1)",
    "P(1)(2) == 3 and callable(P(1))", "isinstance(P(1), P) and not isinstance(P(1), Q) and isinstance(Q(1), P)",
    "issubclass(Q, P) and type(Q(1)) is Q and type(P(1)) == P", "type(P(1)).__name__ == 'P' == P(1).__class__.__name__",
    "hasattr(P(1), 'x') and not hasattr(P(1), 'y') and getattr(P(1), 'y', 5) == 5", "P(4).double == 8",
    "P.of('7').x == 7 and P.twice(4) == 8 and P.made == 0", "{P(1), P(1), P(2)} == {P(2), P(1)}",
    "{P(1): 'a'}[P(1)] == 'a' and hash(P(1)) == hash(P(1))", "P(1).__dict__ == vars(P(1)) == {'x': 1}",
    "[P(1), (P(2), {'k': P(3)})] == [P(1), (P(2), {'k': P(3)})]", "copy.deepcopy(P(1)) == copy.copy(P(1)) == P(1)",
    "(lambda p, q: p is p and p is not q)(P(1), P(1))", "dict(a=P(1)) == {'a': P(1)}", "'x' in dir(P(1))",
]  # fmt: skip
# Right programs with their tests, by what they need of the border.
RIGHT = {
    "statements on an object": (P, """
p = P(1); p.x = 5; assert p.x == 5; p += P(2); assert p.x == 7; p[0] = 3; assert p.x == 3
with P(1) as p:
    assert p.x == 1
assert p.x == -1
P.made = 4; assert P(1).made == 4
del p.x; assert not hasattr(p, 'x')
try:
    P(1) < 'a' if False else P(1) + None
except (AttributeError, TypeError): pass
else: assert False
"""),
    "own exceptions": ("class Bad(ValueError):\n  def __init__(s, why, code=3): super().__init__(why); s.code = code\n"
        "class Worse(Bad): pass\ndef f(x):\n  if x: raise Worse('no', 7) from KeyError('k')\n  raise KeyError('gone')", """
try: f(1)
except Bad as error: assert str(error) == 'no' and error.code == 7 and error.args == ('no',) and type(error) is Worse
else: assert False
try: f(1)
except ValueError as error: assert isinstance(error.__cause__, KeyError)
try: f(0)
except Bad: assert False
except KeyError as error: assert error.args == ('gone',)
try: raise Bad('mine')
except Bad as error: assert error.code == 3
assert issubclass(Worse, Exception)
"""),
    "exceptions of the library": ("import json\ndef f(x): return json.loads(x)", """
import json
try: f('{')
except json.JSONDecodeError as error: assert isinstance(error, ValueError)
else: assert False
"""),
    "a dataclass": ("from dataclasses import dataclass, field\n@dataclass(order=True)\nclass D:\n  a: int\n  b: list = field(default_factory=list)", """
import dataclasses
assert D(1) == D(1, []) and D(1) != D(2) and D(1) < D(2) and repr(D(1)) == 'D(a=1, b=[])'
assert dataclasses.asdict(D(1, [2])) == {'a': 1, 'b': [2]} and dataclasses.is_dataclass(D)
d = D(1); d.b.append(4); assert d.b == [4] and dataclasses.replace(d, a=2).a == 2
assert [field.name for field in dataclasses.fields(D)] == ['a', 'b']
try: hash(D(1))
except TypeError: pass
else: assert False
"""),
    "a frozen dataclass": ("from dataclasses import dataclass\n@dataclass(frozen=True)\nclass D:\n  a: int", """
import dataclasses
assert {D(1), D(1)} == {D(1)}
try: D(1).a = 2
except dataclasses.FrozenInstanceError: pass
else: assert False
"""),
    "a named tuple": ("from collections import namedtuple\nN = namedtuple('N', 'a b')\ndef f(): return N(1, 2)", """
assert f() == (1, 2) and f().a == 1 and f().b == 2 and f()[1] == 2 and f()._fields == ('a', 'b')
a, b = f(); assert (a, b) == N(1, 2) and isinstance(f(), tuple) and isinstance(f(), N) and f()._replace(a=5) == (5, 2)
assert repr(f()) == 'N(a=1, b=2)' and f()._asdict() == {'a': 1, 'b': 2} and (1, 2) == f() and f() < (2, 0)
"""),
    "enumerations": ("from enum import Enum, IntEnum\nclass C(Enum):\n  A = 1\n  B = 'x'\nclass I(IntEnum):\n  ONE = 1\ndef f(): return C.A", """
import enum
assert f() == C.A and f() is C.A and C.A != C.B and C(1) is C.A and C['B'].value == 'x' and C.A.name == 'A'
assert list(C) == [C.A, C.B] and len(C) == 2 and {C.A: 1}[C.A] == 1 and isinstance(C.A, C) and f() in C
assert I.ONE == 1 and I.ONE + 1 == 2 and str(C.A) == 'C.A' and f() in (C.A, C.B) and isinstance(C.A, enum.Enum)
"""),
    "types derived from plain ones": ("class Stack(list):\n  def push(self, x): self.append(x)\nclass Name(str):\n  def shout(self): return self.upper() + '!'\n"
        "class Celsius(float):\n  @property\n  def f(self): return self * 9 / 5 + 32\nclass Bag(dict):\n  def __missing__(self, key): return 0", """
import math
s = Stack([1]); s.push(2); s.append(3)
assert s == [1, 2, 3] and [1, 2, 3] == s and len(s) == 3 and s[0] == 1 and list(s) == [1, 2, 3] and 2 in s and s + [4] == [1, 2, 3, 4]
assert isinstance(s, list) and isinstance(s, Stack) and s != [1] and not Stack() and sorted(s) == [1, 2, 3]
assert Name('a') == 'a' and Name('a').shout() == 'A!' and Name('a') + 'b' == 'ab' and isinstance(Name('a'), str)
assert Celsius(100).f == 212 and Celsius(1) == 1.0 and math.sqrt(Celsius(4)) == 2
b = Bag(a=1); assert b['a'] == 1 and b['z'] == 0 and b == {'a': 1} and 'z' not in b and dict(b) == {'a': 1}
"""),
    "iterators and generators": ("def g(n):\n  got = yield n\n  yield got\nclass It:\n  def __init__(s): s.n = 0\n  def __iter__(s): return s\n  def __next__(s):\n"
        "    s.n += 1\n    if s.n > 3: raise StopIteration\n    return s.n", """
import types, inspect
i = g(3); assert next(i) == 3 and i.send(5) == 5 and isinstance(i, types.GeneratorType) and inspect.isgenerator(i)
assert list(It()) == [1, 2, 3] and sum(It()) == 6 and next(iter(It())) == 1 and 2 in It() and next(g(0)) == 0
i = It()
for _ in range(3): next(i)
try: next(i)
except StopIteration: pass
else: assert False
assert next(i, 'end') == 'end'
"""),
    "dates": ("from datetime import date, datetime, timedelta\ndef f(): return date(2020, 1, 2), datetime(2020, 1, 2, 3), timedelta(days=1)\ndef g(d): return d + timedelta(1)", """
from datetime import date, datetime, timedelta, timezone
assert f() == (date(2020, 1, 2), datetime(2020, 1, 2, 3), timedelta(1)) and f()[0].year == 2020
assert g(date(2020, 1, 1)) == f()[0] and g(datetime(2020, 1, 1, tzinfo=timezone.utc)).day == 2
"""),
    "printing that the tests collect": ("import sys\ndef f(n):\n  for k in range(n): print('line', k)\n  print('oops', file=sys.stderr)", """
import contextlib, io, sys
from unittest.mock import patch
out = io.StringIO()
with contextlib.redirect_stdout(out): f(2)
assert out.getvalue() == 'line 0\\nline 1\\n'
f(1); assert out.getvalue() == 'line 0\\nline 1\\n'
with patch('sys.stdout', new_callable=io.StringIO) as other: f(1)
assert other.getvalue() == 'line 0\\n'
old, sys.stdout = sys.stdout, io.StringIO()
f(1); text = sys.stdout.getvalue(); sys.stdout = old
assert text == 'line 0\\n'
err = io.StringIO()
with contextlib.redirect_stderr(err): f(0)
assert err.getvalue() == 'oops\\n'
with patch('builtins.print') as printed: f(1)
assert printed.call_count == 2 and printed.call_args_list[0].args == ('line', 0)
"""),
    "patched input, time and own functions": ("import time, random\ndef helper(): return 1\ndef f(): return int(input('n? ')) + helper()\ndef g():\n  time.sleep(100)\n  return time.time(), random.randint(1, 6)", """
import io
from unittest.mock import patch, MagicMock
with patch('builtins.input', return_value='4'): assert f() == 5
with patch('builtins.input', side_effect=['4', '5']) as asked: assert f() == 5 and f() == 6
asked.assert_called_with('n? ')
with patch('solution.helper', return_value=10), patch('builtins.input', lambda _: '1'): assert f() == 11
with patch('sys.stdin', io.StringIO('7\\n')): assert f() == 8
with patch('time.sleep') as slept, patch('time.time', return_value=5.0), patch('random.randint', return_value=6): assert g() == (5.0, 6)
slept.assert_called_once_with(100)
"""),
    "the same seed": ("import random\ndef f(): return random.random()", """
import random
random.seed(3); expected = random.random()
random.seed(3); assert f() == expected
"""),
    "coroutines": ("import asyncio\nasync def f(x, log=None):\n  await asyncio.sleep(.01)\n  return x\nasync def fails(): raise ValueError('no')\nleft = []\nasync def stays():\n  try: await asyncio.sleep(60)\n  finally: left.append('left')\nasync def g():\n  for k in range(3): yield k\n"
        "class Box:\n  async def __aenter__(s): return s\n  async def __aexit__(s, *e): pass\n  async def get(s): return 5\n"
        "first = None\nasync def meet(n):\n  global first\n  if first is None:\n    first = asyncio.get_running_loop().create_future()\n    return n + await first\n  first.set_result(n); return n", """
import asyncio
assert asyncio.run(f(3)) == 3
async def all(): return await asyncio.gather(f(1), f(2))
assert asyncio.run(all()) == [1, 2]
async def both(): return await asyncio.gather(meet(1), meet(2))
assert asyncio.run(both()) == [3, 2]
async def late():
    for limit in (.05, 5):
        try: assert await asyncio.wait_for(f(7) if limit > 1 else stays(), limit) == 7
        except TimeoutError: assert limit < 1
        else: assert limit > 1
    task = asyncio.ensure_future(stays()); await asyncio.sleep(0); task.cancel()
    try: await task
    except asyncio.CancelledError: pass
    else: assert False
asyncio.run(late()); assert left == ['left', 'left']
async def more():
    try: await fails()
    except ValueError as error: assert str(error) == 'no'
    else: assert False
    async with Box() as box: assert await box.get() == 5
    return [k async for k in g()]
assert asyncio.run(more()) == [0, 1, 2]
"""),
    "objects of the tests": ("def last(head):\n  while head.next: head = head.next\n  return head.val\ndef reverse(head):\n  before = None\n  while head:\n    head.next, before, head = before, head, head.next\n  return before\n"
        "def area(shapes): return sum(s.area() for s in shapes)\ndef text(x): return str(x) + repr(x)\ndef total(xs): return sum(xs)\ndef kind(x): return type(x).__name__", """
class N:
    def __init__(self, val, next=None): self.val, self.next = val, next
    def __repr__(self): return f'N{self.val}'
    def area(self): return self.val
n = N(1, N(2, N(3)))
assert last(n) == 3 and area([N(1), N(2)]) == 3 and text(n) == 'N1N1' and kind(n) == 'N'
r = reverse(n); assert r.val == 3 and r.next.val == 2 and r.next.next is n and n.next is None
assert total(x for x in [1, 2]) == 3 and total(iter([4])) == 4 and total({1: 2}.keys()) == 1
"""),
    "functions of the tests": ("import functools, inspect\ndef twice(f):\n  @functools.wraps(f)\n  def g(*a, **k): return 2 * f(*a, **k)\n  return g\n"
        "def curry(f):\n  n = f.__code__.co_argcount\n  def step(*a): return f(*a) if len(a) == n else lambda *b: step(*a, *b)\n  return step\n"
        "def count(f): return len(inspect.signature(f).parameters)\ndef compose(*fs): return lambda x: functools.reduce(lambda v, f: f(v), fs, x)\n"
        "def catch(f):\n  try: return f()\n  except ValueError as error: return str(error)", """
@twice
def h(x, y=1):
    'Adds.'
    return x + y
assert h(1) == 4 and h(1, y=2) == 6 and h.__name__ == 'h' and h.__doc__ == 'Adds.'
assert curry(lambda a, b, c: a + b + c)(1)(2)(3) == 6 and count(lambda a, *, b=1: 0) == 2
assert compose(lambda x: x + 1, str, len)(9) == 2
def bad(): raise ValueError('no')
assert catch(bad) == 'no'
import inspect
assert list(inspect.signature(twice).parameters) == ['f']
"""),
    "functions with attributes": ("import functools\n@functools.lru_cache(None)\ndef fib(n): return n if n < 2 else fib(n-1) + fib(n-2)\ndef f(): f.calls += 1\nf.calls = 0\n", """
assert fib(30) == 832040 and fib.cache_info().hits > 0
f(); f(); assert f.calls == 2 and f.__name__ == 'f'
"""),
    "lists that objects hold": ("class Tree:\n  def __init__(s, v): s.v, s.kids, s.tags = v, [], {}\n  def total(s): return s.v + sum(k.total() for k in s.kids)", """
t = Tree(1); t.kids.append(Tree(2)); t.tags['a'] = [1]
assert t.total() == 3 and len(t.kids) == 1 and t.kids[0].v == 2 and t.tags == {'a': [1]}
"""),
    "abstract classes and generics": ("from abc import ABC, abstractmethod\nfrom typing import Generic, TypeVar\nT = TypeVar('T')\nclass Shape(ABC):\n  @abstractmethod\n  def area(self): ...\n"
        "class Square(Shape):\n  def __init__(s, a): s.a = a\n  def area(s): return s.a ** 2\nclass Box(Generic[T]):\n  def __init__(s, v): s.v = v", """
try: Shape()
except TypeError: pass
else: assert False
assert Square(2).area() == 4 and isinstance(Square(2), Shape) and Box[int](3).v == 3 and Box(4).v == 4
match Square(3):
    case Shape(a=3): pass
    case _: assert False
"""),
    "context managers of functions": ("import contextlib\nlog = []\n@contextlib.contextmanager\ndef tag(name):\n  log.append(name)\n  try: yield name\n  finally: log.append('/' + name)\n"
        "class quiet:\n  def __enter__(s): return s\n  def __exit__(s, kind, *a): return kind is not None and issubclass(kind, KeyError)\ndef seen(): return log", """
with tag('b') as name: assert name == 'b'
assert seen() == ['b', '/b']
with quiet(): raise KeyError('x')
try:
    with quiet(): raise ValueError
except ValueError: pass
else: assert False
"""),
    "threads of the tests": ("total = [0]\nclass Sum:\n  def __init__(s): s.n = 0\n  def add(s, x): s.n += x\ndef f(x): return x * x", """
import threading
from concurrent.futures import ThreadPoolExecutor
s = Sum(); threads = [threading.Thread(target=lambda: [s.add(1) for _ in range(20)]) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
with ThreadPoolExecutor(4) as pool: assert s.n == 80 and list(pool.map(f, range(30))) == [n * n for n in range(30)]
"""),
    "slices, and queues of a length": ("import collections\nclass V:\n  def __init__(s, a): s.a = a\n  def __getitem__(s, n): return V(s.a[n]) if isinstance(n, slice) else s.a[n]\n"
        "def last(n): return collections.deque([0], maxlen=n)\ndef push(d): d.append(9)", """
import collections
v = V([1, 2, 3, 4]); assert v[1:3].a == [2, 3] and v[::-1].a == [4, 3, 2, 1] and v[1:][0] == 2
d = last(2); d.append(1); d.append(2); assert list(d) == [1, 2] and d.maxlen == 2 and last(None).maxlen is None
d = collections.deque([1, 2], maxlen=2); push(d); assert list(d) == [2, 9]
"""),
    "descriptors and mixins used by a class of the tests": ("class Positive:\n  def __set_name__(s, owner, name): s.name = '_' + name\n  def __get__(s, o, owner=None): return getattr(o, s.name)\n"
        "  def __set__(s, o, v):\n    if v < 0: raise ValueError\n    setattr(o, s.name, v)", None),
    "a class that the tests derive from": ("class Animal:\n  def __init__(s, name): s.name = name\n  def hello(s): return s.name + s.sound()", None),
}  # fmt: skip
BEYOND = {  # what the border can't carry is no failure
    "descriptors and mixins used by a class of the tests": "class A:\n  x = Positive()\na = A(); a.x = 3; assert a.x == 3",
    "a class that the tests derive from": "class Dog(Animal):\n  def sound(s): return '!'\nassert Dog('d').hello() == 'd!'",
}


class TestRight:
    def test_of_a_class_each(self, sandbox):
        jobs = [Job(P, f"import copy\nassert {test}") for test in OF_P]
        ends = dict(zip(OF_P, sandbox.run_many(jobs), strict=True))
        assert {test: end for test, end in ends.items() if end.status != "pass"} == {}

    def test_of_a_class_wrong(self, sandbox):
        """The same tests of a class that remembers nothing fail, or can not be told; but for those it does not matter."""
        jobs = [Job(P.replace("self.x = x", "self.x = 11"), f"import copy\nassert not ({test})") for test in OF_P]
        ends = dict(zip(OF_P, sandbox.run_many(jobs), strict=True))
        assert {end.status for end in ends.values()} <= {"pass", "wrong_answer", "exception"}
        jobs = [Job(P, f"import copy\nassert not ({test})") for test in OF_P]
        ends = dict(zip(OF_P, sandbox.run_many(jobs), strict=True))
        assert {test: end for test, end in ends.items() if end.status != "wrong_answer"} == {}

    @pytest.mark.parametrize("name", [name for name in RIGHT if name not in BEYOND])
    def test_passes(self, sandbox, name):
        program, tests = RIGHT[name]
        outcome = sandbox.run(program, tests)
        assert outcome.status == "pass", outcome.detail
        assert sandbox.run(program, f"{tests}\nassert False").status == "wrong_answer"

    @pytest.mark.parametrize(
        ("program", "tests", "why"),
        [
            ("from array import array\ndef f(): return array('i', [1])",
             "from array import array\nassert f() == array('i', [1])", "compare a"),
            ("def named(c):\n  c.__repr__ = lambda s: 'x'\n  return c",
             "@named\nclass A: pass\nassert repr(A()) == 'x'", "let the program set __repr__"),
            ("class N: pass", "import weakref\nn = N()\nassert weakref.ref(n)() is n", "end the life of"),
            ("log = []\nclass N:\n  def __del__(s): log.append(1)", "n = N()\ndel n\nassert log == [1]", "end the life of"),
            ("import threading\ngo = threading.Event()\ndef waits(): go.wait()\ndef tells(): go.set()",
             "import threading\nt = threading.Thread(target=waits)\nt.start()\ntells()\nassert not t.join(9)", "let one thread"),
        ],
    )  # fmt: skip
    def test_what_can_not_be_carried_is_no_failure(self, sandbox, program, tests, why):
        outcome = sandbox.run(program, tests)
        assert outcome.status == "undecided" and f"sandbox can't {why}" in outcome.detail
