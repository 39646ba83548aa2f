"""Programs to be run by two scorers: for tasks of our own like those of LiveCodeBench, and for HumanEval and MBPP with
their assertions in the form of evalplus. Of the programs about a third is meant to be wrong."""

import ast
import gzip
import json
import random
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from am_assets.datasets.cases import canonical
from am_assets.datasets.evalplus import tests_of
from am_assets_tests.bench.peer_answers import COUNT, WRONG, Row
from am_assets_tests.evaluation.published_items import LOOP, PLUS

TESTS = 12
FENCES = ["Here it is:\n```python\n{code}\n```", "```python\n{code}\n```\nIt takes linear time.", "```\n{code}\n```",
          "A first try:\n```python\nprint('not yet')\n```\nBetter:\n```python\n{code}\n```",
          "So\n```py\n{code}\n```"]  # fmt: skip
READ_LIST = "n = int(input())\nxs = list(map(int, input().split()))\n"
Make = Callable[[random.Random], tuple[str, str]]


def numbers(draw: random.Random) -> list[int]:
    return [draw.randint(-50, 50) for _ in range(draw.randint(1, 9))]


def listed(answer: Callable[[list[int]], Any]) -> Make:
    """A test of a script that reads a list of numbers with their count before it."""

    def make(draw: random.Random) -> tuple[str, str]:
        xs = numbers(draw)
        return f"{len(xs)}\n{' '.join(map(str, xs))}\n", f"{answer(xs)}\n"

    return make


def called(answer: Callable[[list[int]], Any]) -> Make:
    def make(draw: random.Random) -> tuple[str, str]:
        xs = numbers(draw)
        return json.dumps(xs), json.dumps(answer(xs))

    return make


def method(name: str, body: str) -> str:
    return f"class Solution:\n    def {name}(self, xs: List[int]):\n        {body}"


# Of each task: the function that its tests call (none: a script), how a test is made, right programs, wrong ones.
SCRIPTS: list[tuple[Make, list[str], list[str]]] = [
    (listed(sum),
     [f"{READ_LIST}print(sum(xs))", "import sys\nd = sys.stdin.read().split()\nprint(sum(map(int, d[1:])))",
      f"def main():\n    {READ_LIST.replace(chr(10), chr(10) + '    ')}print(sum(xs))\n\n"
      "if __name__ == '__main__':\n    main()",
      f"{READ_LIST}t = 0\nfor x in xs:\n    t += x\nprint(f'{{t}}.0')"],
     [f"{READ_LIST}print(sum(xs[1:]))", f"{READ_LIST}print(abs(sum(xs)))", f"{READ_LIST}print('sum', sum(xs))",
      "print(sum(map(int, input().split())))", f"{READ_LIST}print(sum(xs)\n"]),
    (listed(lambda xs: " ".join(map(str, sorted(xs)))),
     [f"{READ_LIST}print(*sorted(xs))", f"{READ_LIST}xs.sort()\nprint(' '.join(map(str, xs)), end=' \\n\\n')",
      "input()\nprint(*sorted(map(int, input().split())))"],
     [f"{READ_LIST}print(*sorted(set(xs)))", f"{READ_LIST}print(*sorted(xs), sep='\\n')",
      f"{READ_LIST}print(sorted(xs))", f"{READ_LIST}print(*sorted(xs, reverse=True))",
      f"{READ_LIST}print(*sorted(xs)) if n < 5 else 1 / 0"]),
    (listed(lambda xs: "\n".join("YES" if x % 2 == 0 else "NO" for x in xs)),
     [f"{READ_LIST}for x in xs:\n    print('NO' if x % 2 else 'YES')",
      f"{READ_LIST}print('\\n'.join('NO' if x & 1 else 'YES' for x in xs))"],
     [f"{READ_LIST}for x in xs:\n    print('No' if x % 2 else 'Yes')", f"{READ_LIST}for x in xs:\n    print('YES')",
      f"{READ_LIST}for x in xs[:-1]:\n    print('NO' if x % 2 else 'YES')", f"{READ_LIST}print(x)"]),
    (listed(lambda xs: max(xs) * 10**15 + len(xs)),
     [f"{READ_LIST}print(max(xs) * 10**15 + n)", f"{READ_LIST}print(max(*xs, xs[0]) * 10**15 + len(xs))"],
     [f"{READ_LIST}print(int(max(xs) * 1e15 + n) + (n > 4))", f"{READ_LIST}print(max(xs) * 10**15)",
      f"{READ_LIST}print(float(max(xs) * 10**15 + n) if n > 2 else max(xs) * 10**15 + n + 1)"]),
]  # fmt: skip
METHODS: list[tuple[str, Make, list[str], list[str]]] = [
    ("double", called(lambda xs: [2 * x for x in xs]),
     ["return [2 * x for x in xs]", "return [x + x for x in xs]", "return tuple(2 * x for x in xs)"],
     ["return [x * x for x in xs]", "return xs", "return None", "xs.pop(); return [2 * x for x in xs]"]),
    ("top", called(max), ["return max(xs)", "return sorted(xs)[-1]", "return heapq.nlargest(1, xs)[0]"],
     ["return xs[-1]", "return max(map(abs, xs))", "return str(max(xs))", "return [max(xs)]", "return xs[99]"]),
    ("mean", called(lambda xs: sum(xs) / len(xs)), ["return sum(xs) / len(xs)", "return sum(xs) / float(len(xs))"],
     ["return sum(xs) // len(xs)", "return round(sum(xs) / len(xs), 1)", "return sum(xs) / (len(xs) + 1)"]),
    ("rising", called(lambda xs: all(a < b for a, b in pairwise(xs))),
     ["return all(a < b for a, b in zip(xs, xs[1:]))", "return sorted(set(xs)) == xs",
      "return not any(a >= b for a, b in itertools.pairwise(xs))"],
     ["return True", "return sorted(xs) == xs and len(xs) > 3", "return 'true'"]),
]  # fmt: skip


def livecodebench() -> Iterator[Row]:
    draw = random.Random(5)
    for number in range(COUNT):
        wrong = draw.random() < WRONG
        if draw.random() < 0.6:
            function = None
            make, right, others = draw.choice(SCRIPTS)
            code = draw.choice(others if wrong else right)
        else:
            function, make, right, others = draw.choice(METHODS)
            code = method(function, draw.choice(others if wrong else right))
        inputs, outputs = zip(*(make(draw) for _ in range(TESTS)), strict=True)
        kind = "functional" if function else "stdin"
        tests = [{"input": a, "output": b, "testtype": kind} for a, b in zip(inputs, outputs, strict=True)]
        yield {"key": f"livecodebench-{number}", "answer": draw.choice(FENCES).replace("{code}", code),
               "test_cases": canonical(tests, function),
               "input_output": json.dumps({"inputs": inputs, "outputs": outputs, "fn_name": function})}  # fmt: skip


def evalplus(folder: Path, in_lines: bool = False) -> Iterator[Row]:
    """Solutions of HumanEval and MBPP, and the same with a small change, on the inputs of their own assertions; with
    results beside the inputs or, `in_lines`, with the solution that has them."""
    draw = random.Random(6)
    tasks = [task for task in (*_humaneval(folder), *_mbpp(folder)) if task]
    for number in range(COUNT):
        name, code, pairs = tasks[number % len(tasks)]
        program = mutated(draw, code) if draw.random() < WRONG else code
        inputs, expected = [given for given, _ in pairs], [wanted for _, wanted in pairs]
        lines = f"inputs = {inputs!r}\nresults = {expected!r}\n{LOOP.format(name)}"
        yield {"key": f"evalplus-{number}", "answer": f"```python\n{program}\n```", "program": program,
               "test_cases": canonical(tests_of("", code, name, inputs, 0) if in_lines else
                                       {"test_code": f"{PLUS}{lines}"}), "entry_point": name,
               "inputs": repr(inputs), "expected": repr(expected)}  # fmt: skip


def _humaneval(folder: Path) -> Iterator[tuple[str, str, list]]:
    with gzip.open(folder / "HumanEval.jsonl.gz", "rt") as file:
        for task in map(json.loads, file):
            name = task["entry_point"]
            pairs = _pairs(task["test"], "candidate")
            if pairs:
                yield name, task["prompt"] + task["canonical_solution"], pairs


def _mbpp(folder: Path) -> Iterator[tuple[str, str, list]]:
    for task in map(json.loads, (folder / "mbpp.jsonl").read_text().splitlines()):
        called = re.match(r"assert (\w+)\(", task["test_list"][0])
        pairs = _pairs("\n".join(task["test_list"]), called[1]) if called else []
        if called and pairs:
            yield called[1], task["code"].replace("\r\n", "\n"), pairs


def _pairs(tests: str, name: str) -> list[tuple[list, Any]]:
    """Arguments and results of the assertions `name(literals) == literal`; none where one is of another form."""
    found = []
    for node in ast.walk(ast.parse(tests)):
        if not isinstance(node, ast.Assert):
            continue
        match node.test:
            case ast.Compare(ast.Call(ast.Name(id=called), args, []), [ast.Eq()], [wanted]) if called == name:
                try:
                    found.append(([ast.literal_eval(one) for one in args], ast.literal_eval(wanted)))
                except ValueError:
                    return []
            case _:
                return []
    return found


class _Change(ast.NodeTransformer):
    """Turns one operator or number into another."""

    def __init__(self, at: int):
        self.left = at

    def visit(self, node: ast.AST) -> ast.AST:
        turned = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Lt: ast.LtE, ast.Gt: ast.GtE, ast.Eq: ast.NotEq,
                  ast.Mult: ast.Add, ast.LtE: ast.Lt, ast.GtE: ast.Gt}.get(type(node))  # fmt: skip
        if turned or (isinstance(node, ast.Constant) and type(node.value) is int):
            self.left -= 1
            if self.left == 0:
                return turned() if turned else ast.Constant(node.value + 1)  # type: ignore[attr-defined]
        return self.generic_visit(node)


def mutated(draw: random.Random, code: str) -> str:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return f"{code}\n)"
    places = sum(
        isinstance(node, ast.Add | ast.Sub | ast.Lt | ast.Gt | ast.Eq | ast.Mult | ast.LtE | ast.GtE)
        or (isinstance(node, ast.Constant) and type(node.value) is int)
        for node in ast.walk(tree)
    )
    return ast.unparse(_Change(draw.randint(1, places)).visit(tree)) if places else "raise ValueError"
