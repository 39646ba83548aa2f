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


def judge(job: dict[str, Any], link: Link) -> tuple[str, str]:
    """(status, detail); the status `gone` leaves it to the supervisor to say how the candidate ended."""
    phase = "program"
    try:
        names = link.exchange(["script" if job["is_script"] else "load", job["program"]])
        if not isinstance(names, dict):
            raise Gone
        phase = "tests"
        run_tests(job["test_code"], job["entry_point"], names)
    except BaseException as error:
        return classify(link.lost or error, phase), describe(error, link, phase)
    return ("pass", "") if link.lost is None else (classify(link.lost, phase), "")


def run_tests(test_code: str, entry_point: str | None, names: dict[str, Any]) -> None:
    linecache.cache["tests.py"] = (len(test_code), None, test_code.splitlines(True), "tests.py")
    code = compile(test_code, "tests.py", "exec", dont_inherit=True)
    solution = sys.modules["solution"] = ModuleType("solution")
    solution.__dict__.update(names)
    namespace = {"__name__": "solution", **taken(names, f"{test_code}\n{entry_point or ''}")}
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


def classify(error: BaseException, phase: str) -> str:
    if isinstance(error, Gone):
        return "gone"
    if isinstance(error, Flooded):
        return "output_limit"
    if phase == "program" and str(error).startswith("NotPython: "):
        return "compile_error"
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, SystemExit):
        return "exited_early"
    return "wrong_answer" if isinstance(error, AssertionError) and phase == "tests" else "exception"


def describe(error: BaseException, link: Link, phase: str) -> str:
    """The program's own trace and where in the tests it was."""
    try:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "tests.py"]
        where = "".join(traceback.format_list(frames[-3:]))
        what = "".join(traceback.format_exception_only(error))
        said = link.trace if phase == "program" or not isinstance(error, AssertionError) else ""
        return f"{said}{where}{what}"[-DETAIL:]
    except BaseException:  # no memory left
        return ""


def main(channel: int, job: int, report: int) -> None:
    try:
        with os.fdopen(job, "rb") as stream:
            order = json.loads(stream.read())
        talk = Channel(channel)
        if talk.receive() != ["ready"]:
            os._exit(1)
        os.write(report, b"!")  # from here on, what happens is the job's doing
        verdict = judge(order, Link(talk))
        os.write(report, json.dumps(verdict).encode() + b"\n")
        signal.pause()  # the candidate has to be alive until the supervisor has looked at it
    finally:
        os._exit(0)
