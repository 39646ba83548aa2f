"""Runs of a script for one input after the other in one process, which spares most of the time that a short run takes.

Each run begins as in a new process as far as a program of `STATELESS` imports can tell. This is no safeguard, as the
program can change all of it: a test that such a run fails is done again in a new process (`judge.Tests`).
"""

import ast
import gc
import os
import resource
import sys
from typing import IO, TextIO

# Modules whose use leaves nothing behind in a process that a program would look for in its next run.
STATELESS = {"__future__", "abc", "array", "bisect", "calendar", "cmath", "collections", "copy", "dataclasses"}
STATELESS |= {"datetime", "decimal", "enum", "fractions", "functools", "heapq", "io", "itertools", "json", "math"}
STATELESS |= {"numbers", "numpy", "operator", "os", "queue", "random", "re", "sortedcontainers", "statistics", "string"}
STATELESS |= {"struct", "sys", "textwrap", "time", "typing"}
STREAMS = ("stdin", "stdout", "stderr")  # by descriptor; of `sys`, which a program may replace
SPARE = 240  # the first of the descriptors that keep those of the streams: programs close the latter
MOST_KB = 64 << 10  # that a run may have taken more of memory, for its process to do another


def repeatable(source: str) -> bool:
    """Whether a program, which compiles, has no means to leave something behind."""
    tree = ast.parse(source)
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            if any(alias.name.partition(".")[0] not in STATELESS for alias in node.names):
                return False
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] not in STATELESS:
            return False
    return not any(isinstance(node, ast.Attribute) and changes(node, modules) for node in ast.walk(tree))


def changes(node: ast.Attribute, modules: set[str]) -> bool:
    """Does this assign to an attribute of a module?"""
    of_module = isinstance(node.value, ast.Name) and node.value.id in modules
    return of_module and not isinstance(node.ctx, ast.Load) and node.attr not in STREAMS


class Repeats:
    """The process of a script between two runs."""

    def __init__(self) -> None:
        """To be called before the first, with the streams at 0, 1 and 2."""
        self.process = os.getpid()
        self.limits = sys.getrecursionlimit(), sys.get_int_max_str_digits()
        self.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(len(STREAMS)):
            os.dup2(number, SPARE + number)

    def again(self) -> bool:
        """Make ready for the next run; False where the last one left something that can't be undone."""
        if os.getpid() != self.process or has_children() or has_threads():
            return False
        gc.collect()
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self.memory > MOST_KB:
            return False
        sys.setrecursionlimit(self.limits[0])
        sys.set_int_max_str_digits(self.limits[1])
        for number, name in enumerate(STREAMS):
            os.dup2(SPARE + number, number)
            setattr(sys, name, opened(number, getattr(sys, f"__{name}__")))
        return True


def opened(number: int, like: TextIO) -> IO[str]:
    """A new stream on a descriptor, as Python opens those of a process."""
    mode, buffering = ("r" if number == 0 else "w"), (1 if like.line_buffering else -1)
    return open(number, mode, buffering, like.encoding, like.errors, newline="\n", closefd=False)


def has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def has_threads() -> bool:
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1
