"""Reads the rows of one question from the stored tables, with filters pushed down and texts read for few rows."""

import re
from collections.abc import Iterable, Sequence

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.datasets.identity import normalize, question_id
from am_assets.datasets.sources import PLACES
from am_assets.orchestration.schemas import TABLES
from am_assets.planning.explain.explanation import EXCERPT_CHARS, MEASURED, NEAREST, Rows
from am_assets.project import Project
from am_assets.runtime.wording import counted
from am_assets.storage.stored import StoredTables

# The tables with rows about a question, by what they are partitioned by.
SHARD_TABLES = [
    "raw_pool", "question_features", "question_labels", "responses", *MEASURED,
]  # fmt: skip
RECIPE_TABLES = ["deduped_set", "selected_questions", "verified_set", "sft_dataset"]
ID = pl.col("question_id")
NO_NEIGHBOUR = pl.DataFrame(
    schema={"other_id": pl.String, "cosine": pl.Float32, "question": pl.String, "kept": pl.Boolean}
)
SUGGESTED = 3
TEXTS = ["response", "think"]  # of responses, which an explanation does not show


def find(store: StoredTables, here: Project, asked: str) -> str:
    """The id of the question that `asked` names: by text, or by its id, that of a response to it or the beginning of
    either. `ConfigError` for none, with similar questions, and for what begins the ids of several questions."""
    pool = _all(store)
    if re.fullmatch(r"[0-9a-fA-F]{4,32}", asked):
        begins = asked.strip().lower()
        known = [pool, *(store.scan("responses", at) for at in store.partitions("responses"))]
        for named, tables in {"question_id": known[:1], "response_id": known[1:]}.items():
            if not tables:
                continue
            rows = pl.concat(table.select(ID, pl.col(named).alias("named")) for table in tables)
            ids = rows.filter(pl.col("named").str.starts_with(begins)).unique().sort("named").collect()
            if ids["question_id"].n_unique() > 1:
                several = ", ".join(ids["named"].unique(maintain_order=True)[:SUGGESTED])
                raise ConfigError(f"{asked} begins {counted(ids.height, 'id')}, {several}: give more of it")
            if ids.height:
                return ids["question_id"][0]
    asked_id = question_id(asked)
    if pool.filter(asked_id == ID).select(pl.len()).collect().item():
        return asked_id
    unknown = f"no shard holds the question {asked[:EXCERPT_CHARS]!r}"
    raise ConfigError(unknown + _near(pool, asked) + _left_out(store, here))


def _near(pool: pl.LazyFrame, asked: str) -> str:
    """The questions that contain most of the longest words of `asked`."""
    words = sorted(set(normalize(asked).split()), key=lambda word: (-len(word), word))[:8]
    if not words:
        return ""
    held = pl.sum_horizontal(pl.col("question").str.to_lowercase().str.contains(word, literal=True) for word in words)
    rows = pool.select("question_id", "question", held=held).filter(2 * pl.col("held") > len(words))
    best = rows.sort("held", "question_id", descending=[True, False]).head(SUGGESTED).collect()
    lines = [f"\n    {row[0]}  {' '.join(row[1].split())[:EXCERPT_CHARS]}" for row in best.iter_rows()]
    return f"; near it come{''.join(lines)}" if lines else ""


def _left_out(store: StoredTables, here: Project) -> str:
    """Where the question might be outside of the pool: shards not read yet, and sources with a `limit`."""
    from am_assets.datasets.sources import shard_keys

    absent = sorted(set(shard_keys(here.sources)) - set(store.partitions("raw_pool")))
    limited = [name for name, source in here.sources.items() if source.limit]
    return (f"\nNot read yet: {', '.join(absent)}" if absent else "") + (
        f"\nBeyond the first rows that `limit` allows nothing is read of {', '.join(limited)}" if limited else ""
    )


def read(store: StoredTables, recipe: str, benchmarks: Iterable[str], wanted: str, texts: bool) -> Rows:
    """Everything stored about the question `wanted` and its neighbours; without `texts` those of responses are null,
    and not read."""
    shards = _all(store).filter(wanted == ID).select("shard").collect()["shard"].to_list()
    unread = [] if texts else TEXTS
    tables = {name: _of(store, name, shards, "shard", wanted, unread) for name in SHARD_TABLES}
    tables |= {name: _of(store, name, [recipe], "recipe", wanted).drop("recipe") for name in RECIPE_TABLES}
    overlap = _of(store, "benchmark_overlap", benchmarks, "benchmark", wanted)
    tables |= {"benchmark_overlap": overlap}
    tables["raw_pool"] = tables["raw_pool"].join(_places(store, shards, wanted), on="shard", how="left")
    return Rows(tables, _neighbours(store, recipe, wanted), _items(store, overlap))


def _places(store: StoredTables, shards: list[str], wanted: str) -> pl.DataFrame:
    """By shard, where the rows of a question came from, in words; tables of an older version do not know."""
    known = {*shards} & {*store.partitions(PLACES)}
    found = {shard: store.scan(PLACES, shard).filter(wanted == ID).collect() for shard in known}
    said = {
        shard: [place + (f" (id {own})" if own else "") for place, own in rows.select("place", "own_id").iter_rows()]
        for shard, rows in found.items()
    }
    return pl.DataFrame(list(said.items()), {"shard": pl.String, "places": pl.List(pl.String)}, orient="row")


def _of(
    store: StoredTables, asset: str, partitions: Iterable[str], named: str, wanted: str, unread: Sequence[str] = ()
) -> pl.DataFrame:
    """The rows of a question in some partitions, with a column `named` for the partition. Columns that are `unread`, or
    that tables of an older version lack, are null."""
    stored = set(store.partitions(asset))
    found = [
        store.scan(asset, at).drop(unread, strict=False).filter(wanted == ID).with_columns(pl.lit(at).alias(named))
        for at in partitions
        if at in stored
    ]
    if not found:
        return TABLES[asset].create_empty().with_columns(pl.lit("").alias(named))
    rows = pl.concat(found, how="diagonal_relaxed").collect()
    absent = [name for name in TABLES[asset].column_names() if name not in rows.columns]
    return rows.with_columns(pl.lit(None).alias(name) for name in absent)


def _all(store: StoredTables) -> pl.LazyFrame:
    """question_id, question and shard of the whole pool."""
    partitions = store.partitions("raw_pool")
    if not partitions:
        raise ConfigError("nothing is stored of raw_pool yet; materialize it first: am apply --all --select raw_pool")
    return pl.concat(store.scan("raw_pool", at).select(ID, "question", shard=pl.lit(at)) for at in partitions)


def _neighbours(store: StoredTables, recipe: str, wanted: str) -> pl.DataFrame:
    scans = [store.scan("similar_pairs", at) for at in store.partitions("similar_pairs")]
    if not scans:
        return NO_NEIGHBOUR
    other = pl.when(wanted == ID).then("other_id").otherwise("question_id").alias("other_id")
    pairs = pl.concat(scans).filter(
        (wanted == ID) ^ (pl.col("other_id") == wanted)
    )  # a pair with itself marks a crowded question
    nearest = pairs.select(other, "cosine").top_k(NEAREST, by="cosine").collect()
    ids = nearest["other_id"].implode()
    texts = _all(store).filter(ID.is_in(ids)).select(ID, pl.col("question").str.slice(0, EXCERPT_CHARS))
    found = nearest.join(texts.unique("question_id").collect(), left_on="other_id", right_on="question_id", how="left")
    fates = NO_NEIGHBOUR.lazy().select("kept", question_id="other_id")
    if recipe in store.partitions("deduped_set"):
        fates = store.scan("deduped_set", recipe).filter(ID.is_in(ids)).group_by(ID).agg(pl.col("kept").any())
    joined = found.join(fates.collect(), left_on="other_id", right_on="question_id", how="left")
    return joined.sort("cosine", "other_id", descending=[True, False])


def _items(store: StoredTables, overlap: pl.DataFrame) -> dict[str, str]:
    """The texts of the nearest items in `overlap`, by benchmark/item."""
    stored = set(store.partitions("benchmark_questions"))
    return {
        f"{benchmark}/{item}": text
        for benchmark, item in overlap.select("benchmark", "item_id").iter_rows()
        if benchmark in stored
        for text in store.scan("benchmark_questions", benchmark).filter(item_id=item).collect()["question"]
    }
