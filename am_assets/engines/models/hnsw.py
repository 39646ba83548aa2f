"""Nearest neighbours among many vectors by hnswlib: a graph is built once for a set of vectors, kept on disk and loaded
in turn. A lost file is only time: the graph is built again.

What counts as near, and what a neighbour means, belongs to `selection/neighbors.py`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from xxhash import xxh3_128

from am_assets.storage.atomic import file_aside

# hnswlib's M and ef_construction, and ef for short lists; longer ones take twice their length. Of pairs that a question
# has with 100,000 others, looked for from its side alone, more than 0.995 are found.
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 24, 100, 48
PIVOTS, AT_ONCE = 1_000, 16_384
SEED = 0


class Graphs:
    """The graphs in a folder, one a name and content: a name that comes with other vectors gets a new graph."""

    def __init__(self, folder: Path):
        self.folder = folder

    def of(self, name: str, vectors: np.ndarray) -> "Graph":
        """The graph over `vectors`, float32 of unit length, no two of them equal: of many equal ones each would link to
        the others alone, and the graph would fall in pieces."""
        content = xxh3_128(repr((LINKS, BUILD_WIDTH, PIVOTS, SEED, vectors.shape)).encode())
        content.update(np.ascontiguousarray(vectors).data)
        path = self.folder / f"{name}.{content.hexdigest()[:16]}.hnsw"
        index = _index(vectors.shape[1])
        if path.exists():
            index.load_index(str(path), max_elements=len(vectors))
            return Graph(index)
        index.init_index(max_elements=len(vectors), M=LINKS, ef_construction=BUILD_WIDTH, random_seed=SEED)
        # one thread: the graph, and so what is found, must not depend on timing
        order = neighbours_together(vectors)
        index.add_items(vectors[order], order, num_threads=1)
        with file_aside(path) as aside:
            index.save_index(str(aside))
        for other in self.folder.glob(f"{name}.*.hnsw"):
            if other != path:
                other.unlink(missing_ok=True)
        return Graph(index)


class Graph:
    def __init__(self, index: Any):
        self._index = index

    def __len__(self) -> int:
        return self._index.element_count

    def nearest(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Row numbers and cosines, both of shape (queries, count), nearest first as far as the walk got; None where it
        met fewer than `count` for some query, as happens where the graph is in pieces. Cosines are rounded roughly."""
        self._index.set_ef(max(2 * count, SEARCH_WIDTH))
        try:
            rows, distances = self._index.knn_query(queries, k=count)
        except RuntimeError:
            return None
        return rows.astype(np.int64), 1 - distances


def neighbours_together(vectors: np.ndarray) -> np.ndarray:
    """The row numbers of `vectors`, sorted by which of PIVOTS of them is nearest. A graph that is built in this order
    misses fewer neighbours; asked in it, one walk leaves in the processor's cache what the next one reads."""
    pivots = vectors[:: max(len(vectors) // PIVOTS, 1)].T
    starts = range(0, len(vectors), AT_ONCE)
    nearest = [np.argmax(vectors[start : start + AT_ONCE] @ pivots, axis=1) for start in starts]
    return np.argsort(np.concatenate(nearest), kind="stable")


def _index(dimension: int) -> Any:
    import hnswlib

    return hnswlib.Index(space="ip", dim=dimension)
