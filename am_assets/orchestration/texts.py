"""What is released, read from evidence shard by shard: narrow columns for the decision, texts a few at a time."""

from collections.abc import Iterator

import polars as pl

from am_assets.distillation import parts
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.stored import StoredTables
from am_assets.storage.streams import Stored
from am_assets.training import dataset


def decided(store: StoredTables, kept: pl.DataFrame, extra: bool) -> pl.DataFrame:
    """`dataset.sft_rows` of the kept rows of VerifiedSet. Of responses no text is read, and those of questions one
    batch at a time."""
    nothing = dataset.question_facts(TABLES["raw_pool"].create_empty())
    decided = [dataset.sft_rows(kept.clear(), TABLES["response_features"].create_empty(), nothing)]
    for shard in kept["shard"].unique().sort():
        ours, facts = kept.filter(shard=shard), [nothing]
        for batch in Stored(store.path("raw_pool", shard)).batches(dataset.QUESTION):
            asked = batch.join(ours, on="question_id", how="semi")
            facts.append(dataset.question_facts(asked if extra else dataset.without_extra(asked)))
        features = store.read("response_features", shard, dataset.FEATURES)
        decided.append(dataset.sft_rows(ours, features, pl.concat(facts)))
    return pl.concat(decided)


def released(store: StoredTables, shard: str, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows of `dataset.sft_rows` of a shard with all that is released of them, in the order of their ids."""
    asked = store.scan("raw_pool", shard).select(dataset.QUESTION)
    questions = asked.filter(pl.col("question_id").is_in(rows["question_id"].unique().implode())).collect()
    for found in responses(store, shard, rows["response_id"]):
        ours = rows.join(found.select("response_id", "think", "answer"), on="response_id", maintain_order="right")
        yield dataset.with_texts(ours, questions)


def responses(store: StoredTables, shard: str, ids: pl.Series) -> Iterator[pl.DataFrame]:
    """response_id, response, think and answer of some responses of a shard, in the order of their ids."""
    for batch in Stored(store.path("responses", shard)).batches(["response_id", "response"], ids):
        yield parts.split(batch)
