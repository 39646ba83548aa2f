"""Rows whose question or answer contains what is searched for, whatever the case. Texts are scanned, never copied.

Shard by shard, so that the first hits are there before the last shard was read; what was found is kept for the next
page. Questions are short: after the first shards all others are read together.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from threading import Lock
from typing import Any

import polars as pl

from am_assets.storage.stored import StoredTables

SEARCHES = 8  # kept


def contains(column: str, words: str) -> pl.Expr:
    """Whether a text has these words, with any white space between them."""
    return pl.col(column).str.contains("(?i)" + r"\s+".join(re.escape(word) for word in words.split()))


@dataclass(frozen=True)
class Where:
    """A column of texts that is searched. `at_once`: how many shards are read together, first and then; None: all."""

    table: str
    text: str
    key: str
    at_once: tuple[int | None, ...]


PLACES = {
    "questions": Where("raw_pool", "question", "question_id", (1, 3, None)),
    "answers": Where("responses", "response", "response_id", (1,)),
}


class Hits:
    """The texts that contain some words, shard by shard, each read once and when somebody asks for it."""

    def __init__(self, store: StoredTables, words: str, where: Where):
        self.store, self.words, self.where = store, words, where
        self.batches = list(_batches(store.partitions(where.table), where.at_once))
        self.found: list[pl.DataFrame] = []
        self.lock = Lock()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Key and shard of the hits, a frame a batch, in the order of shards."""
        for at, shards in enumerate(self.batches):
            with self.lock:
                if at == len(self.found):
                    self.found.append(pl.concat([self._in(shard) for shard in shards]).collect())
            yield self.found[at]

    def _in(self, shard: str) -> pl.LazyFrame:
        texts = self.store.scan(self.where.table, shard).filter(contains(self.where.text, self.words))
        return texts.select(self.where.key, shard=pl.lit(shard, pl.Categorical))

    @property
    def so_far(self) -> pl.DataFrame:
        """The hits of the shards that were read."""
        return pl.concat([pl.DataFrame(schema={self.where.key: pl.String, "shard": pl.Categorical}), *self.found])

    @property
    def all(self) -> pl.DataFrame:
        for _ in self:
            pass
        return self.so_far


def _batches(shards: list[str], sizes: tuple[int | None, ...]) -> Iterator[list[str]]:
    """The last size is repeated."""
    left = list(shards)
    for size in chain(sizes, repeat(sizes[-1])):
        if not left:
            return
        yield left[:size]
        left = left[size:] if size else []


class Recent:
    """The last few results by key, made when they are asked for first."""

    def __init__(self) -> None:
        self.kept, self.lock = dict[Any, Any](), Lock()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        with self.lock:
            if key in self.kept:
                self.kept[key] = self.kept.pop(key)  # the latest last
                return self.kept[key]
        made = make()
        with self.lock:
            self.kept[key] = made
            while len(self.kept) > SEARCHES:
                self.kept.pop(next(iter(self.kept)))
        return made
