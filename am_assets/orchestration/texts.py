"""What is released, read from evidence shard by shard: narrow columns for the decision, texts a few at a time."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from am_assets.distillation import parts
from am_assets.orchestration.schemas import TABLES
from am_assets.storage.stored import EXTENSION, StoredTables
from am_assets.training import dataset

BATCH_BYTES = 16_000_000  # of the columns read at once, in memory
BATCH_ROWS = 1_000


def decided(store: StoredTables, kept: pl.DataFrame, extra: bool) -> pl.DataFrame:
    """`dataset.sft_rows` of the kept rows of VerifiedSet. Of responses no text is read, and those of questions one
    batch at a time."""
    nothing = dataset.question_facts(TABLES["raw_pool"].create_empty())
    decided = [dataset.sft_rows(kept.clear(), TABLES["response_features"].create_empty(), nothing)]
    for shard in kept["shard"].unique().sort():
        ours, facts = kept.filter(shard=shard), [nothing]
        for batch in batches(store, "raw_pool", shard, dataset.QUESTION):
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
    for batch in batches(store, "responses", shard, ["response_id", "response"], ids):
        yield parts.split(batch)


def batches(
    store: StoredTables, asset: str, shard: str, columns: list[str], ids: pl.Series | None = None
) -> Iterator[pl.DataFrame]:
    """Columns of a table, in frames of bounded size; of the rows with `ids` where the first column is one of these,
    which the table is sorted by."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = store.folder / asset / f"{shard}{EXTENSION}"
    bounds = None if ids is None or ids.is_empty() else (ids.min(), ids.max())
    if ids is not None and bounds is None:
        return
    with pq.ParquetFile(path, memory_map=True, pre_buffer=False) as file:
        groups = [at for at in range(file.num_row_groups) if _holds(file.metadata.row_group(at), columns[0], bounds)]
        for at in groups:
            height = _height(file.metadata.row_group(at), columns)
            for batch in file.iter_batches(height, row_groups=[at], columns=columns):
                frame = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))
                found = frame if ids is None else frame.filter(pl.col(columns[0]).is_in(ids.implode()))
                if found.height:
                    yield found


def _holds(group: Any, column: str, bounds: tuple | None) -> bool:
    """Whether a row group may have ids within the bounds."""
    told = next(one.statistics for one in _columns(group) if one.path_in_schema == column)
    if bounds is None or told is None or not told.has_min_max:
        return True
    return bool(told.min <= bounds[1] and told.max >= bounds[0])


def _height(group: Any, columns: list[str]) -> int:
    """How many rows of a row group are read at once."""
    held = sum(one.total_uncompressed_size for one in _columns(group) if one.path_in_schema.split(".")[0] in columns)
    return max(1, min(BATCH_ROWS, BATCH_BYTES * group.num_rows // max(held, 1)))


def _columns(group: Any) -> Iterator[Any]:
    return (group.column(at) for at in range(group.num_columns))
