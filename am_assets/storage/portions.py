"""Rows that several processes measure at once: each claims a portion that takes it some seconds, stores what it
measured and goes on with another, until none is left that nobody has.

So machines of different speed end together, one that begins later finds what is left, and one that dies leaves a
portion that others may claim. Which process draws which portion is chance, and changes nothing that comes out.
"""

import random
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import polars as pl

from am_assets.runtime import kept

PORTION_SECONDS = 8.0  # that one takes: the longest that others wait for the last
FIRST_ROWS = 64  # before it is known how long they take
PARTS_ROWS = 16_384  # of rows that are not large
PER_DRAW = 8  # of the rows at hand at most this part is drawn, so that others find some


@dataclass(frozen=True)
class Split:
    """How missing rows are divided: `parts` makes frames of them that have all that `measure` needs. `tend` is told,
    before each portion, about how many rows are left and how many this process will have measured after it; it says
    whether to go on."""

    parts: Callable[[pl.DataFrame], Iterable[pl.DataFrame]]
    measure: Callable[[pl.DataFrame], Iterable[pl.DataFrame]]
    tend: Callable[[int, int], bool]


def in_slices(missing: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """The parts of rows that have all."""
    return missing.iter_slices(PARTS_ROWS)


def one_by_one(missing: pl.DataFrame) -> Iterable[pl.DataFrame]:
    """The parts of rows that take long each, and have all."""
    return missing.iter_slices(1)


Claiming = Callable[[pl.DataFrame], AbstractContextManager[tuple[pl.DataFrame, pl.DataFrame]]]


def portions(
    missing: pl.DataFrame, split: Split, claiming: Claiming, unseen: Callable[[pl.DataFrame], pl.DataFrame]
) -> Generator[pl.DataFrame, None, pl.DataFrame]:
    """What `split.measure` yields for portions that this process claims; returns the keys of these.

    `claiming` claims rows, and says which it got and which of those are not measured yet; `unseen` are those of rows
    that are not measured yet.
    """
    taken = [missing.select("key").clear()]
    size, made, left = FIRST_ROWS, 0, missing.height
    with kept.keep_open():  # its workers
        for part in split.parts(missing):
            rest, left = part, left - part.height
            while rest.height:
                portion, rest = _drawn(rest, size)
                if not split.tend(left + portion.height + rest.height, made + portion.height):
                    return pl.concat(taken)
                at = time.monotonic()
                with claiming(portion) as (ours, todo):
                    taken.append(ours.select("key"))
                    if todo.height:
                        yield from split.measure(todo)
                made += todo.height
                if todo.height:
                    size = max(1, int(todo.height * PORTION_SECONDS / max(time.monotonic() - at, 1e-3)))
                if rest.height and todo.height < portion.height:  # others were here
                    rest = unseen(rest)
    return pl.concat(taken)


def _drawn(rows: pl.DataFrame, most: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A slice of the rows at a random place, and the others."""
    size = min(most, rows.height, max(FIRST_ROWS, rows.height // PER_DRAW))
    at = random.randrange(rows.height - size + 1)
    return rows.slice(at, size), pl.concat([rows.head(at), rows.slice(at + size)])
