"""Progress of an apply: a live table of the stages on a terminal, else lines, one at least every 15 seconds."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import mean

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from am_assets.cli.terminal import own_handle, silenced
from am_assets.planning.steps import Lost, Outcome, Placed, Step
from am_assets.runtime import progress
from am_assets.runtime.quoting import visible
from am_assets.runtime.wording import lasting, roughly

REFRESHES_PER_SECOND = 4
LIFE_SECONDS = 15.0  # without a line, after which one says what is going on
PARTITION_CHARS = 16
SOON = 10.0  # seconds, below which none are counted down
AROUND = 6  # lines of a terminal that the stages leave to the head of the table and what stands around it


@dataclass
class Stage:
    """Progress of one asset: `planned` partitions, of which some may need no run; partition and rows under way."""

    planned: int
    done: int = 0
    failed: int = 0
    seconds: float = 0
    partition: str = ""
    rows: str = ""
    took: list[float] = field(default_factory=list)  # seconds by partition done
    elsewhere: dict[str, str] = field(default_factory=dict)  # partitions under way on a cluster, and their machines


class Board:
    """Collects the progress of an apply; renders it as a table, or prints lines where the console is no terminal.

    `expected` are seconds by step, as far as they are known beforehand; others of an asset are timed by the first.
    """

    def __init__(self, console: Console, steps: Sequence[Step], expected: Mapping[Step, float], quiet: bool):
        self.console = console
        self.lines = not quiet and not console.is_terminal
        self.steps, self.expected = list(steps), expected
        self.places = {(step.asset, step.partition): place for place, step in enumerate(steps, start=1)}
        self.stages: dict[str, Stage] = {}
        for step in steps:
            self.stages.setdefault(step.asset, Stage(0)).planned += 1
        self.at: Step | None = None
        self.since: dict[Step, float] = {}  # by step under way: several where a cluster carries them out
        self.place = 0  # of the furthest step that began or ended, among those planned
        self.began = self.started = self.rows_started = self.spoke = time.monotonic()
        self.caption = self.task = ""  # the latest message, and the name of the rows under way
        self.rows_left: float | None = None

    def start(self, step: Step) -> None:
        stage = self.stages.setdefault(step.asset, Stage(1))
        stage.partition, stage.rows = step.partition, ""
        self.place = max(self.place, self.places.get((step.asset, step.partition), 0))
        self.started, self.caption, self.rows_left, self.at = time.monotonic(), "", None, step
        self.since[step] = self.started
        self._line(f"{step.asset}[{step.partition}]: {step.because}")

    def locate(self, placed: Placed) -> None:
        """Say which machine carries out a step."""
        stage = self.stages[placed.step.asset]
        stage.elsewhere[placed.step.partition] = placed.host
        stage.rows = ", ".join(f"{partition} on {host}" for partition, host in stage.elsewhere.items())
        self._line(f"{placed.step.asset}[{placed.step.partition}]: on {placed.host}")

    def lose(self, lost: Lost) -> None:
        """Say that a step has to be carried out again."""
        step = lost.step
        self.since.pop(step, None)
        self.stages[step.asset].elsewhere.pop(step.partition, None)
        self._line(f"{step.asset}[{step.partition}]: {lost.why}: it is submitted again")

    def finish(self, outcome: Outcome) -> None:
        step, now = outcome.step, time.monotonic()
        seconds = now - self.since.pop(step, now)
        stage = self.stages.setdefault(step.asset, Stage(1))
        stage.elsewhere.pop(step.partition, None)
        self.place = max(self.place, self.places.get((step.asset, step.partition), 0))
        self.at = next(reversed(self.since), None)
        self.started = self.since[self.at] if self.at else now
        if outcome.result != "waits":
            stage.seconds += seconds
            stage.took.append(seconds)
            stage.done += outcome.result == "done"
            self._line(f"{step.asset}[{step.partition}]: {outcome.result} in {lasting(seconds)}; {self.time()}")
        stage.failed += outcome.result != "done"
        stage.partition = stage.rows = ""

    def row(self, name: str, done: int, total: int, note: str) -> None:
        """Progress of rows of the current step, a listener of `runtime.progress`."""
        self.task, now = name, time.monotonic()
        if not done:
            self.rows_started = now
        if self.at is not None:
            spent = max(now - self.rows_started, 1e-3)
            rows = f"{name} {done:,} of {total:,}" + (f", {done / spent:,.0f} a second" if done else "")
            self.stages[self.at.asset].rows = rows + (f" ({note})" if note else "")
            self.rows_left = spent / done * (total - done) if done else None

    def say(self, line: str) -> None:
        if not line.startswith(f"{self.task}: "):  # the log of the run tells of rows too
            self.caption = visible(line.splitlines()[0]) if line.strip() else ""

    def live(self) -> None:
        """Say what is going on, where nothing was said for a while."""
        at = self.at
        if at is None or time.monotonic() - self.spoke < LIFE_SECONDS:
            return
        doing = ", ".join(filter(None, [self.stages[at.asset].rows, self.caption])) or "under way"
        self._line(f"{at.asset}[{at.partition}]: {doing}; {lasting(time.monotonic() - self.started)}; {self.time()}")

    def time(self) -> str:
        """How long it took so far, and how much is left as far as that is known."""
        left, unknown = self._left()
        words = f"{lasting(time.monotonic() - self.began)} so far"
        if left < SOON:
            return words if unknown else f"{words}, under {SOON:.0f} s left"
        return f"{words}, {'at least' if unknown else 'about'} {roughly(left)} left"

    def _left(self) -> tuple[float, bool]:
        """Seconds that are left, and whether there are steps of which it is not known."""
        left, unknown = 0.0, False
        for step in self.steps[self.place :]:
            seconds = self._seconds(step)
            left, unknown = left + (seconds or 0.0), unknown or seconds is None
        if self.at:
            expected, spent = self._seconds(self.at), time.monotonic() - self.started
            now = self.rows_left if self.rows_left is not None else expected and max(expected - spent, 0.0)
            left, unknown = left + (now or 0.0), unknown or now is None
        return left, unknown

    def _seconds(self, step: Step) -> float | None:
        took = self.stages[step.asset].took
        return self.expected.get(step, mean(took) if took else None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Group(Text(f"[{self.place}/{len(self.steps)}] {self.time()}"), self._table(console.size.height - AROUND),
                    Text(self.caption, style="italic", no_wrap=True, overflow="ellipsis"))  # fmt: skip

    def _table(self, height: int) -> Table:
        """The stages that fit around the one under way."""
        names = [*self.stages]
        here = names.index(self.at.asset) if self.at else 0
        first = max(0, min(here - height // 2, len(names) - height))
        table = Table(
            Column("stage", no_wrap=True),
            Column("partitions", justify="right", no_wrap=True),
            Column("at", max_width=PARTITION_CHARS),
            Column("rows", ratio=1),  # alone gives way on a narrow terminal
            Column("seconds", justify="right", no_wrap=True),
            box=SIMPLE_HEAD,
            pad_edge=False,
        )
        for name in names[first : first + max(height, 1)]:
            stage, running = self.stages[name], self.at is not None and self.at.asset == name
            count = f"{stage.done} of {stage.planned}" + (f", {stage.failed} failed" if stage.failed else "")
            spent = stage.seconds + (time.monotonic() - self.started if running else 0)
            style = "bold" if running else None if stage.seconds else "dim"
            cells = (Text(words, no_wrap=True, overflow="ellipsis") for words in (stage.partition, stage.rows))
            table.add_row(name, count, *cells, f"{spent:,.1f}" if spent else "", style=style)
        return table

    def _line(self, text: str) -> None:
        self.spoke = time.monotonic()
        if self.lines:
            words = f"[{self.place}/{len(self.steps)}] {text}"
            self.console.print(words, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def show_progress(
    console: Console, steps: Sequence[Step], expected: Mapping[Step, float] | None = None, quiet: bool = False
) -> Iterator[Board]:
    """A board that listens to all progress in this block; with `quiet` it shows nothing."""
    with own_handle(console) as own:
        board = Board(own, steps, expected or {}, quiet)
        with progress.listening(board.row), progress.listening_to_messages(board.say):
            if quiet or not steps:
                yield board
            elif not own.is_terminal:
                with _signs_of_life(board):
                    yield board
            else:  # what is printed elsewhere stays where it goes: in a step that is the compute log
                with silenced(), Live(board, console=own, refresh_per_second=REFRESHES_PER_SECOND,
                                      redirect_stdout=False, redirect_stderr=False):  # fmt: skip
                    yield board


@contextmanager
def _signs_of_life(board: Board) -> Iterator[None]:
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(1):
            board.live()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
