"""Progress and messages of long work, published to listeners: a progress bar in the terminal, the run's log in the UI.

with progress.listening(lambda name, done, total, note: print(name, done, total)):
    with progress.task("labels", 100) as advance:
        advance(10)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str, int, int, str], None]  # name of the task, rows done, rows in total, note
MessageListener = Callable[[str], None]  # one line of text
_listeners: list[Listener] = []
_message_listeners: list[MessageListener] = []
_note = ""


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` on all progress made during the block."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


@contextmanager
def task(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """A task of `total` rows; call the yielded function with the number of rows just finished."""
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


def note(text: str) -> None:
    """Attach `text` to the next progress event."""
    global _note
    _note = text


@contextmanager
def listening_to_messages(listener: MessageListener) -> Iterator[None]:
    """Call `listener` on every message published during the block."""
    _message_listeners.append(listener)
    try:
        yield
    finally:
        _message_listeners.remove(listener)


def message(line: str) -> None:
    """Publish a line of text."""
    for listener in _message_listeners:
        listener(line)
