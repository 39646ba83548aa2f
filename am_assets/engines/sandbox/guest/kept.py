"""Lists, sets and dicts of earlier calls that both the program and its tests still hold: they are the same for both.

With each answer the candidate says which it holds, with each request the judge which of these the tests hold, and both
what they changed in them.
"""

import collections
import sys
from collections.abc import Callable
from typing import Any

from am_assets.engines.sandbox.guest.wire import MUTABLE, Form, Shared

ITEMS = 100  # in all that is kept, since each exchange compares them
TOO_MANY = 10 * ITEMS  # whatever the other side says
HOLD = (list, tuple, set, frozenset, dict, collections.deque)


class Kept:
    """What is kept, and its content at the last exchange."""

    def __init__(self, values: list[Any], encode: Callable[[Any], Form]) -> None:
        if sum(weight(value, TOO_MANY) for value in values) > TOO_MANY:
            raise ValueError("too much")
        self.values = values
        self.encode = encode
        self.forms = [encode(value) for value in values]

    def changes(self) -> list[int]:
        """The numbers of those that are not as they were when this was asked last."""
        before, self.forms = self.forms, [self.encode(value) for value in self.values]
        return [number for number, form in enumerate(self.forms) if form != before[number]]

    def used(self) -> tuple[list[int], list[int]]:
        """The numbers of those that something else refers to or that are not as they were; and of the latter, their
        places among these."""
        alone, changed = references([[]], 0), self.changes()
        some = [at for at in range(len(self.values)) if at in changed or references(self.values, at) > alone]
        return some, [place for place, at in enumerate(some) if at in changed]

    def only(self, some: list[int]) -> "Kept":
        """What is kept, without all others."""
        left = Kept([], self.encode)
        left.values, left.forms = ([whole[number] for number in some] for whole in (self.values, self.forms))
        return left


def weight(value: Any, most: int) -> int:
    """How many values it is and holds, counted up to `most`."""
    count = 1
    if isinstance(value, HOLD):
        for item in dict.values(value) if isinstance(value, dict) else value:
            if count > most:
                break
            count += weight(item, most - count)
    return count


def references(values: list[Any], number: int) -> int:
    return sys.getrefcount(values[number])


def held(shared: Shared, numbers: set[int], kept: Kept) -> list[int]:
    """Those of the `numbers` in an exchange, and of what is kept, whose values something else refers to: the latest
    first, as many as there is room for."""
    alone, room, found = references([[]], 0), ITEMS, []
    for number in sorted(numbers | {*range(len(kept.values))}, reverse=True):
        value = shared.values[number]
        size = weight(value, ITEMS) if type(value) in MUTABLE else ITEMS + 1
        del value
        if size <= room and references(shared.values, number) > alone + (number < len(kept.values)):
            found.append(number)
            room -= size
    return found
