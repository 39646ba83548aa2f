"""Defer SIGINT while a measurement is being stored, so that an interrupt never loses paid work."""

import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

T = TypeVar("T")


def deferring_interrupts(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield `items`; an interrupt during the consumer's work on one is deferred and then raised inside `items`.

    So the consumer finishes its item (commits it), and the producer may clean up and yield what is already complete.
    """
    with closing(items):
        item = next(items, None)
        while item is not None:
            with _deferred() as interrupts:
                yield item
            item = items.throw(interrupts[0]) if interrupts else next(items, None)


@contextmanager
def _deferred() -> Iterator[list[BaseException]]:
    """Collect, instead of raising, the exceptions of the SIGINT handler during the block."""
    interrupts: list[BaseException] = []
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield interrupts
        return
    before = signal.getsignal(signal.SIGINT)

    def collect(number: int, frame: object) -> None:
        try:
            if callable(before):
                before(number, frame)  # type: ignore[arg-type]
        except BaseException as interrupt:
            interrupts.append(interrupt)

    signal.signal(signal.SIGINT, collect)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)
