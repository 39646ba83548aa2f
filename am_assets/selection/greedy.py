"""Who stays of questions that are alike: walking best first, a question stays unless one that stayed is near it.

The walk is defined one question at a time and worked out many at a time: a question is decided as soon as one near it
stays or all better ones near it go. Questions are numbers here, 0 the best.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from am_assets.selection import cosines

UNDECIDED, STAYS, GOES = np.int8(0), np.int8(1), np.int8(2)
ROUNDS = 64  # more are only needed by chains that happen to lie in the order of priority
BLOCK = 1_024  # of a crowd, decided together
KEPT_AT_ONCE = 8_192


@dataclass(frozen=True)
class Likeness:
    """How near `count` questions lie to each other.

    `worse`, `better`, `cosine`: the listed pairs, sorted by worse, then better. `crowd`: questions in ascending order
    whose pairs among themselves are not listed, and `vectors` of shape (crowd, dimension), from which these follow.
    """

    count: int
    worse: np.ndarray
    better: np.ndarray
    cosine: np.ndarray
    crowd: np.ndarray
    vectors: np.ndarray

    def stay(self, threshold: float) -> np.ndarray:
        """Of each question whether it stays: bool of shape (count,)."""
        near = self.cosine >= np.float32(threshold)
        worse, better = self.worse[near], self.better[near]
        fate = np.full(self.count, STAYS)
        staying = [self.vectors[:0]]  # of the crowd
        for block, listed in self._in_turn(worse):
            members, vectors = self.crowd[block], self.vectors[block]
            for kept in staying:
                fate[members[cosines.reach(vectors, kept, threshold).any(axis=1)]] = GOES
            later, sooner = np.nonzero(np.tril(cosines.reach(vectors, vectors, threshold), -1))
            _decide(fate, np.append(worse[listed], members[later]), np.append(better[listed], members[sooner]))
            staying[-1] = np.concatenate([staying[-1], vectors[fate[members] == STAYS]])
            if len(staying[-1]) >= KEPT_AT_ONCE:
                staying.append(self.vectors[:0])
        return fate == STAYS

    def representatives(self, stays: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the questions that go: the question, the best staying one at or above `threshold` to it, their cosine."""
        deciding = (self.cosine >= np.float32(threshold)) & stays[self.better] & ~stays[self.worse]
        found = [(self.worse[deciding], self.better[deciding], self.cosine[deciding])]
        staying, going = (np.flatnonzero(of) for of in (stays[self.crowd], ~stays[self.crowd]))
        for start in range(0, len(going), BLOCK):
            block = going[start : start + BLOCK]
            for at_once in range(0, len(staying), KEPT_AT_ONCE):
                kept = staying[at_once : at_once + KEPT_AT_ONCE]
                better = cosines.reach(self.vectors[block], self.vectors[kept], threshold) & (kept < block[:, None])
                at = np.flatnonzero(better.any(axis=1))
                gone, by = block[at], kept[better[at].argmax(axis=1)]
                cosine = cosines.of_pairs(self.vectors, self.vectors, gone, by)
                found.append((self.crowd[gone], self.crowd[by], cosine))
        worse, better, cosine = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.lexsort((better, worse))
        gone, first = np.unique(worse[order], return_index=True)
        return gone, better[order][first], cosine[order][first]

    def _in_turn(self, worse: np.ndarray) -> Iterator[tuple[slice, slice]]:
        """The questions in order, cut so that no piece holds more than a block of the crowd: that block, and the listed
        pairs whose worse question lies in the piece."""
        first = 0
        for start in range(0, max(len(self.crowd), 1), BLOCK):
            stop = start + BLOCK
            end = int(self.crowd[stop]) if stop < len(self.crowd) else self.count
            last = int(np.searchsorted(worse, end))
            yield slice(start, stop), slice(first, last)
            first = last


def _decide(fate: np.ndarray, worse: np.ndarray, better: np.ndarray) -> None:
    """Decides the questions `worse` of these pairs; every better one is decided already or a worse one of its own."""
    open_pairs = fate[worse] != GOES
    worse, better = worse[open_pairs], better[open_pairs]
    fate[worse] = UNDECIDED
    for _ in range(ROUNDS):
        of_better = fate[better]
        fate[worse[of_better == STAYS]] = GOES
        undecided = fate[worse] == UNDECIDED
        waits = undecided & (of_better == UNDECIDED)
        fate[worse[undecided]] = STAYS
        fate[worse[waits]] = UNDECIDED
        worse, better = worse[waits], better[waits]
        if not len(worse):
            return
    fate[worse] = STAYS
    order = np.lexsort((better, worse))
    for one, other in zip(worse[order].tolist(), better[order].tolist(), strict=True):
        if fate[other] == STAYS:
            fate[one] = GOES
