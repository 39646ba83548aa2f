"""How tests direct the stand-in for vllm and sglang, and look for what is left of it."""

import json
import math
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from am_assets.config.endpoints import Endpoint

MODEL = "hosted_vllm/some/model"
SCRIPT = Path(__file__).parent / "standin.py"


class Standin:
    """How the stand-in behaves, and what came of it."""

    def __init__(self, home: Path):
        self.home = home

    def says(self, **how) -> None:
        (self.home / "says.json").write_text(json.dumps(how))

    def lines(self, file: str) -> list[dict]:
        path = self.home / file
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def kill(self) -> None:
        """End the server that started last, without a word."""
        for start in self.lines("starts")[-1:]:
            with suppress(ProcessLookupError):
                os.kill(start["pid"], signal.SIGKILL)

    def left(self) -> list[int]:
        """The processes of all servers that still run."""
        pids = [(line[name], line["at"]) for line in self.lines("starts") for name in ("pid", "worker")]
        return [pid for pid, at in pids if running(pid, at)]


def running(pid: int, at: float = math.inf) -> bool:
    """Whether a process is there that was at this time; numbers come again."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return process.create_time() <= at + 1 and process.status() != psutil.STATUS_ZOMBIE
    return False


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def endpoint(engine: str = "vllm", concurrency: int = 4, **serve) -> Endpoint:
    return Endpoint.model_validate({"serve": {"engine": engine, **serve}, "concurrency": concurrency})


def on_path(home: Path) -> dict[str, str]:
    """The variables under which vllm and sglang are the stand-in, which keeps its notes in `home`."""
    commands = home / "bin"
    commands.mkdir()
    for name in ("vllm", "sglang"):
        words = f'exec {shlex.quote(sys.executable)} {shlex.quote(str(SCRIPT))} "$@"'
        (commands / name).write_text(f"#!/bin/sh\n{words}\n")
        (commands / name).chmod(0o755)
    return {"PATH": f"{commands}:{os.environ['PATH']}", "STANDIN": str(home)}
