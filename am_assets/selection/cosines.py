"""Cosine similarity of unit vectors, with results that do not depend on the block size of the computation."""

from collections.abc import Iterator

import numpy as np

DECIMALS = 6  # the precision of a float32 dot product of unit vectors; identical vectors give 1
SLACK = 1e-4  # upper bound on how much a matrix product or an index underestimates the exact cosine
AT_ONCE = 65_536  # pairs
TILE = (1_024, 8_192)  # rows and columns multiplied at once: 32 MB of products


def exact(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Row-wise cosine of `left` and `right` (both n by d), float32 rounded to DECIMALS.

    Computed pair by pair, since the rounding of a matrix product depends on the shape of the block.
    """
    return np.einsum("ij,ij->i", left, right).round(DECIMALS).clip(max=1)


def of_pairs(left: np.ndarray, right: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """`exact` for the pairs (`left[rows[i]]`, `right[columns[i]]`)."""
    parts = [np.empty(0, np.float32)]
    for start in range(0, len(rows), AT_ONCE):
        now = slice(start, start + AT_ONCE)
        parts.append(exact(left[rows[now]], right[columns[now]]))
    return np.concatenate(parts)


def tiles(left: np.ndarray, right: np.ndarray, above: bool = False) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """The matrix product of `left` and `right` transposed, tile by tile: row slice, column slice, products.

    The next tile reuses the memory of the products. With `above`, only tiles that reach above the diagonal.
    """
    height, width = TILE
    memory = np.empty(height * width, np.float32)
    for top in range(0, len(left), height):
        for first in range(0, len(right), width):
            rows, columns = slice(top, min(top + height, len(left))), slice(first, min(first + width, len(right)))
            if above and columns.stop <= rows.start:
                continue
            shape = rows.stop - rows.start, columns.stop - columns.start
            products = memory[: shape[0] * shape[1]].reshape(shape)
            yield rows, columns, np.matmul(left[rows], right[columns].T, out=products)


def reach(left: np.ndarray, right: np.ndarray, threshold: float) -> np.ndarray:
    """Bool matrix (rows of `left` by rows of `right`): is the `exact` cosine at or above `threshold`?"""
    products = left @ right.T
    reached = products >= threshold + SLACK
    rows, columns = np.nonzero(~reached & (products >= threshold - SLACK))
    reached[rows, columns] = of_pairs(left, right, rows, columns) >= np.float32(threshold)
    return reached
