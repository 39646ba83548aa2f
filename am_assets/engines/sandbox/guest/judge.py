"""The judge's half of a job: runs the tests, whose expected values never leave this process, and reports.

Names that the tests use from the program are shadows (`shadows.py`) or plain values. Built-in and standard-library
names are not overridden by the program, so that its own `abs` never sees an expected value; except where such a name is
the only one that the tests use, as for a task to write `sum`.
"""

import ast
import builtins
import json
import linecache
import os
import re
import signal
import sys
import traceback
from types import ModuleType
from typing import Any

from am_assets.engines.sandbox.guest.globals import MOST, Globals
from am_assets.engines.sandbox.guest.languages import Ended
from am_assets.engines.sandbox.guest.operators import Refusal
from am_assets.engines.sandbox.guest.outside import unshown
from am_assets.engines.sandbox.guest.patches import BY_PROGRAM, carried, importable
from am_assets.engines.sandbox.guest.remote import Link
from am_assets.engines.sandbox.guest.shadows import Shadow
from am_assets.engines.sandbox.guest.suites import is_suite, run_suite
from am_assets.engines.sandbox.guest.tables import compile_checker
from am_assets.engines.sandbox.guest.wire import DETAIL, LONGEST, MUTABLE, NO_FAILURES, Channel, Flooded, Gone

PYTHONS_OWN = sys.stdlib_module_names | set(vars(builtins))
# Statuses that the candidate may report itself (`scripts.Ended`); none of them is a pass.
CLAIMS = {"compile_error", "exception", "memory", "output_limit", "timeout", "undecided"}
NAMES = re.compile(r"[^\W\d]\w*")
MISSING = re.compile(r"No module named '([A-Za-z_]\w*)")


class Lost(BaseException):
    """The program can not be called any more, as was reported."""


class Tests:
    """`__test__` in the test code: marks single tests, which fail independently of one another.

    if __test__(0):
        with __test__:
            assert ...

    The report is lines of JSON: ["begun"], ["loaded"], then [word, status, detail]: `test` for a test after which the
    next follows, `lost` for one that ended the program, `end` for all tests not reported yet; `again` for a test that
    failed and has to be done again, with those behind it, by runs of the program in new processes.
    """

    def __init__(self, report: int, link: Link, first: int, stops: bool, repeats: bool) -> None:
        """Tests before number `first` are skipped; those behind the first that fails too, if it `stops` there. A script
        `repeats` in one process."""
        self.report = report
        self.link = link
        self.first = self.finished = first
        self.stops = stops
        self.repeats = repeats
        self.untold: BaseException | None = None
        link.give_up = self.give_up

    def __call__(self, number: int) -> bool:
        return number >= self.first

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> bool:
        self.finished += 1
        if self.link.lost is not None:
            self.report_line("lost", *verdict(self.link.lost, error or self.link.lost, self.link))
            raise Lost
        refused, self.link.refused = self.link.refused, None
        status, detail = self.verdict_of_one(refused or error)
        if self.in_doubt(status):
            self.report_line("again", status, detail)
            raise Lost
        if self.stops and status not in NO_FAILURES:
            self.report_line("lost", status, detail)
            raise Lost
        self.report_line("test", status, detail)
        return True

    def verdict_of_one(self, error: BaseException | None) -> tuple[str, str]:
        """After what could not be told, a test that fails may do so for it."""
        self.untold = self.untold or (error if isinstance(error, Refusal) or lacks(error) else None)
        return verdict(self.untold or error, error, self.link) if error else ("pass", "")

    def give_up(self, refusal: Refusal) -> None:
        """End all tests; called in a thread of theirs."""
        self.report_line("end", *verdict(refusal, refusal, self.link))
        raise Lost

    def in_doubt(self, status: str) -> bool:
        """Whether a test failed by a run in the process of an earlier one, which is no slower: a timeout tells."""
        return status not in {*NO_FAILURES, "timeout"} and self.repeated()

    def repeated(self) -> bool:
        """Whether the last run of a script was in the process of an earlier one."""
        return self.repeats and self.link.ask("repeated") is True

    def report_line(self, *message: str) -> None:
        """Send a line of the report to the supervisor."""
        os.write(self.report, json.dumps(message).encode() + b"\n")


def judge(job: dict[str, Any], link: Link, tests: Tests) -> None:
    """Run the tests and report; for the status `gone` the supervisor finds out how the candidate ended."""
    in_tests = False
    try:
        names = loaded(job, link)
        tests.report_line("loaded")
        in_tests = True
        run_tests(job, names, tests)
        if error := link.lost or link.refused:
            raise error
        if tests.finished < job["tests"]:
            raise RuntimeError("the tests ended before every one of them ran")
    except Lost:
        pass
    except BaseException as error:
        cause = link.lost or link.refused or tests.untold or error
        status, detail = verdict(cause, error, link, in_tests)
        tests.report_line("again" if not link.lost and tests.in_doubt(status) else "end", status, detail)
    else:
        tests.report_line("end", "pass", "")


def loaded(job: dict[str, Any], link: Link) -> dict[str, Any]:
    """Load the program; those of its names that occur in the tests, with their values."""
    if job["is_script"]:
        names = link.ask("script", job["language"], job["limits"], job["program"], job["repeats"])
        if job["checker"] is not None:
            compile_checker(job["checker"], job["limits"])
    else:
        link.patched = set(filter(importable, BY_PROGRAM.findall(job["test_code"])))
        occurring = set(NAMES.findall(f"{job['test_code']} {job['entry_point'] or ''}"))
        names, others = link.ask("load", job["program"])
        if others := [name for name in others if name in occurring]:
            names |= link.ask("values", others)
    if type(names) is not dict:
        raise Gone
    catches_all = [
        name for name, value in names.items() if isinstance(value, type) and issubclass(AssertionError, value)
    ]
    if any(name not in PYTHONS_OWN for name in catches_all):
        raise link.refusal("tell an exception of the program from a failed test")
    return names


def run_tests(job: dict[str, Any], names: dict[str, Any], tests: Tests) -> None:
    """Execute the test code with the program's `names`."""
    test_code, entry_point = job["test_code"], job["entry_point"]
    linecache.cache["tests.py"] = (len(test_code), None, test_code.splitlines(True), "tests.py")
    tree = ast.parse(test_code)
    code = compile(tree, "tests.py", "exec", dont_inherit=True)
    solution = sys.modules["solution"] = ModuleType("solution")
    solution.__dict__.update(names)
    link = tests.link
    if shared := {name: value for name, value in names.items() if type(value) in MUTABLE and len(value) < MOST}:
        Globals(link, shared)
    link.named = {id(value) for name, value in names.items() if type(value) is Shadow and name[:1].isupper()}
    module = ModuleType("solution")
    seen = taken(names, f"{test_code}\n{entry_point or ''}")
    solution.__dict__["__all__"] = [*(seen.keys() - imported_by(tree))]
    module.__dict__.update(**seen, __test__=tests, __file__=os.path.abspath("tests.py"))
    carried(test_code, link)
    if why := not job["is_script"] and unshown(test_code, tree, job["program"]):
        tests.untold = Refusal(why)  # a test that fails may do so for that
    exec(code, module.__dict__)
    if entry_point is not None:
        module.check(eval(entry_point, module.__dict__))
    elif not job["tests"] and is_suite(tree):
        run_suite(module, tree, link, lambda: tests.report_line("alive"))


def taken(names: dict[str, Any], tests: str) -> dict[str, Any]:
    """The names of the program that the tests see without an import."""
    used = {node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)}
    seen = {name: value for name, value in names.items() if name in used}
    foreign = {name: value for name, value in seen.items() if name not in PYTHONS_OWN or isinstance(value, ModuleType)}
    its_own = {name for name, value in foreign.items() if not isinstance(value, ModuleType)}
    return foreign if its_own or len(seen) - len(foreign) != 1 else seen


def imported_by(tests: ast.Module) -> set[str]:
    """The names that the tests import themselves, which `from solution import *` leaves as they are."""
    imports = [node for node in ast.walk(tests) if isinstance(node, ast.Import | ast.ImportFrom)]
    others = [node for node in imports if isinstance(node, ast.Import) or node.module != "solution"]
    return {alias.asname or alias.name.partition(".")[0] for node in others for alias in node.names}


def verdict(cause: BaseException, shown: BaseException, link: Link, in_tests: bool = True) -> tuple[str, str]:
    """(status, detail); the detail has the trace in the program and the place in the tests."""
    try:
        frames = [frame for frame in traceback.extract_tb(shown.__traceback__) if frame.filename == "tests.py"]
        where = "".join(traceback.format_list(frames[-3:]))
        what = "".join(traceback.format_exception_only(shown))
        trace = link.trace if not in_tests or not isinstance(shown, AssertionError) else ""
        status = classify(cause, in_tests)
        first = reason(status, cause)
        return status, first + f"{trace}{where}{what}"[len(first) - DETAIL :]
    except BaseException:  # no memory left
        return classify(cause, in_tests), ""


def reason(status: str, cause: BaseException) -> str:
    """The first line of the detail where the verdict quotes it."""
    if status != "undecided":
        return ""
    return f"sandbox can't {cause}\n" if isinstance(cause, Refusal) else f"needs {MISSING.findall(str(cause))[-1]}\n"


def classify(error: BaseException, in_tests: bool) -> str:
    """The status of a test that raised `error`."""
    if isinstance(error, Refusal):
        return "undecided"
    if isinstance(error, Gone):
        return "gone"
    if isinstance(error, Flooded):
        return "output_limit"
    claim = str(error)
    if lacks(error):
        return "undecided"
    if isinstance(error, Ended) and (status := claim.partition(":")[0]) in CLAIMS:
        return status if status != "undecided" or MISSING.search(claim) else "exception"
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, SystemExit):
        return "exited_early"
    return "wrong_answer" if isinstance(error, AssertionError) and in_tests else "exception"


def lacks(error: BaseException | None) -> bool:
    """Does it say that a module is not there? Not if the program says so itself (`scripts.lacking`)."""
    return type(error) is ModuleNotFoundError and MISSING.search(str(error)) is not None


def main(channel: int, job: int, report: int) -> None:
    try:
        with os.fdopen(job, "rb") as stream:
            order = json.loads(stream.read())
        talk = Channel(channel, sends=LONGEST)
        if talk.receive() != ["ready"]:
            os._exit(1)
        link = Link(talk)
        link.patience = order["limits"]["timeout_seconds"] / 2
        repeats = order["is_script"] and order["repeats"]
        tests = Tests(report, link, order["first"], order["limits"].get("stop_at_failure", False), repeats)
        tests.report_line("begun")  # from here on, failures are the job's
        judge(order, link, tests)
        signal.pause()  # keeps the candidate alive until the supervisor has checked it
    finally:
        os._exit(0)
