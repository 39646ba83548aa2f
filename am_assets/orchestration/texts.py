"""What is released, read from evidence shard by shard: narrow columns for the decision, texts a few at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from am_assets.distillation import parts
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.stored import StoredTables
from am_assets.storage.streams import Stored, in_order
from am_assets.training import dataset, preference, rl


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


def told_apart(store: StoredTables, wanted: pl.DataFrame) -> pl.DataFrame:
    """Of `wanted` responses (response_id, shard) that have a think and an answer: response_id, a hash `text` of both,
    and their `chars`."""
    sayings = [pl.DataFrame(schema={"response_id": pl.String, "text": pl.String, "chars": pl.UInt32})]
    for (shard,), ours in wanted.group_by("shard", maintain_order=True):
        for found in responses(store, str(shard), ours["response_id"]):
            whole = found.drop_nulls(["think", "answer"])
            chars = pl.col("think").str.len_chars() + pl.col("answer").str.len_chars()
            sayings.append(whole.select("response_id", text=dataset.hashes(whole, ["think", "answer"]), chars=chars))
    return pl.concat(sayings)


def asked(store: StoredTables, shards: Iterable[str]) -> pl.DataFrame:
    """Of the questions of `shards`: shard, question_id, license, and whether it is `referenced`."""
    facts = [pl.col("question_id"), pl.col("license"), pl.col("reference_answer").is_not_null().alias("referenced")]
    tables = [store.scan("raw_pool", shard).select(pl.lit(shard).alias("shard"), *facts) for shard in shards]
    nothing = TABLES["raw_pool"].create_empty().lazy().select(pl.lit("").alias("shard"), *facts)
    return pl.concat([nothing, *tables]).collect()


def paired(store: StoredTables, pairs: pl.DataFrame, beside: Path) -> Iterator[pl.DataFrame]:
    """PreferenceDataset of `preference.pairs`. Texts are sorted on the disk of `beside`."""

    def texts() -> Iterator[pl.DataFrame]:
        for (shard, of), ours in preference.texts_of(pairs).group_by("shard", "of", maintain_order=True):
            ids = ours["id"].unique()
            if of == "question":
                found = _questions(store, str(shard), ids, ["question"])
                said: Iterator[pl.DataFrame] = (one.select(id="question_id", said="question") for one in found)
            else:
                found = responses(store, str(shard), ids.alias("response_id"))
                said = (one.select(id="response_id", said=dataset.TURN) for one in found)
            for one in said:
                yield one.join(ours, on="id").select("place", "said")

    for ours, said in _in_place(pairs, texts(), len(preference.CHATS), beside):
        yield preference.with_texts(ours, said)


def checked(store: StoredTables, rows: pl.DataFrame, beside: Path) -> Iterator[pl.DataFrame]:
    """RlDataset of `rl.rl_rows`. Texts are sorted on the disk of `beside`."""

    def texts() -> Iterator[pl.DataFrame]:
        places = rows.select("shard", "question_id", place=pl.int_range(pl.len()))
        for (shard,), ours in places.group_by("shard", maintain_order=True):
            for found in _questions(store, str(shard), ours["question_id"], rl.TEXTS):
                yield found.join(ours, on="question_id").select("place", *rl.TEXTS)

    for ours, found in _in_place(rows, texts(), 1, beside):
        yield rl.with_texts(ours, found)


def _questions(store: StoredTables, shard: str, ids: pl.Series, columns: list[str]) -> Iterator[pl.DataFrame]:
    return Stored(store.path("raw_pool", shard)).batches(["question_id", *columns], ids.alias("question_id"))


def _in_place(
    rows: pl.DataFrame, texts: Iterable[pl.DataFrame], many: int, beside: Path
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Slices of `rows` and their `texts`, which have a `place`: `many` of each row."""
    at, left = 0, None
    for frame in in_order(texts, "place", beside):
        left = frame if left is None else pl.concat([left, frame])
        whole = left.height // many
        if not (left["place"] == pl.int_range(at * many, at * many + left.height, eager=True)).all():
            break
        yield rows.slice(at, whole), left.head(whole * many)
        at, left = at + whole, left.slice(whole * many)
    if at < rows.height:
        raise ValueError("raw_pool and responses are not those that verified_set was made of: materialize it again")
