"""Tests in the forms of published data sets, each with programs that are right and with neighbours that are not."""

import json
from typing import Any

import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import SandboxUnavailable
from am_assets_tests.promised import without_sandbox
from am_assets_tests.verification.answers import LIMITS, cases, fenced, verdicts


def ends(*rows: tuple[str, Any], instrument: Code = LIMITS) -> list[str]:
    """Verdicts of (program, tests) rows; the reason of those that are unverifiable."""
    texts = [tests if isinstance(tests, str) else json.dumps(tests) for _, tests in rows]
    answers = [fenced(f"{program}\n") for program, _ in rows]
    found = verdicts(*zip(answers, texts, strict=True), instrument=instrument)
    if any(row["reason"] == "sandbox: unavailable" for row in found):
        without_sandbox(SandboxUnavailable(found[0]["detail"]))
    return [row["verdict"] if row["verdict"] != "unverifiable" else row["reason"] for row in found]


def table(*calls: tuple[list, Any], name: str = "f", **said: Any) -> dict[str, Any]:
    return {"fn_name": name, "inputs": [call[0] for call in calls], "outputs": [call[1] for call in calls], **said}


SUMS = table(([1, 2], 3), ([2, 2], 4), name="add")
METHOD = "class Solution:\n    def add(self, a: int, b: int) -> int:\n        return a {} b"
WRAPPED = table(([1, 2], [3]), ([2, 2], [4]))
KEYS = table(([5], {"5": 1}))
TAKES_KEYS = table(([{"1": "a", "-2": "b"}, 1], "a"), ([{}, 0], None))
LISTS = table(([[1, 2, 3]], [3, 2, 1]), ([[]], []))
LINES = {"fn_name": "f", "inputs": ["[1, 2]\n3\n", '"x"\n"y z"'], "outputs": ["[4]", '"xy z"']}
IN_LINES = "def f(a, b):\n    return {} if isinstance(a, list) else a + b"
SETS = {"fn_name": "f", "inputs": ["{1, (2, 3)}\n4", "set()\n5"], "outputs": ["{4, (2, 3), 1}", "{5}"]}
SEVEN = {"inputs": ["7"], "outputs": ["7"]}
ON_LINES = {"input": "1\n2", "output": "3", "testtype": "functional"}
ARRAY = "class Array:\n    def __init__(self, value): self.value = value\n    def tolist(self): return self.value"
TREE = "def f(self, root: 'Optional[TreeNode]') -> Optional[TreeNode]:"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [
                (METHOD.format("+"), SUMS, "pass"),
                (METHOD.format("-"), SUMS, "fail"),
                ("def add(a, b): return a + b", SUMS, "pass"),
                ("class Solution:\n    def sub(self, a, b): return a + b", SUMS, "fail"),
                ("class Solution:\n    def add(self, a, b): return a - b\ndef add(a, b): return a + b", SUMS, "fail"),
                ("class Solution:\n    def add(self, a, b): return g(a, b)\ndef g(a, b): return a + b", SUMS, "pass"),
                ("x = 1", SUMS, "fail"),
                (METHOD.format("+"), SUMS | {"fn_name": "Solution().add"}, "pass"),
                (METHOD.format("-"), SUMS | {"fn_name": "Solution.add"}, "fail"),
            ],
            id="a function or a method of Solution",
        ),
        pytest.param(
            [
                ("def f(a, b): return a + b", WRAPPED, "pass"),
                ("def f(a, b): return [a + b]", WRAPPED, "pass"),
                ("def f(a, b): return (a + b,)", WRAPPED, "pass"),
                ("def f(a, b): return a + b if a == 1 else [a + b]", WRAPPED, "fail"),
                ("def f(a, b): return [[a + b]]", WRAPPED, "fail"),
                ("def f(a, b): return a - b", WRAPPED, "fail"),
                ("def f(a, b): return a + b", WRAPPED | {"wrapped": False}, "fail"),
                ("def f(a, b): return [a + b]", WRAPPED | {"wrapped": False}, "pass"),
                ("def f(a): return a[0]", table(([[1, 2]], [1, 2]), ([[3]], [3])), "fail"),
                ("def f(a): return a", table(([[1, 2]], [[1, 2]]), ([[]], [[]])), "pass"),
                ("def f(a): return a > 0", table(([1], [True]), ([-1], [False])), "pass"),
                ("def f(a): return a < 0", table(([1], [True]), ([-1], [False])), "fail"),
            ],
            id="outputs wrapped in lists, all or none",
        ),
        pytest.param(
            [
                ("def f(a): return {a: 1}", KEYS, "pass"),
                ("def f(a): return {str(a): 1}", KEYS, "pass"),
                ("def f(a): return {a + 1: 1}", KEYS, "fail"),
                ("def f(a): return {a: 2}", KEYS, "fail"),
                ("def f(a): return {a: 1, 6: 1}", KEYS, "fail"),
                ("def f(d, key): return d.get(key)", TAKES_KEYS, "pass"),
                ("def f(d, key): return d.get(str(key))", TAKES_KEYS, "pass"),
                ("def f(d, key): return d.get(key + 1)", TAKES_KEYS, "fail"),
                ("def f(d): return sorted(d)", table(([{"a": 1, "2": 2}], ["2", "a"])), "pass"),
            ],
            id="keys that JSON writes as text",
        ),
        pytest.param(
            [
                ("def f(a): return a / 10", table(([3], 0.3), ([1], 0.1)), "pass"),
                ("def f(a): return sum([0.1] * a)", table(([3], 0.3)), "pass"),
                ("def f(a): return a / 10 + 0.01", table(([3], 0.3)), "fail"),
                ("def f(a): return [a / 3, a]", table(([1], [0.333333333, 1])), "pass"),
                ("def f(a): return a + 1e-9", table(([3], 3)), "fail"),
                ("def f(a): return float(a)", table(([3], 3)), "pass"),
                ("def f(a): return str(a)", table(([3], 3)), "fail"),
                ("def f(a): return a", table((["3"], 3)), "fail"),
                ("def f(a): return float('nan')", table(([3], 3.5)), "fail"),
                ("def f(a): return 2 ** a", table(([400], 2**400)), "pass"),
                ("def f(a): return 2 ** a + 1", table(([400], 2**400)), "fail"),
                ("def f(a): return 10 ** a", table(([400], 1.5)), "fail"),
                ("def f(a): return None", table(([400], False)), "fail"),
                ("import decimal\ndef f(a): return decimal.Decimal(a)", table(([3], 3)), "pass"),
                ("import decimal\ndef f(a): return decimal.Decimal(a + 1)", table(([3], 3)), "fail"),
                ("import fractions\ndef f(a): return [fractions.Fraction(a, 3)]", table(([1], [0.3333333333])), "pass"),
                (f"{ARRAY}\ndef f(a): return [Array(a), {{1: Array(a)}}]", table(([3], [3, {"1": 3}])), "pass"),
                (f"{ARRAY}\ndef f(a): return [Array(a), {{1: Array(4)}}]", table(([3], [3, {"1": 3}])), "fail"),
                ("class A:\n    def __eq__(self, other): return True\ndef f(a): return A()", table(([3], 3)), "fail"),
            ],
            id="numbers",
        ),
        pytest.param(
            [
                (IN_LINES.format("[sum(a) + 1]"), LINES, "pass"),
                (IN_LINES.format("sum(a) + 1"), LINES, "fail"),
                (f"class Solution:\n    {METHOD.format('+').partition(':')[2].strip()}", SUMS, "pass"),
                ("def f(): return 1", {"fn_name": "f", "inputs": [""], "outputs": ["1"]}, "pass"),
                ("def f(a): return a",
                 {"fn_name": "f", "inputs": ["true", "None"], "outputs": ["True", "null"]}, "pass"),
                ("def f(a): return 1", {"fn_name": "f", "inputs": ["1"], "outputs": ['"1"']}, "fail"),
                ("def f(a, b): return a | {b}", SETS, "pass"),
                ("def f(a, b): return frozenset({*a, b})", SETS, "pass"),
                ("def f(a, b): return a", SETS, "fail"),
                ("def f(a, b): return [*a, b]", SETS, "fail"),
                ("def f(a, b): return str(a | {b})", SETS, "fail"),
                ("def f(a, b): return {'__set__': [*a, b]}", SETS, "fail"),
                ("def f(a): return {1: a}", {"fn_name": "f", "inputs": ["'x'"], "outputs": ["{1: 'x'}"]}, "pass"),
                ("def add(a, b): return a + b", [ON_LINES | {"metadata": {"func_name": "add"}}], "pass"),
                ("def add(a, b): return a - b", [ON_LINES | {"metadata": '{"func_name": "add"}'}], "fail"),
                ("def f(a): return a",
                 [{"input": ["3"], "output": "3", "type": "function_call", "fn_name": "f"}], "pass"),
                ("def f(a): return int(a)",
                 [{"input": ["3"], "output": "3", "type": "function_call", "fn_name": "f"}], "fail"),
            ],
            id="arguments on lines, lists of tests",
        ),
        pytest.param(
            [
                ("class Solution:\n    def f(self, head: Optional[ListNode]) -> Optional[ListNode]:\n"
                 "        back = None\n        while head:\n            head.next, back, head = back, head, head.next\n"
                 "        return back", LISTS, "pass"),
                ("class Solution:\n    def f(self, head: 'ListNode') -> 'ListNode': return head", LISTS, "fail"),
                ("class Solution:\n    def f(self, head: 'ListNode') -> 'ListNode': return head",
                 table(([[1, 2]], [1, 2]), ([[]], [])), "pass"),
                ("class Solution:\n    def f(self, nums: List[int]) -> None: nums.reverse()", LISTS, "pass"),
                ("class Solution:\n    def f(self, nums: List[int]) -> None: nums[::-1]", LISTS, "fail"),
                ("class Solution:\n    def f(self, nums: List[int]) -> List[int]: nums.reverse()", LISTS, "fail"),
                ("def f(nums): nums.reverse()", LISTS, "fail"),
                ("class Solution:\n    def f(self, nums: List[int]) -> None: nums.pop()", table(([[1]], None)), "pass"),
                ("class ListNode:\n    def __init__(self, x):\n        self.val = x\n        self.next = None\n"
                 "class Solution:\n    def f(self, head: ListNode | None) -> List[int]:\n        found = []\n"
                 "        while head:\n            found.insert(0, head.val)\n            head = head.next\n"
                 "        return found", LISTS, "pass"),
                ("class Solution:\n    def f(self, head: Optional[ListNode]) -> None:\n        found = []\n"
                 "        node = head\n        while node:\n            found.append(node.val)\n"
                 "            node = node.next\n"
                 "        while head:\n            head.val, head = found.pop(), head.next", LISTS, "pass"),
                (f"class Solution:\n    {TREE}\n        if root:\n            root.left, root.right = "
                 "self.f(root.right), self.f(root.left)\n        return root",
                 table(([[4, 2, 7, 1, None, 6]], [4, 7, 2, None, 6, None, 1]), ([[]], [])), "pass"),
                (f"class Solution:\n    {TREE}\n        return root",
                 table(([[4, 2, 7, 1, None, 6]], [4, 7, 2, None, 6, None, 1])), "fail"),
                ("class Solution:\n    def f(self, lists: List[Optional[ListNode]]) -> Optional[ListNode]:\n"
                 "        found = []\n        for one in lists:\n            while one:\n"
                 "                found.append(one.val)\n                one = one.next\n        head = None\n"
                 "        for value in sorted(found)[::-1]:\n            head = ListNode(value, head)\n"
                 "        return head",
                 table(([[[1, 4], [], [2]]], [1, 2, 4])), "pass"),
                ("class Solution:\n    def f(self, root: TreeNode, more=0) -> int:\n"
                 "        return root.left.val + more",
                 table(([[1, 2]], 2), ([[1, 2], 3], 5)), "pass"),
                ("def f(head: ListNode):\n    head.next = head\n    return [1, 2]",
                 table(([[1, 2]], [1, 2])), "pass"),
                ("def f(head: ListNode) -> ListNode:\n    head.next = head\n    return head",
                 table(([[1, 2]], [1, 2])), "fail"),
            ],
            id="linked lists and trees",
        ),
        pytest.param(
            [
                ("print(int(input()) + int(input()))",
                 {"inputs": [["1", "2"], ["5", "6"]], "outputs": [["3"], ["11"]]}, "pass"),
                ("print(int(input()) - int(input()))", {"inputs": [["1", "2"]], "outputs": [["3"]]}, "fail"),
                ("print(input())\nprint(input())", {"inputs": [["a\n", "b\n"]], "outputs": [["a", "b"]]}, "pass"),
                ("print(sum(map(int, input().split())))",
                 [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}, {"input": "0 0", "output": "0"}], "pass"),
                ("print(3)",
                 [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}, {"input": "0 0", "output": "0"}], "fail"),
                ("print(input())", {"fn_name": "", "inputs": ["1\n"], "outputs": ["1\n"]}, "pass"),
                ("print(input() + '0')", {"fn_name": None, "inputs": ["1\n"], "outputs": ["1\n"]}, "fail"),
                ("print(int(input()) + 1)", {"inputs": ["9" * 5000], "outputs": ["1" + "0" * 5000]}, "pass"),
                ("print(int(input()) + 2)", {"inputs": ["9" * 5000], "outputs": ["1" + "0" * 5000]}, "fail"),
                ("print(input())", {"input": "7", "output": "7"}, "pass"),
                ("print(input())", "{'inputs': ['7'], 'outputs': ['7']}", "pass"),
                ("print(input())", "{'inputs': ['7'], 'outputs': ['8']}", "fail"),
                ("print('12e500', 0.5)", {"inputs": [""], "outputs": ["34e600 0.5"]}, "fail"),
                ("print('12e500', 0.5)", {"inputs": [""], "outputs": ["12e500 0.50"]}, "pass"),
                ("import fileinput\nprint(*fileinput.input(), end='')", SEVEN, "pass"),
                ("import os\nprint(input() * (os.path.basename(__file__) == __file__))", SEVEN, "pass"),
                ("import resource\nresource.setrlimit(resource.RLIMIT_STACK, (-1, -1))\nprint(input())", SEVEN, "pass"),
                ("import sys\nprint(sys.argv[1:] or input())", SEVEN, "pass"),
            ],
            id="scripts",
        ),
    ],
)  # fmt: skip
def test_a_program_passes_if_it_is_right_in_the_form_of_its_tests(rows: list[tuple[str, Any, str]]) -> None:
    assert ends(*[row[:2] for row in rows]) == [row[2] for row in rows]


CHECKER = """
import sys
def main(given, expected, printed):
    total = int(open(given).read())
    try:
        a, b = map(int, open(printed).read().split())
    except ValueError:
        print(0)
        return
    {}
main(*sys.argv[1:])
"""
SAYS = "print(1 if a + b == total else 0)"


def test_a_checker_decides_where_several_answers_are_right() -> None:
    tests = {"inputs": ["7\n", "9\n"], "outputs": ["3 4\n", "4 5\n"]}
    split, wrong = "n = int(input())\nprint(1, n - 1)", "print(1, input())"
    as_testlib = "sys.exit(0 if a + b == total else 1)"
    assert ends(
        (split, tests),
        (split, tests | {"checker": CHECKER.format(SAYS)}),
        (wrong, tests | {"checker": CHECKER.format(SAYS)}),
        ("print('1')", tests | {"checker": CHECKER.format(SAYS)}),
        (wrong, tests | {"checker": CHECKER.format(as_testlib)}),
        (split, tests | {"checker": "import sys\nprint(1 if open(sys.argv[3]).read() else 0)\nsys.exit(1)"}),
    ) == ["fail", "pass", "fail", "fail", "fail", "tests: checker: it ended with 1 and printed '1\\n'"]
    silent, faulty, foreign = ends(
        (split, tests | {"checker": "import sys"}),
        (split, tests | {"checker": CHECKER.format("print(1 / 0)")}),
        (split, tests | {"checker": "int main() { return 0; }"}),
    )
    assert silent.startswith("tests: checker: it ended with 0") and "ZeroDivisionError" in faulty
    assert foreign == "tests: needs checker, which is no program in Python"


class TestPrelude:
    COUNTS = "class Solution:\n    def f(self, a: List[int]) -> int:\n        return Counter(a).most_common(1)[0][0]"
    ROWS = table(([[1, 2, 2]], 2))

    def test_names_that_graders_import_are_there_unless_the_instrument_says_otherwise(self) -> None:
        programs = [
            self.COUNTS,
            "from __future__ import annotations\nimport math\ndef f(a: Optional[list]): return a[bisect.bisect(a, 1)]",
            "def f(a):\n    heapify(a)\n    return max(heappop(a), math.floor(sqrt(4)))",
            "@lru_cache(None)\ndef g(n): return 0 if n == 0 else g(n - 1)\ndef f(a): return g(9000) + a[1]",
        ]
        assert ends(*[(one, self.ROWS) for one in programs]) == ["pass"] * 4
        without = Code(**LIMITS.model_dump() | {"prelude": False})
        assert ends(*[(one, self.ROWS) for one in programs], instrument=without) == ["fail"] * 4
        script = ("print(gcd(*map(int, stdin.readline().split())))", {"inputs": ["4 6"], "outputs": ["2"]})
        assert ends(script) == ["pass"] and ends(script, instrument=without) == ["fail"]

    def test_it_is_no_part_of_what_a_program_defines(self) -> None:
        asserts = cases("assert gcd(4, 6) == 2")
        assert ends(
            ("def greatest(a, b): return gcd(a, b)", asserts),
            ("x = gcd", asserts),
            ("def gcd(a, b): return 2", asserts),
            ("def gcd(a, b): return 3", asserts),
            ("from math import gcd", asserts),
            ("def f(a): return gcd(*a)", table(([4, 6], 2), name="gcd")),
            ("def f(a): return sum(a)", table(([[4, 6]], 10), name="sum")),
            ("def sum(a): return 9", table(([[4, 6]], 10), name="sum")),
        ) == ["fail", "fail", "pass", "fail", "pass", "fail", "fail", "fail"]

    def test_no_name_of_a_program_replaces_what_compares(self) -> None:
        for name in ("all", "len", "zip", "isinstance", "enumerate", "bool", "same", "agreeing"):
            assert ends((f"def {name}(*a, **b): return True\ndef f(a): return 0", table(([1], 1)))) == ["fail"]
            assert ends((f"def {name}(*a, **b): return 0", table(([[1]], [2]), name=name))) == ["fail"]


class TestLacking:
    def test_a_module_that_the_sandbox_lacks_leaves_it_untold(self) -> None:
        asserts = cases("assert first([2, 1]) == 1")
        assert ends(
            ("import no_such_module as n\ndef first(a): return n.first(a)", asserts),
            ("def first(a):\n    from no_such_module.part import x\n    return x", asserts),
            ("import no_such_module\nprint(1)", {"inputs": ["1"], "outputs": ["1"]}),
            ("try:\n    import no_such_module\nexcept ImportError:\n    pass\ndef first(a): return min(a)", asserts),
            ("try:\n    import no_such_module\nexcept ImportError:\n    pass\ndef first(a): return max(a)", asserts),
            ("def first(a): raise ValueError(\"ModuleNotFoundError: No module named 'numpy'\")", asserts),
            ("import no_such_module\ndef first(a: return 1", asserts),
        ) == ["needs no_such_module"] * 3 + ["pass", "fail", "fail", "fail"]

    def test_its_tests_count_for_no_threshold(self) -> None:
        answer = fenced("def first(a):\n    if len(a) > 1:\n        import no_such_module\n    return a[0]\n")
        (row,) = verdicts((answer, cases(["assert first([1]) == 1", "assert first([1, 2]) == 1"])))
        assert row["outcomes"] == ["pass", "undecided"] and row["reason"] == "needs no_such_module"

    def test_names_that_tests_use_and_nobody_defines(self) -> None:
        close = cases("assert math.isclose(add(1, 2), 3)\nassert add(0, 0) == 0")
        assert ends(("def add(a, b): return a + b", cases("assert np.allclose(add(1, 2), 3)"))) in (
            ["pass"], ["tests: test_code needs numpy, which the sandbox does not have"],
        )  # fmt: skip
        bare = cases("assert isclose(add(1, 2), 3)")
        assert ends(
            ("def add(a, b): return a + b", close),
            ("def add(a, b): return a - b", close),
            ("def plus(a, b): return a + b", close),
            ("def add(a, b): return a + b", bare),
            ("def plus(a, b): return a + b", bare),
            ("from math import isclose\ndef add(a, b): return a + b", bare),
            ("def add(a, b): return a + b", cases("assert add(1, 2) == 3\nassert sub(1, 2) == -1")),
            ("def add(a, b): return a + b", cases("assert candidate(1, 2) == 3", "add")),
            ("def plus(a, b): return a + b", cases("assert candidate(1, 2) == 3", "add")),
        ) == [
            "pass", "fail", "fail", "tests: nobody defines isclose", "fail", "pass", "fail",
            "tests: nobody defines candidate", "fail",
        ]  # fmt: skip
