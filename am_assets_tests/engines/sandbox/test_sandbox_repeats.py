"""Scripts whose runs share a process: no test comes out otherwise than in processes of their own."""

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job, Sandbox
from am_assets.engines.sandbox.guest.repeats import repeatable

LIMITS = Code(timeout_seconds=2, memory_mb=256, printed_kb=64)
ALONE = "\nimport gc"  # in a program, which then has a new process for each run
SUM = "input(); print(sum(map(int, input().split())))"
PROCESS = "import os; print(os.getpid())"

# Programs that print the sum of a line of numbers behind a line with their count, if each run is like the first.
RIGHT = [
    SUM,
    "d = open(0).read().split()\nprint(sum(map(int, d[1:])))",
    "import sys\nd = sys.stdin.buffer.read().split()\nsys.stdin.close()\nsys.stdout.write(str(sum(map(int, d[1:]))))",
    "import os, sys\nos.dup2(os.open('/dev/null', os.O_RDONLY), 3)\nd = os.read(0, 9999).split()\nos.close(0)\n"
    "os.write(1, b'%d' % sum(map(int, d[1:])))\nos.close(1)",
    "import io, os, sys\nsys.stdin = io.BytesIO(os.read(0, 9999))\nsys.stdout = io.StringIO()\n"
    "sys.stdin.readline()\ntotal = sum(map(int, sys.stdin.readline().split()))\nos.write(1, str(total).encode())",
    "import sys\nassert sys.getrecursionlimit() == 1000\nsys.setrecursionlimit(10**6)\n"
    f"sys.set_int_max_str_digits(0)\n{SUM}",
    f"{SUM}\nexit()",
    f"import sys\n{SUM}\nsys.stdout.close()",
    f"import atexit, io, sys\nsys.stdout = io.StringIO()\n"
    f"atexit.register(lambda: sys.__stdout__.write(sys.stdout.getvalue()))\n{SUM}",
    f"import threading\nthreading.stack_size(1 << 29)\ndef main(): {SUM}\nthreading.Thread(target=main).start()",
    f"from concurrent.futures import ThreadPoolExecutor\nimport time\nwith ThreadPoolExecutor(16) as pool:\n"
    f"    list(pool.map(time.sleep, [.1] * 16))\n{SUM}",
    f"{SUM}\nimport sys\nsys.exit(0)",
    "import os, sys\ninput()\nsys.stdout.write(str(sum(map(int, input().split()))))\nsys.stdout.flush()\nos._exit(0)",
    "import os\ninput()\nxs = list(map(int, input().split()))\nif os.fork() == 0: os._exit(0)\nprint(sum(xs))",
    "import os, time\ninput()\nxs = list(map(int, input().split()))\n"
    "if os.fork() == 0:\n    time.sleep(9)\nprint(sum(xs))",
    "import os\nnumber = int(os.environ.get('RUNS', 0))\nos.environ['RUNS'] = '1'\n"
    f"{SUM}\nif number: print(number)",
    "import functools\n@functools.cache\ndef total(): return sum(map(int, input().split()))\ninput(); print(total())",
    "class Tree:\n    def __init__(self): self.me, self.data = self, [0] * 10**6\nTree()\n" + SUM,
    "import numpy as np\nimport sys\nprint(int(np.array(sys.stdin.read().split()[1:], dtype=int).sum()))",
    "import random\nrandom.seed(len(input()))\nprint(sum(map(int, input().split())))",
    "try:\n    runs += 1\nexcept NameError:\n    runs = 0\n" + SUM + "\nif runs: print('again')",
    "import collections\ncollections.runs = getattr(collections, 'runs', 0) + 1\n" + SUM
    + "\nif collections.runs > 1: print('again')",
    "import queue\nq = queue.Queue()\ninput()\nfor x in map(int, input().split()): q.put(x)\nprint(sum(q.queue))",
]  # fmt: skip
# Programs that do so at first, and fail in one way or another at some later input.
WRONG = [
    "n = int(input())\nxs = list(map(int, input().split()))\nprint(sum(xs) if n < 3 else 0)",
    "n = int(input())\nprint(sum(map(int, input().split())) if n < 3 else 1 // 0)",
    "n = int(input())\nprint(sum(map(int, input().split())))\nif n > 2: raise SystemExit('no')",
    "import os\nn = int(input())\nprint(sum(map(int, input().split())))\nif n > 2: os._exit(3)",
    "import os\nn = int(input())\nprint(sum(map(int, input().split())), flush=True)\nif n > 2: os.abort()",
    "n = int(input())\nxs = list(map(int, input().split()))\nif n > 2: xs = [0] * 10**9\nprint(sum(xs))",
    "n = int(input())\nprint(sum(map(int, input().split())))\nif n > 2: print('x' * 10**6)",
    "n = int(input())\nprint(sum(map(int, input().split())))\nwhile n > 2: pass",
    "print(sum(map(int, input().split())))",
    "input()\nprint(sum(map(int, input().split())\n",
]  # fmt: skip


def marked(*lists: list[int]) -> str:
    given = enumerate(f"{len(xs)}\n{' '.join(map(str, xs))}\n" for xs in lists)
    test = "if __test__({0}):\n    with __test__:\n        assert run_program({1!r}).strip() == {2!r}\n"
    return "".join(test.format(number, text, str(sum(xs))) for (number, text), xs in zip(given, lists, strict=True))


LISTS = [[10**9, 5], [1], [7, 7, 7], [2, 3], [4]]


def job(program: str) -> Job:
    return Job(program, marked(*LISTS), is_script=True, tests=len(LISTS))


def test_right_programs_pass_whatever_they_do_to_their_process(sandbox: Sandbox) -> None:
    told = {program: outcome.tests for program, outcome in zip(RIGHT, sandbox.run_many(map(job, RIGHT)), strict=True)}
    assert told == dict.fromkeys(RIGHT, ("pass",) * len(LISTS))


def test_wrong_programs_fail_the_tests_that_they_fail_in_processes_of_their_own(sandbox: Sandbox) -> None:
    shared, alone = (list(sandbox.run_many([job(each + end) for each in WRONG])) for end in ("", ALONE))
    assert [each.tests for each in shared] == [each.tests for each in alone]
    assert all(each.status != "pass" for each in shared)
    assert [each.detail.splitlines()[-1:] for each in shared] == [each.detail.splitlines()[-1:] for each in alone]


def test_runs_share_a_process_where_the_program_can_leave_nothing_in_it(sandbox: Sandbox) -> None:
    same = "assert run_program('') == run_program('') == run_program('')"
    other = "assert run_program('') != run_program('')"
    jobs = [Job(PROCESS, same, is_script=True), Job(PROCESS + ALONE, other, is_script=True)]
    jobs += [Job(f"{PROCESS}\nif os.fork() == 0: os._exit(0)", other, is_script=True)]
    assert [each.status for each in sandbox.run_many(jobs)] == ["pass"] * 3


@pytest.mark.parametrize(
    ("program", "may"),
    [
        ("import math, sys\nfrom heapq import *\nsys.stdin = None\nprint(math.pi)", True),
        ("import numpy.linalg as la\nimport os.path\nx.y = 1\nself.sys = 2", True),
        ("import threading", False),
        ("import collections as c\nc.Counter = dict", False),
        ("import sys\nsys.path = []", False),
        ("import math\ndel math.pi", False),
        ("def f():\n    from atexit import register", False),
        ("from . import a", False),
    ],
)
def test_programs_that_may_leave_something_in_a_process_do_not_share_it(program: str, may: bool) -> None:
    assert repeatable(program) is may
