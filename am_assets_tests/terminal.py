"""A terminal of 80 columns and 24 lines with a command on it: what a person would see, and keys."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path


class Seat:
    """`command` on a terminal of its own; `shown` is all that it wrote so far."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: Path | None = None):
        self.shown = ""
        self.master, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        plain = {name: value for name, value in os.environ.items() if name not in ("AM_SOURCES", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            command, env={**plain, **env, "TERM": "xterm"}, cwd=cwd, stdin=inner, stdout=inner, stderr=inner,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(inner)

    def watch(self, until: str = "$never") -> None:
        """Until what a pattern matches is shown, or the command has ended."""
        while not re.search(until, self.shown):
            try:
                self.shown += os.read(self.master, 65_536).decode(errors="replace")
            except OSError:  # the other side is closed
                break

    def type(self, key: bytes) -> None:
        os.write(self.master, key)

    def words(self) -> str:
        """What was shown, without what moves the cursor and colours."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", self.shown)
