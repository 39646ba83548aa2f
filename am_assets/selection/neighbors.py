"""Similar pairs: every pair of questions at or above a cosine floor, of a shard with itself and with those before it.

Pairs are evidence: which of them is a duplicate is the recipe's to say (`dedup.py`). How near vectors are found belongs
to `search.py`.

Where a question has more than `search.CROWD` neighbours in a shard it stands in a crowd, and is listed by a pair with
itself. Pairs between two of a crowd are not listed, as their number grows with its square; whoever needs them works
them out from the vectors. Every other pair is listed, so nothing is lost.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from am_assets.engines.models.embedder import to_matrix
from am_assets.engines.models.hnsw import Graphs
from am_assets.runtime import progress
from am_assets.selection import cosines
from am_assets.selection.search import Vectors, make_ready, near
from am_assets.storage.schemas import SimilarPairs

VERSION = 3  # raise it when a rule here changes
AUDITED = 256  # own questions whose pairs are looked for again by comparing them with all
UNIT = 1e-3  # how far a vector's length may lie from 1

Named = tuple[str, Callable[[], pl.DataFrame]]  # a shard's name and the reader of its QuestionEmbeddings


@dataclass(frozen=True)
class Shard:
    ids: pl.Series
    vectors: Vectors

    @classmethod
    def of(cls, name: str, table: pl.DataFrame, graphs: Graphs) -> "Shard":
        """In the order of ids. `ValueError` where a vector is not of unit length: zero or not a number, it is near to
        nothing or to all."""
        if not table["question_id"].is_sorted():
            table = table.sort("question_id")
        rows = to_matrix(table["vector"])
        unsound = np.flatnonzero(~(np.abs(np.einsum("ij,ij->i", rows, rows) - 1) <= UNIT))
        if len(unsound):
            raise ValueError(
                f"question_embeddings[{name}]: {len(unsound)} vectors are not of unit length, that of"
                f" {table['question_id'][int(unsound[0])]} for one: materialize this partition again"
            )
        return cls(table["question_id"], Vectors(rows, lambda vectors: graphs.of(name, vectors)))


@dataclass(frozen=True)
class Audit:
    """Of a sample of own questions: pairs with any question found by comparing all, and how many of them are listed."""

    pairs: int
    listed: int

    @property
    def recall(self) -> float:
        return self.listed / self.pairs if self.pairs else 1.0


def similar_pairs(own: Named, earlier: Iterable[Named], floor: float, graphs: Graphs) -> tuple[pl.DataFrame, Audit]:
    """SimilarPairs of a shard against itself and against earlier shards, two of them held at most; and their audit.

    Within the shard a pair is listed once, the smaller id first; across shards the shard's own question comes first. A
    question that lies in several shards is no pair with itself; its vector in this shard, or else in the first of the
    earlier ones, is what is compared. `ValueError` where vectors are unsound or differ in dimension.
    """
    mine = Shard.of(own[0], own[1](), graphs)
    total = len(mine.ids)
    seen = _hashed(mine.ids)
    made = [_pairs(mine, mine, floor, np.arange(total))] if total else []
    for name, other in _read_ahead(mine, earlier, graphs) if total else ():
        with progress.task(f"similar_pairs with {name}", total) as advance:
            ids = _hashed(other.ids)
            # by their hashes first, in a fraction of the time: what was seen may be the whole pool
            shared = seen.join(ids, on="hash", how="semi").join(ids, on="question_id", how="semi")
            new = ids.with_row_index("row").join(shared, on="question_id", how="anti")
            seen = pl.concat([seen, new.drop("row")])
            if new.height:
                made.append(_pairs(mine, other, floor, new["row"].to_numpy()))
            advance(total)
    pairs = pl.concat([SimilarPairs.create_empty(), *(pairs for pairs, _ in made)])
    audit = Audit(sum(audit.pairs for _, audit in made), sum(audit.listed for _, audit in made))
    # a question may stand in the crowds of several shards
    return pairs.unique(["question_id", "other_id"]).sort("question_id", "other_id"), audit


def _hashed(ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"question_id": ids, "hash": ids.hash()})


def _read_ahead(mine: Shard, shards: Iterable[Named], graphs: Graphs) -> Iterator[tuple[str, Shard]]:
    """Each shard in turn, made ready while the caller is at the one before."""

    def ready(name: str, read: Callable[[], pl.DataFrame]) -> tuple[str, Shard]:
        shard = Shard.of(name, read(), graphs)
        if len(mine.ids) <= len(shard.ids):
            make_ready(mine.vectors, shard.vectors)
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
    """Of `other`, the rows `counted` alone. The others are searched with them all the same: a graph over some of a
    shard's questions would have to be built anew for everyone that shares others with it."""
    ours, theirs = mine.vectors.rows, other.vectors.rows
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(
            f"vectors of {ours.shape[1]} and of {theirs.shape[1]} dimensions: these shards were embedded by different"
            " models; materialize question_embeddings of both again"
        )

    counts = np.zeros(len(theirs), dtype=bool)
    counts[counted] = True

    def at_least_floor(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each pair once, as one number, and its cosine."""
        if mine is other:
            rows, columns = np.minimum(rows, columns)[rows != columns], np.maximum(rows, columns)[rows != columns]
        pairs = np.unique(rows * len(theirs) + columns)
        pairs = pairs[counts[pairs % len(theirs)]]
        values = cosines.of_pairs(ours, theirs, *np.divmod(pairs, len(theirs)))
        return pairs[values >= np.float32(floor)], values[values >= np.float32(floor)]

    rows, columns, crowded, crowded_others = _search(mine, other, floor)
    pairs, values = at_least_floor(rows, columns)
    sample = Vectors(ours[:AUDITED], mine.vectors.build)  # ids are hashes, so that the first ones are a fair draw
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
    """Row numbers of both sides of each pair, and the crowded rows of either. The smaller shard's questions are looked
    for among the larger one's."""
    if len(mine.ids) > len(other.ids):
        columns, rows, crowded_others, crowded = _search(other, mine, floor)
        return rows, columns, crowded, crowded_others
    rows, columns, crowded = near(mine.vectors, other.vectors, floor)
    if mine is other or not len(crowded):
        return rows, columns, crowded, crowded[:0]
    # who lies near a crowded question is told from the other side
    crowd = Vectors(mine.vectors.rows[crowded], mine.vectors.build)
    near_crowd, at, crowded_others = near(other.vectors, crowd, floor, exactly=True)
    return np.append(rows, crowded[at]), np.append(columns, near_crowd), crowded, crowded_others
