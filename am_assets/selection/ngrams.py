"""The share of a benchmark item's word n-grams that a text contains.

Counting only; whether a share is contamination is decided in `decontaminate.py`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from am_assets.selection.words import HASH_BASE, Words

SHORTEST_ITEM = 4  # words; a shorter item, as one n-gram, would match much of the pool
FILTER_BITS = 20
DECIMALS = 4  # of a share


class ItemGrams:
    """An index of the word n-grams of benchmark items, built once and matched against any number of texts.

    An item shorter than `n` words is one n-gram of its own length, if it has `SHORTEST_ITEM` words: otherwise a short
    item could never match. N-grams with a word of `without` (codes) are left out. `least` is the smallest denominator
    of a share. N-grams are compared by a 64-bit hash of their words.

    >>> shares, items = ItemGrams(benchmark_words, n=13).shared(question_words).largest()
    """

    def __init__(self, items: Words, n: int, least: int = 1, without: np.ndarray | None = None):
        left_out = np.append(0, np.cumsum(np.isin(items.code, [] if without is None else without)))
        lengths = np.minimum(items.sizes(), n)
        self.lengths = [int(length) for length in np.unique(lengths) if length >= min(n, SHORTEST_ITEM)]
        self.head = min(n, SHORTEST_ITEM)  # length of the prefix of every n-gram, for a Bloom-like filter
        self.heads = np.zeros(1 << FILTER_BITS, dtype=bool)
        self.heads[_short(items.grams(self.head)[1])] = True
        owners, grams = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.uint64)]
        for length in self.lengths:
            at, gram = items.grams(length)
            own = (lengths[items.text[at]] == length) & (left_out[at] == left_out[at + length])
            owners.append(items.text[at[own]])
            grams.append(gram[own])
        self.known, column = np.unique(np.concatenate(grams), return_inverse=True)
        if not len(self.known):
            self.lengths = []  # no n-grams at all
        self.held = _incidence(np.concatenate(owners), column, (items.count, len(self.known)))
        self.sizes = np.maximum(np.diff(self.held.indptr), least)

    def shared(self, texts: Words) -> "Shared":
        """Which share of each item's distinct n-grams each text contains."""
        rows, columns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        begins, head = texts.grams(self.head)
        likely = begins[self.heads[_short(head)]]
        for length in self.lengths:
            at, gram = texts.grams(length, likely)
            column = np.searchsorted(self.known, gram).clip(max=len(self.known) - 1)
            known = self.known[column] == gram
            rows.append(texts.text[at[known]])
            columns.append(column[known])
        held = _incidence(np.concatenate(rows), np.concatenate(columns), (texts.count, len(self.known)))
        common = held @ self.held.T
        scaled = np.rint(common.data / self.sizes[common.indices] * 10**DECIMALS).astype(np.int64)
        return Shared(common.indptr, common.indices, scaled, len(self.sizes))


@dataclass(frozen=True)
class Shared:
    """Texts by items, where they share n-grams: `ends`, `item` and `scaled` are a sparse matrix by rows, its values
    shares in units of 10**-DECIMALS."""

    ends: np.ndarray
    item: np.ndarray
    scaled: np.ndarray
    items: int

    def largest(self) -> tuple[np.ndarray, np.ndarray]:
        """For each text the largest share, float32 in [0, 1], and the index of that item: the first on a tie, 0 where
        the share is 0."""
        texts = len(self.ends) - 1
        share, item = np.zeros(texts, np.float32), np.zeros(texts, np.int64)
        filled = np.flatnonzero(np.diff(self.ends))
        if len(filled):
            ranked = self.scaled * self.items + (self.items - 1 - self.item)
            best = np.maximum.reduceat(ranked, self.ends[filled])
            share[filled] = best // self.items / 10**DECIMALS
            item[filled] = self.items - 1 - best % self.items
        return share, item

    def pairs(self, floor: float = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(texts, items, shares) of all pairs whose share is above 0 and at or above `floor`."""
        there = np.flatnonzero(self.scaled >= max(np.ceil(floor * 10**DECIMALS - 1e-6), 1))
        text = np.searchsorted(self.ends, there, side="right") - 1
        return text, self.item[there], (self.scaled[there] / 10**DECIMALS).astype(np.float32)


def _short(grams: np.ndarray) -> np.ndarray:
    """The top `FILTER_BITS` bits of a multiplicative hash, whose low bits are poorly mixed."""
    return (grams * HASH_BASE) >> np.uint64(64 - FILTER_BITS)


def _incidence(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Any:
    """A sparse 0/1 matrix with a 1 for each distinct (row, column)."""
    from scipy.sparse import csr_array

    matrix = csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
