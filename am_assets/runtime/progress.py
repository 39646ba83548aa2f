"""Progress of long work, told to whoever listens: a bar in the terminal, the run's log in the UI, nobody in a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, int, int, str], None]  # name of the work, done, total, a note
Hearer = Callable[[str], None]  # a line of the log
_listeners: list[Listener] = []
_hearers: list[Hearer] = []
_note = ""


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of all progress made in this block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def task(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Announce work of `total` rows; call the yielded function with the number of rows just finished."""
    done = 0

    def advance(rows: int) -> None:
        global _note
        nonlocal done
        done += rows
        for listener in _listeners:
            listener(name, done, total, _note)
        _note = ""

    advance(0)
    yield advance


def note(words: str) -> None:
    """Words to go with the next advance: what a bare number does not tell."""
    global _note
    _note = words


@contextmanager
def hearing(hearer: Hearer) -> Iterator[None]:
    """Tell `hearer` of every line that is said in this block."""
    _hearers.append(hearer)
    try:
        yield
    finally:
        _hearers.remove(hearer)


def say(line: str) -> None:
    for hearer in _hearers:
        hearer(line)
