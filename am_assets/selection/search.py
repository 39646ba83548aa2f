"""Range search between two sets of vectors: exhaustive for small sets, else by an HNSW graph whose neighbour lists are
lengthened until the last neighbour is below the floor.

Rows with more than `CROWD` neighbours are reported as crowded, without their neighbours, whose number would be
quadratic; `neighbors.py` handles them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from am_assets.engines.models.hnsw import Graph, neighbours_together
from am_assets.selection import cosines

CROWD = 256
LISTS = (16, 64, CROWD + 1)  # lengths of neighbour lists, tried in this order
EXACT_ROWS = 20_000  # up to here exhaustive search is about as fast as a graph, with full recall
EXACT_PRODUCTS = 100_000_000  # a quarter of a second
QUERIES = 4_096
NONE = np.empty(0, np.int64)

Hits = tuple[np.ndarray, np.ndarray, np.ndarray]  # row numbers of both sides of each pair, and crowded query rows


@dataclass
class Vectors:
    """Unit vectors, float32, one a row; `build` makes the graph over the distinct ones."""

    rows: np.ndarray
    build: Callable[[np.ndarray], Graph]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def graph(self) -> Graph:
        return self.build(self.distinct)

    @cached_property
    def _groups(self) -> tuple[np.ndarray, np.ndarray]:
        """The row of each distinct vector's first occurrence; and for each row the index of its distinct vector."""
        bits = np.ascontiguousarray(self.rows).view(np.uint32)
        bits = bits.view(np.uint64) if bits.shape[1] % 2 == 0 else bits.astype(np.uint64)
        keys = bits @ np.random.default_rng(0).integers(2**63, size=bits.shape[1], dtype=np.uint64)
        first, group = _in_order(np.unique(keys, return_index=True, return_inverse=True)[1:])
        later = np.flatnonzero(first[group] != np.arange(len(group)))
        if not np.array_equal(self.rows[later], self.rows[first[group[later]]]):  # a hash collision
            first, group = _in_order(np.unique(self.rows, axis=0, return_index=True, return_inverse=True)[1:])
        return first, group

    @cached_property
    def distinct(self) -> np.ndarray:
        """The distinct vectors, in order of first occurrence."""
        first, _ = self._groups
        return self.rows if len(first) == len(self.rows) else self.rows[first]

    @cached_property
    def order(self) -> np.ndarray:
        """The order in which the distinct vectors are queried fastest: similar ones together."""
        return neighbours_together(self.distinct)

    @cached_property
    def sizes(self) -> np.ndarray:
        """The number of rows with each distinct vector."""
        return np.bincount(self._groups[1], minlength=len(self.distinct))

    def members(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All rows with one of the distinct vectors `wanted`, as (index into `wanted`, row)."""
        if len(self.distinct) == len(self.rows):
            return np.arange(len(wanted)), wanted
        rows, ends = np.argsort(self._groups[1], kind="stable"), np.cumsum(self.sizes)
        sizes = self.sizes[wanted]
        nth = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.repeat(np.arange(len(wanted)), sizes), rows[np.repeat((ends - self.sizes)[wanted], sizes) + nth]


def _in_order(unique: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The (index, inverse) of `np.unique`, renumbered by first occurrence."""
    first, group = unique
    order = np.argsort(first)
    return first[order], np.argsort(order)[group]


def near(queries: Vectors, base: Vectors, floor: float, exactly: bool = False) -> Hits:
    """Every pair of a row of `queries` and a row of `base` whose cosine may reach `floor`, except for crowded rows.

    Candidates: a cosine may lie up to `cosines.SLACK` below `floor`, so that callers filter by the exact one.
    """
    floor -= cosines.SLACK
    if exactly or _few(queries, base):
        groups, hits, crowded = _by_product(queries.distinct, base, floor)
    else:
        groups, hits, crowded = _by_graph(queries, base, floor)
    at, rows = queries.members(groups)
    nth, columns = base.members(hits[at])
    return rows[nth], columns, np.sort(queries.members(crowded)[1])


def _few(queries: Vectors, base: Vectors) -> bool:
    return len(base) <= EXACT_ROWS or len(queries) * len(base) <= EXACT_PRODUCTS


def _by_product(queries: np.ndarray, base: Vectors, floor: float) -> Hits:
    """Exhaustive search of distinct vectors. Where `queries` are the vectors of `base` themselves, only one triangle of
    the product is computed, and each pair counts for both sides."""
    found, sizes, itself = [(NONE, NONE)], base.sizes.astype(np.float32), queries is base.distinct
    neighbours = sizes - 1 if itself else np.zeros(len(queries), np.float32)
    for rows, columns, products in cosines.tiles(queries, base.distinct, above=itself):
        if itself and columns.start < rows.stop:
            products[np.arange(rows.start, rows.stop)[:, None] >= np.arange(columns.start, columns.stop)] = -1
        some = np.flatnonzero(products.max(axis=1) >= floor)  # the maximum is ten times as fast as a full comparison
        hits, some = products[some] >= floor, rows.start + some
        neighbours[some] += hits @ sizes[columns]
        few = (neighbours[some] <= CROWD)[:, None]
        if itself:
            neighbours[columns] += sizes[some] @ hits
            few = few | (neighbours[columns] <= CROWD)
        at, hit = np.nonzero(hits & few)
        found.append((some[at], columns.start + hit))
    row, column = map(np.concatenate, zip(*found, strict=True))
    many = neighbours > CROWD
    if itself:
        copied = np.flatnonzero(sizes > 1)
        row, column = np.concatenate([row, column, copied]), np.concatenate([column, row, copied])
    return row[~many[row]], column[~many[row]], np.flatnonzero(many)


def _by_graph(queries: Vectors, base: Vectors, floor: float) -> Hits:
    rows, columns, crowded = [NONE], [NONE], [NONE]
    vectors, wanted = queries.distinct, queries.order
    for count in LISTS:
        unfinished = [NONE]
        for start in range(0, len(wanted), QUERIES) if count <= len(base.distinct) else ():
            asked = wanted[start : start + QUERIES]
            found = base.graph.nearest(vectors[asked], count)
            if found is None:
                unfinished.append(asked)
                continue
            hits = found[1] >= floor
            many = (hits * base.sizes[found[0]]).sum(axis=1) > CROWD
            crowded.append(asked[many])
            longer = hits.all(axis=1) & ~many
            unfinished.append(asked[longer])
            at, nth = np.nonzero(hits & ~(many | longer)[:, None])
            rows.append(asked[at])
            columns.append(found[0][at, nth])
        if count <= len(base.distinct):
            wanted = np.concatenate(unfinished)
    # queries that no list answered: too few vectors for a longer list, or a disconnected graph
    at, hit, many = _by_product(vectors[wanted], base, floor)
    parts = ([*rows, wanted[at]], [*columns, hit], [*crowded, wanted[many]])
    return tuple(map(np.concatenate, parts))  # type: ignore[return-value]
