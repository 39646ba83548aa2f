"""Similar pairs: every pair of questions at or above a cosine floor, within a shard and with all earlier shards.

Pairs are evidence; which of them are duplicates is decided in `dedup.py`. Nearest-neighbour search is in `search.py`.
A shard is searched against one other at a time, and what that finds depends on no third: it is remembered by what both
hold, so that a shard that changed costs the searches that it takes part in.

A question with more than `search.CROWD` neighbours in a shard is *crowded*, which a pair with itself records. Pairs of
two crowded questions are not listed, as their number is quadratic; consumers compute them from the vectors. Every other
pair is listed, so no information is lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from am_assets.engines.models.embedder import to_matrix
from am_assets.engines.models.hnsw import Graphs
from am_assets.runtime.wording import counted
from am_assets.selection import cosines
from am_assets.selection.search import Vectors, near
from am_assets.storage.schemas import SimilarPairs

VERSION = 3  # raise when the pairs come out differently
AUDITED = 256  # own questions whose pairs are searched again exhaustively, to measure recall
UNIT = 1e-3  # tolerance of a vector's length around 1

# One search: the rows of both shards, by their ids in ascending order, that are pairs, and that are crowded. Of the
# pairs of the audited rows, `audited` were found exhaustively and `listed` of these by the search.
SEARCH = pl.Schema(
    dict.fromkeys(("rows", "other_rows", "crowded", "crowded_others"), pl.List(pl.UInt32))
    | {"key": pl.String(), "cosines": pl.List(pl.Float32), "audited": pl.UInt32(), "listed": pl.UInt32()}
)


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


@dataclass(frozen=True)
class Compared:
    """The ids of a shard, in ascending order, and the numbers of those rows that are compared with the first one's."""

    ids: pl.Series
    rows: np.ndarray


def compared(shards: Iterable[tuple[str, pl.Series]]) -> dict[str, Compared]:
    """What is compared of a shard, which comes first, and of earlier ones, by their names and the ids of each.

    A question in several shards is compared once: as one of the first shard, else of the first earlier one that has it.
    Shards without such a question are left out, and all where the first one is empty.
    """
    seen, found = pl.DataFrame(schema={"question_id": pl.String, "hash": pl.UInt64}), {}
    for name, unordered in shards:
        ids = unordered.sort()
        hashed = pl.DataFrame({"question_id": ids, "hash": ids.hash()})
        # by hash first, which is much faster: `seen` may be the whole pool
        shared = seen.join(hashed, on="hash", how="semi").join(hashed, on="question_id", how="semi")
        new = hashed.with_row_index("row").join(shared, on="question_id", how="anti")
        seen = pl.concat([seen, new.drop("row")])
        if new.height:
            found[name] = Compared(ids, new["row"].to_numpy())
        elif not seen.height:
            break
    return found


def similar_pairs(shards: dict[str, Compared], searches: pl.DataFrame) -> tuple[pl.DataFrame, Audit]:
    """SimilarPairs of what is `compared` of a shard with itself and earlier ones, and their audit; `searches` (shard
    and SEARCH) has a row for each of them.

    Within the shard a pair is listed once, the smaller id first; across shards the shard's own question comes first.
    """
    made: list[pl.DataFrame] = [SimilarPairs.create_empty()]
    own = next(iter(shards.values()), None)
    for at, name in enumerate(searches["shard"]):
        assert own is not None
        made.append(_pairs(own.ids, shards[name], {column: searches[column][at] for column in SEARCH}))
    # a question may be crowded in several shards
    pairs = pl.concat(made).unique(["question_id", "other_id"]).sort("question_id", "other_id")
    return pairs, Audit(int(searches["audited"].sum()), int(searches["listed"].sum()))


def _pairs(own: pl.Series, other: Compared, found: dict[str, Any]) -> pl.DataFrame:
    counts = np.zeros(len(other.ids), dtype=bool)
    counts[other.rows] = True
    pairs = pl.DataFrame({name: found[name] for name in ("rows", "other_rows", "cosines")})
    pairs = pairs.filter(pl.Series(counts[found["other_rows"].to_numpy()], dtype=pl.Boolean))
    crowd = pl.concat([own.gather(found["crowded"]), other.ids.gather(found["crowded_others"])])
    return pl.DataFrame(
        {
            "question_id": pl.concat([own.gather(pairs["rows"]), crowd]),
            "other_id": pl.concat([other.ids.gather(pairs["other_rows"]), crowd]),
            "cosine": pl.concat([pairs["cosines"], pl.repeat(1, len(crowd), dtype=pl.Float32, eager=True)]),
        }
    )


def search(mine: Shard, other: Shard, floor: float) -> dict[str, Any]:
    """One row of SEARCH, without its key: every pair of the questions of two shards, or of those of one, whose cosine
    is at or above the floor. `ValueError` for vectors that differ in dimension."""
    ours, theirs = mine.vectors.rows, other.vectors.rows
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(
            f"vectors of {ours.shape[1]} and of {theirs.shape[1]} dimensions: these shards were embedded by different"
            " models; materialize question_embeddings of both again"
        )

    def at_least_floor(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each pair at or above the floor once, encoded as row * columns + column, and its cosine."""
        if mine is other:
            rows, columns = np.minimum(rows, columns)[rows != columns], np.maximum(rows, columns)[rows != columns]
        pairs = np.unique(rows * len(theirs) + columns)
        values = cosines.of_pairs(ours, theirs, *np.divmod(pairs, len(theirs)))
        return pairs[values >= np.float32(floor)], values[values >= np.float32(floor)]

    rows, columns, crowded, crowded_others = _search(mine, other, floor)
    pairs, values = at_least_floor(rows, columns)
    sample = Vectors(ours[:AUDITED], mine.vectors.build)  # ids are hashes, so that the first ones are a random sample
    truth, _ = at_least_floor(*near(sample, other.vectors, floor, exactly=True)[:2])
    rows, columns = np.divmod(pairs, len(theirs))
    found = {"rows": rows, "other_rows": columns, "cosines": values, "crowded": crowded}
    listed = {name: [pl.Series(one)] for name, one in (found | {"crowded_others": crowded_others}).items()}
    return listed | {"audited": len(truth), "listed": int(np.isin(truth, pairs).sum())}


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
