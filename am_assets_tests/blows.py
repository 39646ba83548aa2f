"""`kill -9` of a run, a service or all of them, and what it hit."""

import random
import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

from am_assets_tests.services import Services, command_of, until

KINDS = ["run", "daemon", "webserver", "everything"]
ENDS_RUNS = {"run", "everything"}
TRAINER = "am_assets.training.sft"
OUTLIVE = 5.0  # seconds after its run by which what it started has to be gone


@dataclass(frozen=True)
class Blow:
    kind: str
    at: list[str]  # what the runs it hit, or that went on beside it, were making
    moment: float
    outlived: list[str]  # commands of processes that went on without the run that had started them

    def __str__(self) -> str:
        return f"{self.kind} at {', '.join(self.at) or 'no asset'}" + f", left {self.outlived}" * bool(self.outlived)


def strike(kind: str, services: Services, draw: random.Random) -> Blow:
    """One kill. One of a run waits for a run, and hits nothing where none comes any more."""
    if kind == "run":
        with suppress(TimeoutError):
            until(services.runs, "a run", seconds=20)
    under_way, runs = services.under_way(), services.runs()
    if kind == "run":
        runs = draw.sample(runs, min(1, len(runs)))
    started = [child for run in runs for child in _children(run)]
    at = [asset for run in runs for asset in under_way.get(run.pid, [])]
    at += ["its trainer" for child in started if TRAINER in " ".join(command_of(child))]
    moment = time.monotonic()
    if kind == "run":
        for run in runs:
            with suppress(psutil.NoSuchProcess):
                run.kill()
    for name in {"run": [], "everything": list(services.running)}.get(kind, [kind]):
        services.kill(name)
    left = psutil.wait_procs(started, timeout=OUTLIVE)[1] if kind in ENDS_RUNS else []
    return Blow(kind, at, moment, [command for child in left if (command := " ".join(command_of(child))[:200])])


def _children(run: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return run.children(recursive=True)
    return []
