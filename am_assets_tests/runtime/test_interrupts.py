"""An interrupt while something is stored is raised in the measuring, after it was stored."""

import signal

import pytest

from am_assets.runtime.interrupts import deferring_interrupts


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_what_is_being_stored_is_stored_and_what_is_finished_is_still_handed_on(heard: None, number: int) -> None:
    stored = []

    def measured():
        try:
            yield 1
            yield 2
        except KeyboardInterrupt:
            yield 3  # was in flight
            raise

    with pytest.raises(KeyboardInterrupt):
        for item in deferring_interrupts(measured()):
            if item == 1:
                signal.raise_signal(number)
            stored.append(item)
    assert stored == [1, 3]


def test_without_an_interrupt_all_comes_and_the_handler_is_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert list(deferring_interrupts(number for number in range(3))) == [0, 1, 2]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_taker_that_fails_closes_the_measuring() -> None:
    closed = []

    def measured():
        try:
            yield 1
        finally:
            closed.append(True)

    def take() -> None:
        for _ in deferring_interrupts(measured()):
            raise ValueError

    with pytest.raises(ValueError):
        take()
    assert closed
