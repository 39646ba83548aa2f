"""The share of a benchmark item's word n-grams that a text holds.

How n-grams are compared belongs here; whether a shared one is contamination does not (`decontaminate.py`).
"""

from typing import Any

import numpy as np

from am_assets.selection.words import HASH_BASE, Words

SHORTEST_ITEM = 4  # words; a shorter item, taken as one gram, would be found in half the pool
FILTER_BITS = 20
DECIMALS = 4  # of a share


class ItemGrams:
    """The n-grams of benchmark items, made once and held against any number of texts.

    An item of fewer words than `n` counts as one gram of its own length, if it has `SHORTEST_ITEM` words: otherwise a
    short item could never be found. Grams with a word of `without` (codes) are no grams of an item. An item of fewer
    than `least` grams counts as if it had so many. Grams are compared by a 64-bit hash of their words.
    """

    def __init__(self, items: Words, n: int, least: int = 1, without: np.ndarray | None = None):
        left_out = np.append(0, np.cumsum(np.isin(items.code, [] if without is None else without)))
        lengths = np.minimum(items.sizes(), n)
        self.lengths = [int(length) for length in np.unique(lengths) if length >= min(n, SHORTEST_ITEM)]
        self.head = min(n, SHORTEST_ITEM)  # words with which every gram begins
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
            self.lengths = []  # nothing to look for
        self.held = _incidence(np.concatenate(owners), column, (items.count, len(self.known)))
        self.sizes = np.maximum(np.diff(self.held.indptr), least)

    def shares(self, texts: Words) -> tuple[np.ndarray, np.ndarray]:
        """Of each text the largest share of any item's distinct grams that it holds, float32 from 0 to 1, and the
        number of that item: of equals the first, and 0 where the share is."""
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
        share, item = np.zeros(texts.count, np.float32), np.zeros(texts.count, np.int64)
        filled = np.flatnonzero(np.diff(common.indptr))
        if len(filled):
            scaled = np.rint(common.data / self.sizes[common.indices] * 10**DECIMALS).astype(np.int64)
            ranked = scaled * len(self.sizes) + (len(self.sizes) - 1 - common.indices)
            best = np.maximum.reduceat(ranked, common.indptr[filled])
            share[filled] = best // len(self.sizes) / 10**DECIMALS
            item[filled] = len(self.sizes) - 1 - best % len(self.sizes)
        return share, item


def _short(grams: np.ndarray) -> np.ndarray:
    """A code of `FILTER_BITS` bits for each: the top ones, as the low bits of a product are poorly mixed."""
    return (grams * HASH_BASE) >> np.uint64(64 - FILTER_BITS)


def _incidence(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Any:
    """A sparse matrix of ones where a row has a column, however often."""
    from scipy.sparse import csr_array

    matrix = csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix
