"""Similar pairs: every pair of questions at or above a cosine floor, within a shard and with all earlier shards.

Pairs are evidence; which of them are duplicates is decided in `dedup.py`. Nearest-neighbour search is in `search.py`.

A question with more than `search.CROWD` neighbours in a shard is *crowded*, which a pair with itself records. Pairs of
two crowded questions are not listed, as their number is quadratic; consumers compute them from the vectors. Every other
pair is listed, so no information is lost.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from am_assets.engines.models.embedder import to_matrix
from am_assets.engines.models.hnsw import Graphs
from am_assets.runtime import progress
from am_assets.runtime.wording import counted
from am_assets.selection import cosines
from am_assets.selection.search import Vectors, near, prepare
from am_assets.storage.schemas import SimilarPairs

VERSION = 3  # raise when the pairs come out differently
AUDITED = 256  # own questions whose pairs are searched again exhaustively, to measure recall
UNIT = 1e-3  # tolerance of a vector's length around 1

Named = tuple[str, Callable[[], pl.DataFrame]]  # a shard's name and the reader of its QuestionEmbeddings


@dataclass(frozen=True)
class Shard:
    ids: pl.Series
    vectors: Vectors

    @classmethod
    def of(cls, name: str, table: pl.DataFrame, graphs: Graphs) -> "Shard":
        """Sorted by id. `ValueError` for a vector that is not of unit length: the cosines of a zero or NaN vector are
        meaningless."""
        if not table["question_id"].is_sorted():
            table = table.sort("question_id")
        rows = to_matrix(table["vector"])
        unsound = np.flatnonzero(~(np.abs(np.einsum("ij,ij->i", rows, rows) - 1) <= UNIT))
        if len(unsound):
            raise ValueError(
                f"question_embeddings[{name}]: {counted(len(unsound), 'vector')} not of unit length, that of"
                f" {table['question_id'][int(unsound[0])]} for one: materialize this partition again"
            )
        return cls(table["question_id"], Vectors(rows, lambda vectors: graphs.of(name, vectors)))


@dataclass(frozen=True)
class Audit:
    """For a sample of own questions: the pairs found exhaustively, and how many of them the search listed."""

    pairs: int
    listed: int

    @property
    def recall(self) -> float:
        return self.listed / self.pairs if self.pairs else 1.0


def similar_pairs(own: Named, earlier: Iterable[Named], floor: float, graphs: Graphs) -> tuple[pl.DataFrame, Audit]:
    """SimilarPairs of a shard with itself and with earlier shards, and their audit. At most two earlier shards are in
    memory at a time.

    Within the shard a pair is listed once, the smaller id first; across shards the shard's own question comes first. A
    question in several shards is no pair with itself; its vector in this shard, else in the first earlier one, is
    compared. `ValueError` for vectors that are not of unit length or differ in dimension.

    >>> pairs, audit = similar_pairs(("b", read_b), [("a", read_a)], floor=0.8, graphs=Graphs(folder))
    """
    mine = Shard.of(own[0], own[1](), graphs)
    total = len(mine.ids)
    seen = _hashed(mine.ids)
    made = [_pairs(mine, mine, floor, np.arange(total))] if total else []
    for name, other in _read_ahead(mine, earlier, graphs) if total else ():
        with progress.task(f"similar_pairs with {name}", total) as advance:
            ids = _hashed(other.ids)
            # by hash first, which is much faster: `seen` may be the whole pool
            shared = seen.join(ids, on="hash", how="semi").join(ids, on="question_id", how="semi")
            new = ids.with_row_index("row").join(shared, on="question_id", how="anti")
            seen = pl.concat([seen, new.drop("row")])
            if new.height:
                made.append(_pairs(mine, other, floor, new["row"].to_numpy()))
            advance(total)
    pairs = pl.concat([SimilarPairs.create_empty(), *(pairs for pairs, _ in made)])
    audit = Audit(sum(audit.pairs for _, audit in made), sum(audit.listed for _, audit in made))
    # a question may be crowded in several shards
    return pairs.unique(["question_id", "other_id"]).sort("question_id", "other_id"), audit


def _hashed(ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"question_id": ids, "hash": ids.hash()})


def _read_ahead(mine: Shard, shards: Iterable[Named], graphs: Graphs) -> Iterator[tuple[str, Shard]]:
    """Each shard in turn, read and indexed in a thread while the caller processes the one before."""

    def ready(name: str, read: Callable[[], pl.DataFrame]) -> tuple[str, Shard]:
        shard = Shard.of(name, read(), graphs)
        if len(mine.ids) <= len(shard.ids):
            prepare(mine.vectors, shard.vectors)
        return name, shard

    with ThreadPoolExecutor(1) as reader:
        begun = None
        for name, read in shards:
            last, begun = begun, reader.submit(ready, name, read)
            if last:
                yield last.result()
        if begun:
            yield begun.result()


def _pairs(mine: Shard, other: Shard, floor: float, counted: np.ndarray) -> tuple[pl.DataFrame, Audit]:
    """Pairs with the rows `counted` of `other`. The search runs over all of its rows all the same: an index over a
    subset would have to be built again for each shard that shares other questions with it."""
    ours, theirs = mine.vectors.rows, other.vectors.rows
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(
            f"vectors of {ours.shape[1]} and of {theirs.shape[1]} dimensions: these shards were embedded by different"
            " models; materialize question_embeddings of both again"
        )

    counts = np.zeros(len(theirs), dtype=bool)
    counts[counted] = True

    def at_least_floor(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each pair at or above the floor once, encoded as row * columns + column, and its cosine."""
        if mine is other:
            rows, columns = np.minimum(rows, columns)[rows != columns], np.maximum(rows, columns)[rows != columns]
        pairs = np.unique(rows * len(theirs) + columns)
        pairs = pairs[counts[pairs % len(theirs)]]
        values = cosines.of_pairs(ours, theirs, *np.divmod(pairs, len(theirs)))
        return pairs[values >= np.float32(floor)], values[values >= np.float32(floor)]

    rows, columns, crowded, crowded_others = _search(mine, other, floor)
    pairs, values = at_least_floor(rows, columns)
    sample = Vectors(ours[:AUDITED], mine.vectors.build)  # ids are hashes, so that the first ones are a random sample
    truth, _ = at_least_floor(*near(sample, other.vectors, floor, exactly=True)[:2])
    rows, columns = np.divmod(pairs, len(theirs))
    crowd = pl.concat([mine.ids.gather(crowded), other.ids.gather(crowded_others)])
    table = pl.DataFrame(
        {
            "question_id": pl.concat([mine.ids.gather(rows), crowd]),
            "other_id": pl.concat([other.ids.gather(columns), crowd]),
            "cosine": np.append(values, np.ones(len(crowd), np.float32)),
        }
    )
    return table, Audit(len(truth), int(np.isin(truth, pairs).sum()))


def _search(mine: Shard, other: Shard, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of both sides of each pair, and the crowded rows of either side. The smaller shard is the query."""
    if len(mine.ids) > len(other.ids):
        columns, rows, crowded_others, crowded = _search(other, mine, floor)
        return rows, columns, crowded, crowded_others
    rows, columns, crowded = near(mine.vectors, other.vectors, floor)
    if mine is other or not len(crowded):
        return rows, columns, crowded, crowded[:0]
    # the neighbours of crowded questions are found by a search from the other side
    crowd = Vectors(mine.vectors.rows[crowded], mine.vectors.build)
    near_crowd, at, crowded_others = near(other.vectors, crowd, floor, exactly=True)
    return np.append(rows, crowded[at]), np.append(columns, near_crowd), crowded, crowded_others
