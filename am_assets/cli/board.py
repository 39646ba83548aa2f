"""Progress of an apply: a live table of the stages on a terminal, else a line per event."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table

from am_assets.planning.plan import Outcome, Step
from am_assets.runtime import progress

CAPTION_CHARS = 60
REFRESHES_PER_SECOND = 4


@dataclass
class Stage:
    """Progress of one asset: `planned` partitions, of which some may need no run; partition and rows under way."""

    planned: int
    done: int = 0
    failed: int = 0
    seconds: float = 0
    partition: str = ""
    rows: str = ""


class Board:
    """Collects the progress of an apply and renders it as a table; prints lines where the console is no terminal."""

    def __init__(self, console: Console, steps: Sequence[Step], quiet: bool):
        self.console = console
        self.lines = not quiet and not console.is_terminal
        self.stages: dict[str, Stage] = {}
        for step in steps:
            self.stages.setdefault(step.asset, Stage(0)).planned += 1
        self.at: Stage | None = None
        self.started = self.rows_started = 0.0
        self.caption = ""

    def start(self, step: Step) -> None:
        self.at = self.stages.setdefault(step.asset, Stage(1))
        self.at.partition, self.at.rows = step.partition, ""
        self.started = time.monotonic()
        self.caption = ""
        if self.lines:
            self._line(f"{step.asset}[{step.partition}]: {step.because}")

    def finish(self, outcome: Outcome) -> None:
        stage = self.stages.setdefault(outcome.step.asset, Stage(1))
        if outcome.result != "waits":
            seconds = time.monotonic() - self.started
            stage.seconds += seconds
            stage.done += outcome.result == "done"
            if self.lines:
                self._line(f"{outcome.step.asset}[{outcome.step.partition}]: {outcome.result} in {seconds:.1f} s")
        stage.failed += outcome.result != "done"
        stage.partition = stage.rows = ""
        self.at = None

    def row(self, name: str, done: int, total: int, note: str) -> None:
        """Progress of rows of the current step, a listener of `runtime.progress`."""
        if not done:
            self.rows_started = time.monotonic()
        if self.at is not None:
            rate = done / max(time.monotonic() - self.rows_started, 1e-3)
            self.at.rows = f"{name} {done:,} of {total:,}" + (f", {rate:,.0f} a second" if done else "")
            self.at.rows += f" ({note})" if note else ""

    def say(self, line: str) -> None:
        self.caption = line.splitlines()[0][:CAPTION_CHARS] if line.strip() else ""

    def __rich__(self) -> Table:
        table = Table("stage", "partitions", "at", "rows", "seconds", caption=self.caption or None)
        for name, stage in self.stages.items():
            count = f"{stage.done} of {stage.planned}" + (f", {stage.failed} failed" if stage.failed else "")
            running = time.monotonic() - self.started if stage is self.at else 0
            seconds = f"{stage.seconds + running:,.1f}" if stage.seconds + running else ""
            style = "bold" if stage is self.at else "dim" if not stage.seconds else None
            table.add_row(name, count, stage.partition, stage.rows, seconds, style=style)
        return table

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def show_progress(console: Console, steps: Sequence[Step], quiet: bool = False) -> Iterator[Board]:
    """A board that listens to all progress in this block; with `quiet` it shows nothing."""
    board = Board(console, steps, quiet)
    with progress.listening(board.row), progress.listening_to_messages(board.say):
        if quiet or not console.is_terminal or not steps:
            yield board
            return
        with Live(board, console=console, refresh_per_second=REFRESHES_PER_SECOND):
            yield board
