"""Ctrl-C while measurements are being stored: they are, and then the measuring hears of it."""

import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

T = TypeVar("T")


def told_to_maker(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """`items`, one by one. An interrupt that comes while the taker has one is raised where `items` made it, so that the
    taker is done with it and `items` may still hand on what is finished."""
    with closing(items):
        item = next(items, None)
        while item is not None:
            with _held() as came:
                yield item
            item = items.throw(came[0]) if came else next(items, None)


@contextmanager
def _held() -> Iterator[list[BaseException]]:
    """What interrupts would have raised in this block."""
    came: list[BaseException] = []
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield came
        return
    before = signal.getsignal(signal.SIGINT)

    def hold(number: int, frame: object) -> None:
        try:
            if callable(before):
                before(number, frame)  # type: ignore[arg-type]
        except BaseException as interrupt:
            came.append(interrupt)

    signal.signal(signal.SIGINT, hold)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)
