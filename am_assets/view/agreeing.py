"""How far the verdicts of a recipe agree with people, and marked answers as test cases, from what is stored."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from am_assets.storage.stored import StoredTables
from am_assets.view import marks
from am_assets.view.marks import Mark

VERIFIED = ["response_id", "question_id", "shard", "evidence", "category", "verdict"]
POOL = ["question_id", "question", "reference_answer", "test_cases", "constraints"]


def agreement(store: StoredTables, recipe: str, said: Mapping[str, Mark]) -> pl.DataFrame:
    """`marks.agreement` of the candidates of a recipe; without rows where none of them is marked."""
    return marks.agreement(marks.judged(said.values(), _verified(store, recipe, said)))


def cases(store: StoredTables, recipe: str, said: Mapping[str, Mark]) -> tuple[list[dict[str, Any]], int]:
    """`marks.cases` of the candidates of a recipe, and how many were left out, as a key or personal data was found in
    them."""
    from am_assets.config.vocabulary import WITHHELD

    verified = _verified(store, recipe, said)
    parts = [_of_shard(store, str(shard), rows) for (shard,), rows in verified.group_by("shard", maintain_order=True)]
    if not parts:
        return [], 0
    found = pl.concat(parts, how="diagonal_relaxed")
    shown = found.filter(
        ~pl.col("screens").list.eval(pl.element().cast(pl.String).is_in(WITHHELD)).list.any().fill_null(False)
    )
    return marks.cases(said, shown.drop("screens", "shard")), found.height - shown.height


def _verified(store: StoredTables, recipe: str, said: Mapping[str, Mark]) -> pl.DataFrame:
    if recipe not in store.partitions("verified_set"):
        return pl.DataFrame(schema=dict.fromkeys(VERIFIED, pl.String))
    wanted = pl.Series(list(said), dtype=pl.String).implode()
    rows = store.scan("verified_set", recipe).filter(pl.col("response_id").is_in(wanted))
    return rows.select(pl.col(name).cast(pl.String) for name in VERIFIED).collect()


def _of_shard(store: StoredTables, shard: str, rows: pl.DataFrame) -> pl.DataFrame:
    ids, questions = rows["response_id"].implode(), rows["question_id"].implode()
    pool = store.scan("raw_pool", shard).filter(pl.col("question_id").is_in(questions)).select(POOL)
    mine = pl.col("response_id").is_in(ids)
    whole = store.scan("responses", shard).filter(mine).select("response_id", "response")
    parts = store.scan("response_features", shard).filter(mine).select("response_id", "answer")
    screens = pl.LazyFrame(schema={"response_id": pl.String, "screens": pl.List(pl.String)})
    if shard in store.partitions("response_screens"):
        screens = store.scan("response_screens", shard).filter(mine).select("response_id", "screens")
    joined = rows.lazy().join(pool, on="question_id").join(whole, on="response_id").join(parts, on="response_id")
    return (
        joined.join(screens, on="response_id", how="left")
        .with_columns(answer=pl.coalesce("answer", "response"))
        .drop("response", "question_id")
        .rename({"evidence": "kind", "reference_answer": "reference"})
        .collect()
    )
