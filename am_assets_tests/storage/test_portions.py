"""Rows that several processes measure at once: each is measured by one of them, whoever comes late or dies."""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.storage.memo import Memo
from am_assets.storage.portions import Split, in_slices

SQUARE = pl.Schema({"key": pl.String, "square": pl.Int64})
ROWS = 60
WANTED = pl.DataFrame({"key": [f"k{n:02}" for n in range(ROWS)], "n": range(ROWS)})
AT_ONCE = 4  # in a frame
LEFT_OUT = 7  # a row that nobody can measure


class Work:
    """What several processes measure, and how often each row was."""

    def __init__(self) -> None:
        self.measured: Counter[int] = Counter()

    def measure(self, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for part in rows.iter_slices(AT_ONCE):
            self.measured.update(part["n"].to_list())
            told = part.select("key", square=pl.col("n") ** 2)
            yield told.filter(part["n"] != LEFT_OUT)

    def split(self, most: int) -> Split:
        """Of a process that goes on for at most so many portions."""
        left = iter(range(most))
        return Split(in_slices, self.measure, lambda *_: next(left, None) is not None)


def helping(folder: str, work: Work, most: int) -> Iterator[None]:
    """A task, which stands still after each frame that it stored."""
    memo = Memo(Path(folder))
    for frame in memo._portions("squares", memo.missing("squares", WANTED), work.split(most)):
        memo.append("squares", frame)
        yield


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 99),
    begins=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 4), st.integers(0, 9)), max_size=3),
)
def test_each_row_is_measured_once_and_the_run_has_all_whatever_becomes_of_its_tasks(
    seed: int, begins: list[tuple[int, int, int]]
) -> None:
    """Of each task: after how many frames of the run it begins, its portions, and its frames until it is killed."""
    random.seed(seed)
    work, tasks, frames = Work(), list[Iterator[None]](), 0
    with tempfile.TemporaryDirectory() as folder:

        def step(*_: object) -> None:
            nonlocal frames
            frames += 1
            tasks.extend(helping(folder, work, most) for at, most, _ in begins if at == frames)
            for task in tasks:
                next(task, None)
            for task, (at, _, lives) in zip(tasks, sorted(begins), strict=False):
                if frames - at >= lives:
                    task.close()  # type: ignore[attr-defined]

        def measure(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
            for frame in work.measure(rows):
                yield frame
                step()

        few = patch("am_assets.storage.portions.FIRST_ROWS", 8)
        with few, patch("am_assets.storage.memo.time.sleep", step):  # which is where the run waits
            filled = Memo(Path(folder)).fill(
                "squares", WANTED, work.measure, SQUARE, split=Split(in_slices, measure, lambda *_: True)
            )
        assert filled.table.select("n", "square").rows() == [(n, n * n) for n in range(ROWS) if n != LEFT_OUT]
        assert filled.new.height == ROWS - 1
        stored = Memo(Path(folder)).known("squares")
        assert stored is not None and stored.collect()["key"].is_unique().all()
    in_flight = AT_ONCE * len(begins)
    assert sum(work.measured.values()) - ROWS <= in_flight + work.measured[LEFT_OUT]
