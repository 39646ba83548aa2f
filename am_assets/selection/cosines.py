"""Cosines of unit vectors, so that a table of them does not depend on how the work was cut into blocks."""

from collections.abc import Iterator

import numpy as np

DECIMALS = 6  # what float32 holds of a product of unit vectors; identical vectors come out at 1
SLACK = 1e-4  # how far a cosine out of a matrix product or an index may lie under the exact one
AT_ONCE = 65_536  # pairs
TILE = (1_024, 8_192)  # rows and columns multiplied at once: 32 MB of products


def exact(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The cosine of each row of `left` with the same row of `right`, float32 of DECIMALS decimals.

    Every one is worked out alone: a product of whole blocks rounds differently with the shape of the block."""
    return np.einsum("ij,ij->i", left, right).round(DECIMALS).clip(max=1)


def of_pairs(left: np.ndarray, right: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """`exact` of rows of `left` with rows of `right` by number."""
    parts = [np.empty(0, np.float32)]
    for start in range(0, len(rows), AT_ONCE):
        now = slice(start, start + AT_ONCE)
        parts.append(exact(left[rows[now]], right[columns[now]]))
    return np.concatenate(parts)


def tiles(left: np.ndarray, right: np.ndarray, above: bool = False) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """The products of all rows with all rows, a tile at a time: which rows of `left` and of `right`, and the products,
    whose memory the next tile takes. With `above`, only tiles that reach above the diagonal."""
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
    """Whether each row of `left` lies at or above `threshold` to each row of `right`, as `exact` has it."""
    products = left @ right.T
    reached = products >= threshold + SLACK
    rows, columns = np.nonzero(~reached & (products >= threshold - SLACK))
    reached[rows, columns] = of_pairs(left, right, rows, columns) >= np.float32(threshold)
    return reached
