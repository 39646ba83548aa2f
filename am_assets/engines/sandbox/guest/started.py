"""Tests that start the program as a file, `python solution.py`: each start is a run of a script (`scripts.py`)."""

import io
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from typing import Any

from am_assets.engines.sandbox.guest.languages import Ended
from am_assets.engines.sandbox.guest.shadows import Here

COMMAND = re.compile(r"python[\d.]*|py")
CODE = re.compile(r"ended with (\d+)$")


def start_by(run_program: Callable[[str], str]) -> None:
    """Have all of `subprocess` start the program."""
    subprocess.Popen = lambda *arguments, **named: Started(run_program, *arguments, **named)  # type: ignore


class Started:
    """What `subprocess.run` and its kin need of a process."""

    def __init__(self, run_program: Callable[[str], str], args: Any, *_: Any, **named: Any) -> None:
        words = shlex.split(args) if isinstance(args, str) else [os.fspath(word) for word in args]
        known = len(words) == 2 and COMMAND.fullmatch(os.path.basename(words[0])) and words[1].endswith("solution.py")
        if not known:
            raise Here.peer.refusal("run other commands than python solution.py")
        self.run_program, self.args, self.named = run_program, args, named
        self.returncode: int | None = None

    def __enter__(self) -> "Started":
        return self

    def __exit__(self, *_: Any) -> None: ...

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:
        stdin = self.named.get("stdin")
        given = input or (stdin.read() if isinstance(stdin, io.IOBase) else "")
        stdout, stderr, self.returncode = "", "", 0
        try:
            stdout = self.run_program(given.decode() if isinstance(given, bytes) else given)
        except Ended as error:
            if not str(error).startswith("exception: ") or not (code := CODE.search(str(error))):
                raise
            stderr, self.returncode = str(error).removeprefix("exception: "), int(code[1])
        return self.said("stdout", stdout), self.said("stderr", stderr)

    def said(self, stream: str, text: str) -> Any:
        """What the tests asked for of a stream, as they asked for it."""
        if not self.named.get(stream):
            return None
        return (
            text if any(self.named.get(name) for name in ("text", "universal_newlines", "encoding")) else text.encode()
        )

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        self.communicate()
        return self.returncode

    def kill(self) -> None: ...
