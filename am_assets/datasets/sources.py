"""`data/sources.yaml`, and the step from a source's rows to the questions of one shard of the pool.

Identity, shards, merging and defects belong here. What a row of some data set means belongs to `adapters.py`; what a
question is like is measured in `features.py` and judged by recipes, never here.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from am_assets.config.files import ConfigError, parse, read_yaml
from am_assets.datasets import demo
from am_assets.datasets.identity import question_id, question_ids
from am_assets.datasets.locate import SourceError
from am_assets.datasets.origins import Generator, Origin, fingerprint, read_rows, reasoning_gym
from am_assets.storage.schemas import RawPool

__all__ = ["Source", "fingerprint", "load_sources", "read_shard", "shard_keys", "source_of"]

VERSION = "2"  # raise when the same rows give other questions
MOST_SHARDS = 99
MOST_CHARS = 1_000_000
KEPT_CHARS = 1_000  # of an oversized question
GENERATORS: dict[str, Generator] = {
    "reasoning_gym": reasoning_gym,
    "published_arithmetic": lambda source: demo.published_arithmetic(source.limit or 0, source.seed),
    "planted": lambda source: demo.planted(source.seed),
}


class Source(Origin):
    """One entry of `sources.yaml`."""

    generator: Literal["reasoning_gym", "published_arithmetic", "planted"] | None = None
    rank: int  # where questions are alike, one of a lower rank is preferred
    shards: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _endless_needs_limit(self) -> Self:
        if self.generator == "published_arithmetic" and self.limit is None:
            raise ValueError("limit must be given with generator: published_arithmetic, which has no end of its own")
        return self


def load_sources(path: Path) -> dict[str, Source]:
    """The sources by name, in file order; `ConfigError` names the file and every field at fault."""
    content = read_yaml(path)
    if not content:
        raise ConfigError(f"{path}: no source here")
    for name in content:
        if not re.fullmatch(r"[a-z0-9_-]+", str(name)):
            raise ConfigError(f"{path}: {name}: a source's name may hold a-z, 0-9, _ and - only")
    sources = {name: parse(Source, entry, f"{path}: {name}") for name, entry in content.items()}
    keys = shard_keys(sources)
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ConfigError(f"{path}: two sources claim the shard {', '.join(twice)}: rename one of them")
    if len(keys) > MOST_SHARDS:
        raise ConfigError(
            f"{path}: {len(keys)} shards; at most {MOST_SHARDS}, because Dagster stops telling what is stale where 100"
            " or more partitions flow together: lower `shards:` of the large sources, or put small ones into one file"
        )
    return sources


def shard_keys(sources: dict[str, Source]) -> list[str]:
    """The partition keys in file order: the source's name, or `<name>-<n>` where it has several shards. Where it has
    more than ten, `n` has two digits: wherever keys are sorted, -02 comes before -10."""
    return [key for name, source in sources.items() for key in _keys(name, source)]


def source_of(sources: dict[str, Source], shard: str) -> str:
    """The source that a shard is a slice of."""
    return next(name for name, source in sources.items() if shard in _keys(name, source))


def _keys(name: str, source: Source) -> list[str]:
    digits = len(str(source.shards - 1))
    return [name] if source.shards == 1 else [f"{name}-{number:0{digits}}" for number in range(source.shards)]


def read_shard(sources: dict[str, Source], shard: str, base: Path) -> pl.DataFrame:
    """The questions of one shard: a valid `RawPool`, sorted by question_id, the same whatever the order of the rows.

    A question lies in the shard its id says, so no other row can move it. Rows of one id become one: `copies` counts
    them, published responses are joined, and of differing references, tests or constraints the smallest text stands.
    Empty and oversized questions stay as defects. `SourceError` where the source can't be read or no row of it is
    usable.
    """
    name = source_of(sources, shard)
    source = sources[name]
    number = _keys(name, source).index(shard)
    parts, sound = [], False
    for rows in read_rows(source, base, GENERATORS):
        rows = _identified(rows)
        sound = sound or rows["defect"].null_count() > 0
        parts.append(rows.filter(_shard_of(source.shards) == number))
    if not sound:
        raise SourceError(f"source {name}: every one of its rows is empty or oversized ({source.location})")
    merged = _merge(pl.concat(parts)).with_columns(pl.lit(name).alias("source"))
    return RawPool.validate(merged.select(RawPool.column_names()), cast=True)


def _shard_of(shards: int) -> pl.Expr:
    return pl.col("question_id").str.slice(0, 8).str.to_integer(base=16, dtype=pl.Int64) % shards


def _identified(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(question_ids(rows["question"]).alias("question_id"))
    empty = pl.col("question_id") == question_id("")
    oversized = pl.col("question").str.len_chars() > MOST_CHARS
    return rows.with_columns(
        pl.when(empty).then(pl.lit("empty")).when(oversized).then(pl.lit("oversized")).alias("defect"),
        pl.when(oversized).then(pl.col("question").str.slice(0, KEPT_CHARS)).otherwise("question").alias("question"),
    )


def _merge(rows: pl.DataFrame) -> pl.DataFrame:
    published = pl.col("published").explode(empty_as_null=False, keep_nulls=False).unique().sort()
    return (
        rows.sort("question_id", "defect", "question", nulls_last=False)
        .group_by("question_id", maintain_order=True)
        .agg(
            pl.first("question", "defect"),
            pl.min("reference_answer", "test_cases", "constraints"),
            published,
            pl.len().cast(pl.UInt32).alias("copies"),
        )
    )
