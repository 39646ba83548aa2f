"""Similar pairs: every pair of questions at or above a cosine floor, found exactly or by hnswlib and checked exactly.

Pairs are evidence: which of them is a duplicate is the recipe's to say (`dedup.py`).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from am_assets.engines.embedder import to_matrix
from am_assets.schema import SimilarPairs

EXACT_ROWS = 20_000  # own questions up to which comparing all with all is about as fast as an index, and misses nothing
TILE = 2_048, 8_192  # rows of either side compared at once: 64 MB of products
FIRST_NEIGHBORS = 16
MOST_NEIGHBORS = 1_024  # a longer list costs more than to compare the row with all
QUERIES = 1_024
MOST_CHECKED = 65_536  # pairs whose cosine is worked out at once
SLACK = 1e-4  # how far a first, roughly rounded cosine may lie under the floor and still be checked
DECIMALS = 6  # what float32 holds of a product of unit vectors; identical vectors come out at 1
SEED = 0

Candidates = Iterator[tuple[np.ndarray, np.ndarray]]  # row numbers of the left and of the right side


def similar_pairs(own: pl.DataFrame, earlier: list[pl.DataFrame], floor: float) -> pl.DataFrame:
    """SimilarPairs of a shard (QuestionEmbeddings) against itself and against earlier shards, sorted.

    Within the shard a pair is listed once, the smaller id first; across shards the shard's own question comes first. A
    question that lies in several shards is no pair with itself; its vector in this shard, or else in the first of the
    earlier ones, is what is compared. n questions of one wording are n(n-1)/2 rows. `ValueError` where vectors differ
    in dimension.
    """
    own = own.sort("question_id")
    others = pl.concat([own.clear(), *earlier]).unique("question_id", keep="first", maintain_order=True)
    others = others.join(own, on="question_id", how="anti").sort("question_id")
    left, right = to_matrix(own["vector"]), to_matrix(others["vector"])
    if len(left) and len(right) and left.shape[1] != right.shape[1]:
        raise ValueError(
            f"vectors of {left.shape[1]} and of {right.shape[1]} dimensions: these shards were embedded by different"
            " models; materialize question_embeddings of both again"
        )
    if not len(left):
        return SimilarPairs.create_empty()
    search = _by_product if len(left) <= EXACT_ROWS else _by_index
    inside, across = search(left, right, floor - SLACK)
    pairs = [
        _checked(left, left, own["question_id"], own["question_id"], _upper(inside), floor),
        _checked(left, right, own["question_id"], others["question_id"], across, floor),
    ]
    return SimilarPairs.cast(pl.concat(pairs)).sort("question_id", "other_id")


def _upper(candidates: Candidates) -> Candidates:
    """Each unordered pair as (smaller row, larger row)."""
    for one, other in candidates:
        apart = one != other
        yield np.minimum(one, other)[apart], np.maximum(one, other)[apart]


def _checked(
    left: np.ndarray, right: np.ndarray, ids: pl.Series, other_ids: pl.Series, candidates: Candidates, floor: float
) -> pl.DataFrame:
    """The candidates at or above the floor, once each. Every cosine is worked out alone: a product of whole blocks
    rounds differently with the shape of the block, and the table must not depend on that."""
    kept = [(np.empty(0, np.int64), np.empty(0, np.float32))]
    for rows, columns in candidates:
        for start in range(0, len(rows), MOST_CHECKED):
            i, j = rows[start : start + MOST_CHECKED], columns[start : start + MOST_CHECKED]
            cosines = np.einsum("ij,ij->i", left[i], right[j]).round(DECIMALS).clip(max=1)
            near = cosines >= np.float32(floor)
            kept.append((i[near] * len(right) + j[near], cosines[near]))
    pairs, cosines = map(np.concatenate, zip(*kept, strict=True))
    pairs, first = np.unique(pairs, return_index=True)
    rows, columns = np.divmod(pairs, max(len(right), 1))
    return pl.DataFrame(
        {"question_id": ids.gather(rows), "other_id": other_ids.gather(columns), "cosine": cosines[first]}
    )


def _by_product(left: np.ndarray, right: np.ndarray, floor: float) -> tuple[Candidates, Candidates]:
    return _tiles(left, left, floor, upper=True), _tiles(left, right, floor)


def _tiles(left: np.ndarray, right: np.ndarray, floor: float, upper: bool = False) -> Candidates:
    """All with all, block by block; `upper` leaves out blocks that lie below the diagonal."""
    height, width = TILE
    for top in range(0, len(left), height):
        for start in range(top if upper else 0, len(right), width):
            rows, columns = np.nonzero(left[top : top + height] @ right[start : start + width].T >= floor)
            wanted = rows + top < columns + start if upper else slice(None)
            yield rows[wanted] + top, columns[wanted] + start


def _by_index(left: np.ndarray, right: np.ndarray, floor: float) -> tuple[Candidates, Candidates]:
    """Every pair has a member in the shard, so an index of the shard alone serves all earlier ones.

    Equal vectors enter the index once: many copies would fill each other's links and cut the graph in pieces.
    """
    import hnswlib

    distinct, group = np.unique(left, axis=0, return_inverse=True)
    members, sizes = np.argsort(group, kind="stable"), np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    index = hnswlib.Index(space="ip", dim=left.shape[1])
    index.init_index(max_elements=len(distinct), ef_construction=200, M=16, random_seed=SEED)
    index.add_items(distinct, num_threads=1)  # one thread: the graph, and so what is found, does not depend on timing

    def found(queries: np.ndarray) -> Candidates:
        for rows, hits in _search(index, distinct, queries, floor):
            times = sizes[hits]
            nth = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
            yield members[np.repeat(starts[hits], times) + nth], np.repeat(rows, times)

    return found(left), found(right)


def _search(index: Any, indexed: np.ndarray, queries: np.ndarray, floor: float) -> Candidates:
    """Neighbour lists that grow, for the rows that need it, until their farthest member falls under the floor."""
    wanted, neighbors = np.arange(len(queries)), FIRST_NEIGHBORS
    while len(wanted) and neighbors <= min(MOST_NEIGHBORS, len(indexed)):
        index.set_ef(max(2 * neighbors, 128))
        unfinished = []
        for start in range(0, len(wanted), QUERIES):
            rows = wanted[start : start + QUERIES]
            try:
                hits, distances = index.knn_query(queries[rows], k=neighbors)
            except RuntimeError:  # the walk met fewer than `neighbors`: the graph is in pieces here
                unfinished.append(rows)
                continue
            near = 1 - distances >= floor
            full = near.all(axis=1)
            unfinished.append(rows[full])
            at, nth = np.nonzero(near & ~full[:, None])
            yield rows[at], hits[at, nth].astype(np.int64)
        wanted, neighbors = np.concatenate(unfinished), 4 * neighbors
    for rows, hits in _tiles(queries[wanted], indexed, floor):
        yield wanted[rows], hits
