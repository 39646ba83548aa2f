"""Runs inside the sandbox as `python -c`: loads one program, runs its tests, reports once. See `exchange.py`.

It uses the standard library alone and imports nothing of this project, which is not there. All it needs after the
program is loaded it takes beforehand, since the program may replace any name in any module.
"""

import json
import linecache
import os
import resource
import sys
import traceback
from types import ModuleType


def load(name, source):
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)  # so that tracebacks show the lines
    return compile(source, name, "exec", dont_inherit=True)


def judge(job):
    """(status, detail) of one job; the program and its tests share the module `solution`."""
    # Not `__main__`: a program's `if __name__ == "__main__"` part waits for input or prints, and is not what is tested.
    module = sys.modules["solution"] = ModuleType("solution")
    namespace = module.__dict__
    phase = "loading"
    try:
        program = load("program.py", job["program"])
        phase = "program"
        exec(program, namespace)
        phase = "tests"
        exec(load("tests.py", job["test_code"]), namespace)
        if job["entry_point"] is not None:
            namespace["check"](eval(job["entry_point"], namespace))
    except BaseException as error:
        return classify(error, phase), describe(error)
    return "pass", ""


def classify(error, phase, Memory=MemoryError, Exit=SystemExit, Assertion=AssertionError):
    if phase == "loading":
        return "compile_error"
    if isinstance(error, Memory):
        return "memory"
    if isinstance(error, Exit):
        return "exited_early"
    return "wrong_answer" if isinstance(error, Assertion) and phase == "tests" else "exception"


def describe(error, render=traceback.format_exception):
    try:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename == "<string>":  # this harness
            trace = trace.tb_next
        return "".join(render(type(error), error, trace, limit=-4))[-2000:]
    except BaseException:  # no memory left, or an exception class that does not want to be shown
        return ""


def main(write=os.write, getpid=os.getpid, leave=os._exit, dumps=json.dumps):
    size = int(sys.stdin.buffer.readline())
    job = json.loads(sys.stdin.buffer.read(size))
    token, owner = job.pop("token"), getpid()
    channel = os.dup(1)
    os.dup2(2, 1)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    for name, limit in job["rlimits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))

    def report(status, detail):
        if getpid() == owner:  # a copy that the program forked has no say
            write(channel, f"\n{token} {dumps([status, detail])}\n".encode())

    report("started", "")
    report(*judge(job))
    leave(0)  # without waiting for threads or exit handlers of the program


main()
