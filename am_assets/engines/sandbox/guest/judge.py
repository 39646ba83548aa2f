"""The judge's half of a job: runs the tests, whose expected values never leave it, and reports once.

The names that the tests take from the program are `remote.Remote` objects or plain values. Names of Python itself stay
Python's, so that a program's own `abs` never sees what a test compares with; unless they are all that the tests take
from the program, as for a task to write `sum`.
"""

import ast
import builtins
import json
import linecache
import os
import signal
import sys
import traceback
from types import ModuleType
from typing import Any

from am_assets.engines.sandbox.guest.remote import Link
from am_assets.engines.sandbox.guest.wire import Channel, Flooded, Gone

DETAIL = 2000
PYTHONS_OWN = sys.stdlib_module_names | set(vars(builtins))
# How a program may say that it ended (`scripts.Ended`): whatever it claims, it is no pass.
CLAIMS = {"compile_error", "exception", "memory", "output_limit", "timeout"}


class Lost(BaseException):
    """The program can not be asked any more; the report has said so."""


class Tests:
    """`__test__` of the test code, which marks what is one test and lets it fail without the others:

    if __test__(0):
        with __test__:
            assert ...

    The report is lines of JSON: ["begun"], ["loaded"], [word, status, detail] by test. Of the words, `test` has the
    next test follow, `lost` says that the program is gone with it, `end` is for all tests not told of.
    """

    def __init__(self, report: int, link: Link, first: int) -> None:
        """Those before `first` are not run."""
        self.report = report
        self.link = link
        self.first = self.told = first

    def __call__(self, number: int) -> bool:
        return number >= self.first

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> bool:
        self.told += 1
        if self.link.lost is not None:
            self.say("lost", *verdict(self.link.lost, error or self.link.lost, self.link))
            raise Lost
        self.say("test", *(verdict(error, error, self.link) if error else ("pass", "")))
        return True

    def say(self, *message: str) -> None:
        os.write(self.report, json.dumps(message).encode() + b"\n")


def judge(job: dict[str, Any], link: Link, tests: Tests) -> None:
    """Runs the tests; the status `gone` leaves it to the supervisor to say how the candidate ended."""
    loading = ["script", job["language"], job["limits"]] if job["is_script"] else ["load"]
    in_tests = False
    try:
        names = link.exchange([*loading, job["program"]])
        if not isinstance(names, dict):
            raise Gone
        tests.say("loaded")
        in_tests = True
        run_tests(job["test_code"], job["entry_point"], names, tests)
        if link.lost is not None:
            raise link.lost
        if tests.told < job["tests"]:
            raise RuntimeError("the tests ended before every one of them ran")
    except Lost:
        pass
    except BaseException as error:
        tests.say("end", *verdict(link.lost or error, error, link, in_tests))
    else:
        tests.say("end", "pass", "")


def run_tests(test_code: str, entry_point: str | None, names: dict[str, Any], tests: Tests) -> None:
    linecache.cache["tests.py"] = (len(test_code), None, test_code.splitlines(True), "tests.py")
    code = compile(test_code, "tests.py", "exec", dont_inherit=True)
    solution = sys.modules["solution"] = ModuleType("solution")
    solution.__dict__.update(names)
    namespace = {"__name__": "solution", **taken(names, f"{test_code}\n{entry_point or ''}"), "__test__": tests}
    exec(code, namespace)
    if entry_point is not None:
        namespace["check"](eval(entry_point, namespace))


def taken(names: dict[str, Any], tests: str) -> dict[str, Any]:
    """What the tests see of the program without an import."""
    used = {node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)}
    seen = {name: value for name, value in names.items() if name in used}
    foreign = {name: value for name, value in seen.items() if name not in PYTHONS_OWN or isinstance(value, ModuleType)}
    its_own = {name for name, value in foreign.items() if not isinstance(value, ModuleType)}
    return foreign if its_own or len(seen) - len(foreign) != 1 else seen


def verdict(cause: BaseException, shown: BaseException, link: Link, in_tests: bool = True) -> tuple[str, str]:
    """(status, detail): the program's own trace and where in the tests it was."""
    try:
        frames = [frame for frame in traceback.extract_tb(shown.__traceback__) if frame.filename == "tests.py"]
        where = "".join(traceback.format_list(frames[-3:]))
        what = "".join(traceback.format_exception_only(shown))
        said = link.trace if not in_tests or not isinstance(shown, AssertionError) else ""
        return classify(cause, in_tests), f"{said}{where}{what}"[-DETAIL:]
    except BaseException:  # no memory left
        return classify(cause, in_tests), ""


def classify(error: BaseException, in_tests: bool) -> str:
    if isinstance(error, Gone):
        return "gone"
    if isinstance(error, Flooded):
        return "output_limit"
    said, _, claim = str(error).partition(": ")
    if said == "Ended" and (status := claim.partition(":")[0]) in CLAIMS:
        return status
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, SystemExit):
        return "exited_early"
    return "wrong_answer" if isinstance(error, AssertionError) and in_tests else "exception"


def main(channel: int, job: int, report: int) -> None:
    try:
        with os.fdopen(job, "rb") as stream:
            order = json.loads(stream.read())
        talk = Channel(channel)
        if talk.receive() != ["ready"]:
            os._exit(1)
        link = Link(talk)
        tests = Tests(report, link, order["first"])
        tests.say("begun")  # from here on, what happens is the job's doing
        judge(order, link, tests)
        signal.pause()  # the candidate has to be alive until the supervisor has looked at it
    finally:
        os._exit(0)
