"""Answers in three values, yes, no and not to be told (None), and how those on parts make one on the whole."""

from collections.abc import Sequence
from typing import Protocol

from am_assets.verification.mathematics.values import Value

Told = bool | None


class Equality(Protocol):
    """What rules compare parts with: `comparing.Within`."""

    def values(self, one: Value, other: Value) -> Told: ...

    def texts(self, one: str, other: str) -> Told:
        """Are two expressions equal?"""
        ...

    def together(self, one: Sequence[Value], other: Sequence[Value]) -> Told:
        """Are values that are equal one by one so with the same meaning of the letters that they share?"""
        ...


def all_of(told: Sequence[Told]) -> Told:
    """No if any is no, else untold if any is, else yes."""
    return False if False in told else None if None in told else True


def any_of(told: Sequence[Told]) -> Told:
    """Yes if any is yes, else untold if any is, else no."""
    return True if True in told else None if None in told else False


def in_order(one: Sequence[Value], other: Sequence[Value], same: Equality) -> Told:
    if len(one) != len(other):
        return False
    return all_of([same.values(a, b) for a, b in zip(one, other, strict=True)]) and same.together(one, other)


def in_any_order(one: Sequence[Value], other: Sequence[Value], same: Equality) -> Told:
    """Has each of `one` a partner of its own in `other`? No, if any of either has none that it may be equal to."""
    if len(one) != len(other):
        return False
    told = [[same.values(a, b) for b in other] for a in one]
    if any(all(cell is False for cell in line) for line in [*told, *zip(*told, strict=True)]):
        return False
    free = set(range(len(other)))
    for line in told:
        partner = next((at for at in sorted(free) if line[at]), None)
        if partner is None:
            return None if any(None in cells for cells in told) else False
        free.remove(partner)
    return True


def each_in(one: Sequence[Value], other: Sequence[Value], same: Equality) -> Told:
    return all_of([any_of([same.values(item, candidate) for candidate in other]) for item in one])
