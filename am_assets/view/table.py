"""The rows of a recipe: one a candidate response, and one a question that has none. What lists and facets are made of.

Narrow columns only, in memory; texts stay in the stored tables and are read for the rows that are shown.
"""

from collections.abc import Iterable

import polars as pl

from am_assets.storage.stored import StoredTables

KEPT, UNANSWERED, UNSELECTED, UNDECIDED = "kept", "no response yet", "not selected yet", "not decided yet"
LENGTHS = [200, 1_000, 4_000, 16_000]  # characters of a response: the upper ends of classes
REWARDS = [0.25, 0.5, 0.75]  # the lower ends
ROW = {
    "question_id": pl.String, "response_id": pl.String, "shard": pl.String, "source": pl.String,
    "category": pl.String, "difficulty": pl.String, "teacher": pl.String, "evidence": pl.String,
    "verdict": pl.String, "reason": pl.String, "reward": pl.Float32, "license": pl.String,
    "question_chars": pl.UInt32, "response_chars": pl.UInt32,
}  # fmt: skip
FEW = ["shard", "source", "category", "difficulty", "teacher", "evidence", "verdict", "reason", "license"]
QUESTION = ["question_id", "shard", "source", "category", "difficulty", "reason"]


def rows(store: StoredTables, recipe: str) -> pl.DataFrame:
    """Every row of a recipe, columns as in ROW with those of `FEW` as categories, and the classes `length` and `score`.

    Shard by shard, answered questions first. Of a recipe that decided on nothing yet, the questions of the pool.
    """
    fates = {asset: _by_shard(store, asset, recipe) for asset in ("deduped_set", "selected_questions", "verified_set")}
    shards = sorted(set().union(*fates.values()) or store.partitions("raw_pool"))
    parts = [_of_shard(store, shard, {asset: of.get(shard) for asset, of in fates.items()}) for shard in shards]
    found = pl.concat([pl.DataFrame(schema=ROW), *parts])
    return found.with_columns(pl.col(FEW).cast(pl.Categorical), length=_class_of_length(), score=_class_of_reward())


def first_rows(store: StoredTables, recipe: str, count: int) -> pl.DataFrame:
    """What `rows` begins with, read at once, where that many candidate responses begin it; else empty."""
    if recipe not in store.partitions("verified_set"):
        return pl.DataFrame(schema=ROW)
    found = _verified(store.scan("verified_set", recipe).head(count).collect())
    if found.height < count or found["shard"].n_unique() > 1:
        return found.clear()
    return _measured(store, found["shard"][0], found)


def _by_shard(store: StoredTables, asset: str, recipe: str) -> dict[str, pl.DataFrame]:
    if recipe not in store.partitions(asset):
        return {}
    stored = store.scan(asset, recipe)
    narrow = [name for name in {*ROW, "kept", "drop_reason"} if name in stored.collect_schema()]
    groups = stored.select(narrow).collect().partition_by("shard", as_dict=True, maintain_order=True)
    return {str(shard): rows for (shard,), rows in groups.items()}


def _of_shard(store: StoredTables, shard: str, fates: dict[str, pl.DataFrame | None]) -> pl.DataFrame:
    verified, selected, deduped = (fates[name] for name in ("verified_set", "selected_questions", "deduped_set"))
    parts = [] if verified is None else [_verified(verified)]
    if selected is not None:
        left = selected if verified is None else selected.join(verified, on="question_id", how="anti")
        parts.append(left.select(*QUESTION[:-1], reason=_reason(UNANSWERED)))
    if deduped is not None:
        dropped = deduped if selected is None else deduped.join(selected, on="question_id", how="anti")
        parts.append(
            _labelled(store, shard, dropped.select("question_id", "shard", "source", reason=_reason(UNSELECTED)))
        )
    if not parts:
        pool = store.scan("raw_pool", shard).select("question_id", "source").collect()
        parts.append(_labelled(store, shard, pool.with_columns(shard=pl.lit(shard), reason=pl.lit(UNDECIDED))))
    found = pl.concat([pl.DataFrame(schema=ROW), *(_typed(part) for part in parts)], how="diagonal")
    return _measured(store, shard, found)


def _verified(rows: pl.DataFrame) -> pl.DataFrame:
    return _typed(
        rows.with_columns(reason=_reason(KEPT)).select(name for name in ROW if name in {*rows.columns, "reason"})
    )


def _reason(otherwise: str) -> pl.Expr:
    return pl.coalesce(pl.col("drop_reason").cast(pl.String), pl.lit(otherwise))


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with all columns of ROW, in their order."""
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in ROW.items() if name not in rows.columns]
    return rows.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in ROW.items())


def _labelled(store: StoredTables, shard: str, questions: pl.DataFrame) -> pl.DataFrame:
    labels = _scan(store, "question_labels", shard, ["question_id", "category", "difficulty"])
    return questions if labels is None else questions.join(labels, on="question_id", how="left", maintain_order="left")


def _measured(store: StoredTables, shard: str, found: pl.DataFrame) -> pl.DataFrame:
    """`found` with licence and lengths."""
    rows = found.drop("license", "question_chars", "response_chars")
    features = _scan(store, "question_features", shard, ["question_id", "license", "chars"])
    if features is not None:
        rows = rows.join(
            features.rename({"chars": "question_chars"}), on="question_id", how="left", maintain_order="left"
        )
    lengths = _scan(store, "response_features", shard, ["response_id", "think_chars", "answer_chars"])
    if lengths is not None:
        sums = lengths.select("response_id", response_chars=pl.col("think_chars") + pl.col("answer_chars"))
        rows = rows.join(sums, on="response_id", how="left", maintain_order="left")
    return _typed(rows)


def _scan(store: StoredTables, asset: str, shard: str, columns: list[str]) -> pl.DataFrame | None:
    if shard not in store.partitions(asset):
        return None
    stored = store.scan(asset, shard)
    return stored.select(name for name in columns if name in stored.collect_schema()).collect()


def _class_of_length() -> pl.Expr:
    names = [*(f"up to {end:,}" for end in LENGTHS), f"over {LENGTHS[-1]:,}"]
    return _class([pl.col("response_chars") <= end for end in LENGTHS], names, "response_chars")


def _class_of_reward() -> pl.Expr:
    names = [f"under {REWARDS[0]}", *(f"from {end}" for end in REWARDS)]
    return _class([pl.col("reward") < end for end in REWARDS], names, "reward")


def _class(within: list[pl.Expr], names: list[str], column: str) -> pl.Expr:
    """The name of the first that holds, the last name for none, null for no value."""
    named = [pl.when(holds).then(pl.lit(name)) for holds, name in zip(within, names, strict=False)]
    return pl.coalesce(*named, pl.when(pl.col(column).is_not_null()).then(pl.lit(names[-1]))).cast(pl.Enum(names))


def beginnings(store: StoredTables, shards: Iterable[str], ids: pl.Series, width: int) -> dict[str, str]:
    """The first `width` characters of questions by id, on one line, without keys and personal data."""
    from am_assets.runtime.quoting import visible
    from am_assets.verification.screens.blanking import blanked

    wanted, found = ids.unique().implode(), dict[str, str]()
    if ids.is_empty():
        return found
    for shard in shards:
        texts = store.scan("raw_pool", shard).filter(pl.col("question_id").is_in(wanted))
        for key, text in texts.select("question_id", pl.col("question").str.slice(0, 2_000)).collect().rows():
            found[key] = " ".join(visible(blanked(text, width)).split())
    return found
