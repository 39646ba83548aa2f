"""Which questions are worth a teacher, as assets: pairs and overlap measure, the two sets decide."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from am_assets import tables
from am_assets.engines import embedder
from am_assets.engines.memo import with_keys
from am_assets.partitions import SHARD_KEYS, benchmarks, earlier_shards, every, recipes, shards
from am_assets.policies import read_policy
from am_assets.project import project
from am_assets.recipe import DedupPolicy, SamplingPolicy, TeacherPolicy
from am_assets.resources import Answers, TableStore, spent
from am_assets.selection import confirm, decontaminate, dedup, neighbors, overlap, sample

_instruments = project().instruments
# A shard that is gone updates no upstream partition: only the list of shards tells.
_POOL_VERSION = tables.version(sorted(SHARD_KEYS))
_BY_SHARD = ["raw_pool", "question_embeddings"]  # what benchmark_overlap reads one shard at a time


@tables.evidence(
    "selection",
    shards,
    ins={"question_embeddings": every("shard", mapping=earlier_shards)},
    code_version=tables.version(_instruments.pairs),
)
def similar_pairs(context: dg.AssetExecutionContext, question_embeddings: pl.DataFrame) -> pl.DataFrame:
    """Every pair of questions at or above the floor, of this shard against itself and the shards before it in the
    sources file. The floor is low: recipes cut above it, so a threshold can move without a new search."""
    by_shard = {
        key: frame.drop("shard") for (key,), frame in question_embeddings.group_by("shard", maintain_order=True)
    }
    own = by_shard.pop(context.partition_key, question_embeddings.drop("shard").clear())
    return neighbors.similar_pairs(own, list(by_shard.values()), _instruments.pairs.floor)


@tables.evidence(
    "selection",
    benchmarks,
    deps=[dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping()) for name in _BY_SHARD],
    code_version=tables.version(
        _POOL_VERSION, _instruments.overlap, _instruments.embeddings, overlap.VERSION, confirm.VERSION
    ),
)
def benchmark_overlap(
    context: dg.AssetExecutionContext,
    benchmark_questions: pl.DataFrame,
    tables: dg.ResourceParam[TableStore],
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """How near each question of the pool comes to one benchmark: equal text, shared word n-grams, cosine, what a model
    says of the grey zone, and the item each was largest for. Measurements only: which of them is contamination is the
    recipe's to say. A shard is read and measured alone, and once."""
    model, floor = _instruments.embeddings.model, _instruments.overlap.floor
    vectors = answers.vectors(benchmark_questions, model).table["vector"]
    items = overlap.Items(benchmark_questions, embedder.to_matrix(vectors))

    def measure(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for key, shard in missing.select("key", "shard").iter_rows():
            embedded = tables.read("question_embeddings", shard)
            rows = overlap.benchmark_overlap(_sound_questions(tables, shard), embedded, items, floor)
            yield pl.DataFrame({"key": [key], "rows": [rows.to_struct()]}, overlap.BY_SHARD)

    filled = answers.fill("overlap", _shards_as_they_are(context, items, [model, floor]), measure, overlap.BY_SHARD)
    table, said = _with_opinions(overlap.together(filled.table["rows"]), items, tables, answers)
    return table, {"shards_measured": filled.new.height, **said}


def _shards_as_they_are(context: dg.AssetExecutionContext, items: overlap.Items, instrument: list) -> pl.DataFrame:
    """The shards and the key of what is measured of each: its tables by their content, the items, the instrument."""
    versions = [[tables.stored_version(context, name, shard) for name in _BY_SHARD] for shard in SHARD_KEYS]
    against = tables.content_version(items.table.select("item_id", "question"))
    shards = pl.DataFrame({"shard": SHARD_KEYS, "versions": [" ".join(version) for version in versions]})
    return with_keys(shards, "versions", identity=[overlap.VERSION, against, *instrument])


def _sound_questions(store: TableStore, shard: str) -> pl.DataFrame:
    pool = store.read("raw_pool", shard, ["question_id", "question", "defect"])
    return pool.filter(pl.col("defect").is_null()).drop("defect")


def _with_opinions(
    table: pl.DataFrame, items: overlap.Items, store: TableStore, answers: Answers
) -> tuple[pl.DataFrame, dict]:
    """The table with what a model says of its grey zone, where the instruments name one."""
    instrument = _instruments.overlap.confirm
    if instrument is None:
        return table, {}
    pairs = confirm.grey(table, instrument).select("question_id", "item_id")
    texts = pl.concat(_sound_questions(store, shard).join(pairs, on="question_id", how="semi") for shard in SHARD_KEYS)
    pairs = pairs.join(texts.unique("question_id"), on="question_id", maintain_order="left")
    pairs = pairs.join(items.table.select("item_id", item="question"), on="item_id", maintain_order="left")
    filled = answers.get("confirmations", confirm.requests(pairs, instrument))
    return confirm.opinions(table, filled.table), spent(filled)


@tables.decision(
    "selection",
    recipes,
    ins={name: every("shard") for name in ("raw_pool", "question_features", "question_labels")}
    | {"similar_pairs": every("found_in")},
    code_version=_POOL_VERSION,
)
def deduped_set(
    dedup_policy: pl.DataFrame,
    raw_pool: pl.LazyFrame,
    question_features: pl.LazyFrame,
    question_labels: pl.LazyFrame,
    similar_pairs: pl.LazyFrame,
) -> tuple[pl.DataFrame, dict]:
    """Every question of the pool, kept or dropped as defective or as a duplicate, with the one that stands for it."""
    policy = read_policy(DedupPolicy, dedup_policy)
    rank = {name: source.rank for name, source in project().sources.items()}
    questions = (
        raw_pool.select(
            "question_id",
            "shard",
            "source",
            "copies",
            "defect",
            has_check=pl.col("reference_answer").is_not_null() | pl.col("test_cases").is_not_null(),
            published=pl.col("published").list.len() > 0,
            source_rank=pl.col("source").replace_strict(rank, return_dtype=pl.Int32),
        )
        .join(question_features.select("question_id", "shard", "complete"), on=["question_id", "shard"], how="left")
        .join(question_labels.select("question_id", "shard", "difficulty"), on=["question_id", "shard"], how="left")
        .with_columns(pl.col("complete").fill_null(False), pl.col("difficulty").cast(pl.String).fill_null("unlabelled"))
    )
    table = dedup.dedup(questions.collect(), similar_pairs.drop("found_in").collect(), policy)
    return table, {"kept": int(table["kept"].sum()), "threshold": policy.threshold}


@tables.decision(
    "selection",
    recipes,
    ins={name: every("shard") for name in ("raw_pool", "question_features", "question_labels")}
    | {"benchmark_overlap": every("benchmark", skip_missing=True)},
    code_version=_POOL_VERSION,
)
def selected_questions(
    context: dg.AssetExecutionContext,
    deduped_set: pl.LazyFrame,
    sampling_policy: pl.DataFrame,
    teacher_policy: pl.DataFrame,
    raw_pool: pl.LazyFrame,
    question_features: pl.LazyFrame,
    question_labels: pl.LazyFrame,
    benchmark_overlap: pl.LazyFrame,
) -> tuple[pl.DataFrame, dict]:
    """Every deduplicated question, kept or dropped as contaminated, unsuitable or downsampled; a kept one names the
    teacher and how many new responses it is to give."""
    policy = read_policy(SamplingPolicy, sampling_policy)
    rules = policy.decontamination
    measured = context.instance.get_materialized_partitions(dg.AssetKey("benchmark_overlap"))
    if absent := sorted(set(rules.benchmarks) - measured):
        raise dg.Failure(
            f"benchmark_overlap is not measured for {', '.join(absent)}: materialize these partitions first"
        )
    at = ["question_id", "shard"]
    questions = (
        deduped_set.filter("kept")
        .select(*at, "source")
        .join(raw_pool.select(*at, has_published=pl.col("published").list.len() > 0), on=at)
        .join(question_features.drop("chars", "words", "ascii_share"), on=at)
        .join(question_labels.select(*at, "category", "difficulty"), on=at)
    )
    overlap = benchmark_overlap.filter(pl.col("benchmark").is_in(rules.benchmarks)).collect()
    hits = decontaminate.contaminated(overlap, rules)
    table = sample.select(questions.collect(), hits, policy, read_policy(TeacherPolicy, teacher_policy))
    return table, {"kept": int(table["kept"].sum()), "new_responses_wanted": int(table["samples"].sum())}
