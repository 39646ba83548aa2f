"""Greedy selection of representatives: in order of priority, a question is kept unless a kept one is similar to it.

Defined one question at a time and computed for many at once: a question is decided as soon as a better similar one is
kept, or all better similar ones are dropped. Questions are integers here, 0 the best. Nothing here knows ids or texts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from am_assets.selection import cosines

UNDECIDED, KEPT, DROPPED = np.int8(0), np.int8(1), np.int8(2)
ROUNDS = 64  # more are needed only by long chains sorted by priority, which are then decided one by one
BLOCK = 1_024  # crowded questions decided together
KEPT_AT_ONCE = 8_192


@dataclass(frozen=True)
class SimilarityGraph:
    """The similarity of `count` questions.

    `worse`, `better`, `cosine`: the listed pairs, sorted by worse, then better. `crowd`: in ascending order, the
    questions whose pairs among themselves are not listed but computed from their `vectors` (crowd by dimension).
    """

    count: int
    worse: np.ndarray
    better: np.ndarray
    cosine: np.ndarray
    crowd: np.ndarray
    vectors: np.ndarray

    def kept(self, threshold: float) -> np.ndarray:
        """Which questions are kept: bool of shape (count,)."""
        near = self.cosine >= np.float32(threshold)
        worse, better = self.worse[near], self.better[near]
        fate = np.full(self.count, KEPT)
        kept_crowd = [self.vectors[:0]]  # vectors of kept crowded questions
        for block, listed in self._in_turn(worse):
            members, vectors = self.crowd[block], self.vectors[block]
            for chunk in kept_crowd:
                fate[members[cosines.reach(vectors, chunk, threshold).any(axis=1)]] = DROPPED
            later, sooner = np.nonzero(np.tril(cosines.reach(vectors, vectors, threshold), -1))
            _decide(fate, np.append(worse[listed], members[later]), np.append(better[listed], members[sooner]))
            kept_crowd[-1] = np.concatenate([kept_crowd[-1], vectors[fate[members] == KEPT]])
            if len(kept_crowd[-1]) >= KEPT_AT_ONCE:
                kept_crowd.append(self.vectors[:0])
        return fate == KEPT

    def representatives(self, is_kept: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each dropped question: the question, the best kept one at or above `threshold` to it, their cosine."""
        deciding = (self.cosine >= np.float32(threshold)) & is_kept[self.better] & ~is_kept[self.worse]
        found = [(self.worse[deciding], self.better[deciding], self.cosine[deciding])]
        kept_crowd, dropped = (np.flatnonzero(of) for of in (is_kept[self.crowd], ~is_kept[self.crowd]))
        for start in range(0, len(dropped), BLOCK):
            block = dropped[start : start + BLOCK]
            for at_once in range(0, len(kept_crowd), KEPT_AT_ONCE):
                kept = kept_crowd[at_once : at_once + KEPT_AT_ONCE]
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
        """Consecutive ranges of questions with at most BLOCK crowded ones: the slice of the crowd, and the slice of the
        listed pairs whose worse question lies in the range."""
        first = 0
        for start in range(0, max(len(self.crowd), 1), BLOCK):
            stop = start + BLOCK
            end = int(self.crowd[stop]) if stop < len(self.crowd) else self.count
            last = int(np.searchsorted(worse, end))
            yield slice(start, stop), slice(first, last)
            first = last


def _decide(fate: np.ndarray, worse: np.ndarray, better: np.ndarray) -> None:
    """Decides the questions `worse` in place; every `better` one is either decided already or among `worse` too."""
    open_pairs = fate[worse] != DROPPED
    worse, better = worse[open_pairs], better[open_pairs]
    fate[worse] = UNDECIDED
    for _ in range(ROUNDS):
        of_better = fate[better]
        fate[worse[of_better == KEPT]] = DROPPED
        undecided = fate[worse] == UNDECIDED
        waits = undecided & (of_better == UNDECIDED)
        fate[worse[undecided]] = KEPT
        fate[worse[waits]] = UNDECIDED
        worse, better = worse[waits], better[waits]
        if not len(worse):
            return
    fate[worse] = KEPT
    order = np.lexsort((better, worse))
    for one, other in zip(worse[order].tolist(), better[order].tolist(), strict=True):
        if fate[other] == KEPT:
            fate[one] = DROPPED
