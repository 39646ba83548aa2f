"""Interrupts: they are deferred while a measurement is being stored, so that they never lose paid work; SIGTERM is a
SIGINT that ends the process in any case."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")
ENDING = (signal.SIGINT, signal.SIGTERM)


def deferring_interrupts(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield `items`; an interrupt during the consumer's work on one is deferred and then raised inside `items`.

    So the consumer finishes its item (commits it), and the producer may clean up and yield what is already complete.
    """
    with closing(items):
        item = next(items, None)
        while item is not None:
            with collected_interrupts() as interrupts:
                yield item
            item = items.throw(interrupts[0]) if interrupts else next(items, None)


@contextmanager
def collected_interrupts() -> Iterator[list[BaseException]]:
    """Collect, instead of raising, the exceptions of the handlers of SIGINT and SIGTERM during the block, which looks
    for them where nothing is in its hands. (In a step of Dagster both raise, each by itself.)"""
    interrupts: list[BaseException] = []
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield interrupts
        return
    before: dict[int, Any] = {number: found for number in ENDING if callable(found := signal.getsignal(number))}

    def collect(number: int, frame: FrameType | None) -> None:
        try:
            before[number](number, frame)
        except BaseException as interrupt:
            interrupts.append(interrupt)

    for number in before:
        signal.signal(number, collect)
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ending_on_sigterm(seconds: float) -> Iterator[None]:
    """SIGTERM interrupts the block as SIGINT does, and kills the process (exit code 143) where it is still there after
    `seconds`: whoever stops services waits no longer than that before SIGKILL.

    Only in the main thread; else the block runs as it is.
    """
    before = signal.getsignal(signal.SIGTERM)
    main = threading.current_thread() is threading.main_thread()
    if main:
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with ending_within(seconds, {signal.SIGTERM}):
            yield
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def ending_within(
    seconds: float,
    signals: Collection[int] = ENDING,
    at_last: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Kill the process, after `at_last`, where the block is still there `seconds` after one of `signals`, whatever
    handles that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    hears, tells = socket.socketpair()
    tells.setblocking(False)
    earlier = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)  # heard while the main thread is in C

    def watch() -> None:
        while number := hears.recv(1):
            if number[0] in signals:
                time.sleep(seconds)
                with suppress(Exception):
                    at_last()
                os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier)
        tells.close()
