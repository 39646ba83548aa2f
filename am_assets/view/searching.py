"""Rows whose question or answer contains what is searched for, whatever the case. Texts are scanned, never copied.

Questions are searched at once. Answers are searched shard by shard, so that the first hits are there before the last
shard was read; what was found is kept for the next page.
"""

import re
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import polars as pl

from am_assets.storage.stored import StoredTables

SEARCHES = 8  # kept


def contains(column: str, words: str) -> pl.Expr:
    """Whether a text has these words, with any white space between them."""
    return pl.col(column).str.contains("(?i)" + r"\s+".join(re.escape(word) for word in words.split()))


def in_questions(store: StoredTables, words: str) -> pl.DataFrame:
    """question_id and shard of the questions that contain `words`."""
    found = [
        store.scan("raw_pool", shard).filter(contains("question", words)).select("question_id", shard=pl.lit(shard))
        for shard in store.partitions("raw_pool")
    ]
    nothing = pl.LazyFrame(schema={"question_id": pl.String, "shard": pl.String})
    return pl.concat([nothing, *found]).cast({"shard": pl.Categorical}).collect()


class InAnswers:
    """The responses that contain some words, by shard, each shard read once and when somebody asks for it."""

    def __init__(self, store: StoredTables, words: str):
        self.store, self.words = store, words
        self.shards = store.partitions("responses")
        self.found: list[pl.DataFrame] = []
        self.lock = Lock()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """response_id and shard of the hits, a frame a shard, in the order of shards."""
        for at, shard in enumerate(self.shards):
            with self.lock:
                if at == len(self.found):
                    hits = self.store.scan("responses", shard).filter(contains("response", self.words))
                    self.found.append(hits.select("response_id", shard=pl.lit(shard, pl.Categorical)).collect())
            yield self.found[at]

    @property
    def so_far(self) -> pl.DataFrame:
        """The hits of the shards that were read."""
        return pl.concat([pl.DataFrame(schema={"response_id": pl.String, "shard": pl.Categorical}), *self.found])


class Recent:
    """The last few results by key, made when they are asked for first."""

    def __init__(self, most: int = SEARCHES):
        self.most, self.kept, self.lock = most, dict[Any, Any](), Lock()

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        with self.lock:
            if key in self.kept:
                self.kept[key] = self.kept.pop(key)  # the latest last
                return self.kept[key]
        made = make()
        with self.lock:
            self.kept[key] = made
            while len(self.kept) > self.most:
                self.kept.pop(next(iter(self.kept)))
        return made
