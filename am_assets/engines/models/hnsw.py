"""Approximate nearest neighbours by hnswlib: an HNSW graph is built once per set of vectors and cached on disk, and in
the store of a cluster, if there is one: to build a graph takes longer than to fetch it.

The files are disposable: a missing graph is built again. Thresholds and the meaning of a neighbour belong to
`selection/neighbors.py`.

    rows, cosines = Graphs(folder).of("shard-1", vectors).nearest(queries, count=10)
"""

from pathlib import Path
from typing import Any

import numpy as np
from xxhash import xxh3_128

from am_assets.storage.atomic import version_aside
from am_assets.storage.copies import of

# hnswlib's M, ef_construction and minimal ef (else twice the number of neighbours). Recall of a question's pairs among
# 100,000 others, searched from its side only, is above 0.995.
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 24, 100, 48
PIVOTS, AT_ONCE = 1_000, 16_384
SEED = 0


class Graphs:
    """The cached graphs in a folder, keyed by name and a hash of the vectors; one version of each name is kept."""

    def __init__(self, folder: Path):
        self.folder = folder

    def of(self, name: str, vectors: np.ndarray) -> "Graph":
        """The graph over `vectors`, float32 of unit length.

        They must be distinct: many equal ones would link only to each other and disconnect the graph.
        """
        content = xxh3_128(repr((LINKS, BUILD_WIDTH, PIVOTS, SEED, vectors.shape)).encode())
        content.update(np.ascontiguousarray(vectors).data)
        path = self.folder / f"{name}.{content.hexdigest()[:16]}.hnsw"
        index = _index(vectors.shape[1])
        if of(path).here(path):
            index.load_index(str(path), max_elements=len(vectors))
            return Graph(index)
        index.init_index(max_elements=len(vectors), M=LINKS, ef_construction=BUILD_WIDTH, random_seed=SEED)
        # One thread, so that the graph, and with it the results, does not depend on timing.
        order = neighbours_together(vectors)
        index.add_items(vectors[order], order, num_threads=1)
        with version_aside(path) as aside:
            index.save_index(str(aside))
        return Graph(index)


class Graph:
    """An HNSW graph over the rows of a matrix."""

    def __init__(self, index: Any):
        self._index = index

    def __len__(self) -> int:
        return int(self._index.element_count)

    def nearest(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Row numbers (int64) and approximate cosines, both of shape (queries, count), nearest first.

        None where fewer than `count` were found for some query, as happens in a disconnected graph.
        """
        self._index.set_ef(max(2 * count, SEARCH_WIDTH))
        try:
            rows, distances = self._index.knn_query(queries, k=count)
        except RuntimeError:
            return None
        return rows.astype(np.int64), 1 - distances


def neighbours_together(vectors: np.ndarray) -> np.ndarray:
    """A permutation of the row numbers that places near vectors together: by the nearest of `PIVOTS` of them.

    Insertion in this order improves recall, and queries in this order reuse the processor's cache.
    """
    pivots = vectors[:: max(len(vectors) // PIVOTS, 1)].T
    starts = range(0, len(vectors), AT_ONCE)
    nearest = [np.argmax(vectors[start : start + AT_ONCE] @ pivots, axis=1) for start in starts]
    return np.argsort(np.concatenate(nearest), kind="stable")


def _index(dimension: int) -> Any:
    import hnswlib

    return hnswlib.Index(space="ip", dim=dimension)
