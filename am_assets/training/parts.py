"""Which rows lie in which file of a release.

The ids of a shard's rows, which are hashes, are halved until the rows of each part fit a file: the parts follow from
the rows alone, whatever was released before, and a row that comes or goes changes one part. A part is named by where
its ids begin, so that its neighbours keep their names when it is halved.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import polars as pl

FILE_CHARS = 125_000_000  # at most 500 MB, whatever they are, unless a single row has more
GROUP_CHARS = 16_000_000  # of a row group, so that rows of any length are held in little memory
DIGITS = 5  # of an id that name a part


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of a shard in the order of their ids; `content` is a hash of all that their file is made of."""

    shard: str
    name: str
    rows: pl.DataFrame
    content: str


def parts(rows: pl.DataFrame, made_by: str, most: int = FILE_CHARS) -> Iterator[Part]:
    """The parts of a release, by shard and id; one without rows where there are none: a set without rows has a schema
    too. `made_by` stands for the rules by which files are made of rows.

    >>> [part.name for part in parts(rows, "4")]
    ['train-gsm-00000', 'train-gsm-80000']
    """
    if rows.is_empty():
        yield Part("none", "train-none-00000", rows, _content(rows, made_by))
    for (shard,), ours in rows.sort("shard", "response_id").group_by("shard", maintain_order=True):
        for at, some in _halves(ours, most):
            yield Part(str(shard), f"train-{shard}-{at:0{DIGITS}x}", some, _content(some, made_by))


def _content(rows: pl.DataFrame, made_by: str) -> str:
    return sha256("\n".join([made_by, *rows["content"]]).encode()).hexdigest()[:32]


def _halves(rows: pl.DataFrame, most: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """(where its ids begin, its rows) of each part of the rows of one shard, in the order of their ids."""
    import numpy as np

    places = rows["response_id"].str.head(DIGITS).str.to_integer(base=16).to_numpy()
    ends = np.concatenate([[0], rows["chars"].cast(pl.UInt64).cum_sum().to_numpy()]).astype(np.int64)

    def halved(low: int, high: int, start: int, stop: int) -> Iterator[tuple[int, pl.DataFrame]]:
        if ends[stop] - ends[start] <= most or stop - start == 1 or high - low == 1:
            yield from [(low, rows[start:stop])] * (stop > start)
            return
        middle = (low + high) // 2
        split = start + int(np.searchsorted(places[start:stop], middle))
        yield from halved(low, middle, start, split)
        yield from halved(middle, high, split, stop)

    return halved(0, 16**DIGITS, 0, rows.height)


def row_groups(rows: pl.DataFrame, most_rows: int) -> Iterator[pl.Series]:
    """The response ids of the row groups of a file; a single one, without rows, of a file without rows."""
    start, held = 0, 0
    for at, chars in enumerate(rows["chars"]):
        if at > start and (at - start == most_rows or held + chars > GROUP_CHARS):
            yield rows["response_id"][start:at]
            start, held = at, 0
        held += chars
    if rows.height:
        yield rows["response_id"][start:]
