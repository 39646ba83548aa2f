"""Assets of selection: similar pairs and benchmark overlap, and the deduplicated and selected questions."""

from collections.abc import Iterator
from functools import cache, partial

import dagster as dg
import polars as pl

from am_assets.config.recipe import DedupPolicy, SamplingPolicy, TeacherPolicy
from am_assets.datasets.pass_rates import read_round
from am_assets.engines import plots
from am_assets.engines.models import embedder
from am_assets.engines.models.hnsw import Graphs
from am_assets.orchestration import tables
from am_assets.orchestration.assets.pool import TEXTS
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import earlier_shards
from am_assets.orchestration.partitions import all_of, every
from am_assets.orchestration.resources import Answers
from am_assets.orchestration.tables import picture, stored_version
from am_assets.orchestration.usage import usage
from am_assets.selection import confirm, decontaminate, dedup, neighbors, overlap, sample
from am_assets.selection.hits import Hits
from am_assets.storage.mapped import MappedTables
from am_assets.storage.memo import FillResult, key_of, with_keys
from am_assets.storage.portions import one_by_one
from am_assets.storage.stored import StoredTables, read_policy
from am_assets.storage.streams import content_version

_BY_SHARD = ["raw_pool", "question_embeddings"]  # what benchmark_overlap reads one shard at a time


@tables.evidence(
    "selection",
    "shards",
    deps=lambda by: [dg.AssetDep("question_embeddings", partition_mapping=by.earlier_shards)],
    reads=Reads((neighbors,), ("pairs.floor",), entry=earlier_shards),
)
def similar_pairs(
    context: dg.AssetExecutionContext,
    here: Declared,
    tables: dg.ResourceParam[StoredTables],
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """Every pair of questions with a cosine at or above the floor, of this shard with itself and with the shards before
    it in the sources file. The floor is low: thresholds of recipes lie above it and move without a new search. Two
    shards are searched again only where one of them changes."""
    own, floor = context.partition_key, here.instruments.pairs.floor
    graphs, mapped = Graphs(here.graphs), MappedTables(here.mapped)
    names = [own, *here.shards[: here.shards.index(own)]]
    versions = {name: stored_version(context, "question_embeddings", name) for name in names}

    read = partial(tables.read, "question_embeddings", columns=["question_id"])
    compared = neighbors.compared((name, read(name)["question_id"]) for name in names)

    def shard(name: str) -> neighbors.Shard:
        table = mapped.read(name, versions[name], lambda: _embeddings(tables, name, versions[name]))
        found = neighbors.Shard.of(name, table, graphs)
        if not found.ids.equals(compared[name].ids):
            raise _not_as_materialized(name)
        return found

    mine = cache(lambda: shard(own))  # has its graph

    def measure(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for key, name in missing.select("key", "shard").iter_rows():
            found = neighbors.search(mine(), mine() if name == own else shard(name), floor)
            yield pl.DataFrame({"key": [key]} | found, neighbors.SEARCH)

    filled = answers.fill("pairs", _searches(compared, versions, floor), measure, neighbors.SEARCH, one_by_one)
    pairs, audit = neighbors.similar_pairs(compared, filled.table)
    with_itself = pl.col("question_id") == pl.col("other_id")
    cosines = pairs.filter(~with_itself)["cosine"]
    return pairs, {
        "shards_searched": filled.new.height,
        "audited_pairs": audit.pairs,
        "audited_recall": audit.recall,
        "in_crowds": pairs.height - len(cosines),
        "cosines": picture(plots.histogram_png(cosines, "Pairs by cosine")),
    }


def _searches(compared: dict[str, neighbors.Compared], versions: dict[str, str], floor: float) -> pl.DataFrame:
    """The shards that the first one of `compared` is searched against, with the memo key of each: what both hold."""
    holds = {name: [versions[name], content_version(one.ids.to_frame())] for name, one in compared.items()}
    keys = [key_of(neighbors.VERSION, floor, *next(iter(holds.values())), *other) for other in holds.values()]
    return pl.DataFrame({"shard": [*holds], "key": keys}, {"shard": pl.String, "key": pl.String})


def _embeddings(store: StoredTables, shard: str, version: str) -> pl.DataFrame:
    table = store.read("question_embeddings", shard)
    if content_version(table) != version:  # else other vectors would be kept under this version
        raise _not_as_materialized(shard)
    return table


def _not_as_materialized(shard: str) -> dg.Failure:
    return dg.Failure(
        f"question_embeddings[{shard}]: the stored table is not the one that was materialized last: materialize this"
        " partition again"
    )


@tables.evidence(
    "selection",
    "benchmarks",
    pool=lambda instruments: "judge" if instruments.overlap.confirm else None,
    deps=lambda _: all_of(*_BY_SHARD),
    # Removing a shard updates no upstream partition, so only the list of shards shows it.
    reads=Reads((overlap, confirm), ("overlap", "embeddings"), ("shards",)),
)
def benchmark_overlap(
    context: dg.AssetExecutionContext,
    here: Declared,
    benchmark_questions: pl.DataFrame,
    tables: dg.ResourceParam[StoredTables],
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """Overlap of each question with one benchmark: equal text, shared word n-grams, cosine, a model's answer in the
    grey zone, and the item with the largest value of each. Measurements only: the recipe decides which of them is
    contamination. Each shard is read and measured once, on its own."""
    items, filled = _overlap(context, here, benchmark_questions, tables, answers)
    rows = overlap.concat_shards(filled.table["rows"], "question_id")
    table, metadata = _with_opinions(rows, items, here, tables, answers)
    return table, {"shards_measured": filled.new.height, **metadata}


@tables.evidence(
    "selection",
    "benchmarks",
    deps=lambda _: all_of(*_BY_SHARD),
    reads=Reads((overlap,), ("overlap.floor", "embeddings"), ("shards",)),
)
def benchmark_hits(
    context: dg.AssetExecutionContext,
    here: Declared,
    benchmark_questions: pl.DataFrame,
    tables: dg.ResourceParam[StoredTables],
    answers: dg.ResourceParam[Answers],
) -> tuple[pl.DataFrame, dict]:
    """All questions of the pool that touch an item of one benchmark, by each measure of overlap, down to a low floor:
    where a student was trained on any of them, its score on that item may be owed to that. Measured in one pass with
    the overlap of each question, and remembered with it."""
    _, filled = _overlap(context, here, benchmark_questions, tables, answers)
    table = overlap.concat_shards(filled.table["hits"], "item_id", "measure", "question_id")
    return table, {"shards_measured": filled.new.height, "items": table["item_id"].n_unique()}


def _overlap(
    context: dg.AssetExecutionContext,
    here: Declared,
    benchmark_questions: pl.DataFrame,
    tables: StoredTables,
    answers: Answers,
) -> tuple[overlap.Items, FillResult]:
    """The items of a benchmark, and by shard the rows and hits of their overlap, measured where the memo lacks it."""
    model, floor = here.instruments.embeddings.model, here.instruments.overlap.floor
    vectors = answers.vectors(benchmark_questions, model).table["vector"]
    items = overlap.Items(benchmark_questions, embedder.to_matrix(vectors))

    def measure(missing: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for key, shard in missing.select("key", "shard").iter_rows():
            embedded, hits = tables.read("question_embeddings", shard), Hits(items.ids, floor)
            rows = overlap.benchmark_overlap(_sound_questions(tables, shard), embedded, items, floor, hits)
            found = {"rows": [rows.to_struct()], "hits": [hits.table().to_struct()]}
            yield pl.DataFrame({"key": [key], **found}, overlap.BY_SHARD)

    wanted = _shards_as_they_are(context, here.shards, items, [model, floor])
    return items, answers.fill("overlaps", wanted, measure, overlap.BY_SHARD, one_by_one)


def _shards_as_they_are(
    context: dg.AssetExecutionContext, keys: list[str], items: overlap.Items, instrument: list
) -> pl.DataFrame:
    """The shards with the memo key of each: its questions, their embeddings, the items, and the instrument."""
    versions = [
        [
            # The version of its questions alone: a licence or a reference is nothing to measure overlap again for.
            tables.stored_metadata(context, "raw_pool", shard, TEXTS) or stored_version(context, "raw_pool", shard),
            stored_version(context, "question_embeddings", shard),
        ]
        for shard in keys
    ]
    against = content_version(items.table.select("item_id", "question"))
    shards = pl.DataFrame({"shard": keys, "versions": [" ".join(version) for version in versions]})
    return with_keys(shards, "versions", identity=[overlap.VERSION, against, *instrument])


def _sound_questions(store: StoredTables, shard: str) -> pl.DataFrame:
    pool = store.read("raw_pool", shard, ["question_id", "question", "defect"])
    return pool.filter(pl.col("defect").is_null()).drop("defect")


def _with_opinions(
    table: pl.DataFrame, items: overlap.Items, here: Declared, store: StoredTables, answers: Answers
) -> tuple[pl.DataFrame, dict]:
    """The table with a model's answers about its grey zone, where the instruments name one."""
    instrument = here.instruments.overlap.confirm
    if instrument is None:
        return table, {}
    pairs = confirm.grey(table, instrument).select("question_id", "item_id")
    texts = pl.concat(_sound_questions(store, shard).join(pairs, on="question_id", how="semi") for shard in here.shards)
    pairs = pairs.join(texts.unique("question_id"), on="question_id", maintain_order="left")
    pairs = pairs.join(items.table.select("item_id", item="question"), on="item_id", maintain_order="left")
    filled = answers.get("confirmations", confirm.requests(pairs, instrument))
    return confirm.opinions(table, filled.table), usage(filled)


@tables.decision(
    "selection",
    "recipes",
    ins={name: every("shard") for name in ("raw_pool", "question_features", "question_labels", "question_embeddings")}
    | {"similar_pairs": every("found_in")},
    reads=Reads((dedup,), ("pairs.floor",), ("shards", "ranks")),
    read_below=("curve", "threshold"),
)
def deduped_set(
    here: Declared,
    dedup_policy: pl.DataFrame,
    raw_pool: pl.LazyFrame,
    question_features: pl.LazyFrame,
    question_labels: pl.LazyFrame,
    question_embeddings: pl.LazyFrame,
    similar_pairs: pl.LazyFrame,
) -> tuple[pl.DataFrame, dict]:
    """Every question of the pool, kept or dropped as defective or as a duplicate, with its representative."""
    policy = read_policy(DedupPolicy, dedup_policy)
    questions = dedup.candidates(raw_pool, question_features, question_labels, here.ranks)
    in_crowds = (
        similar_pairs.filter(pl.col("question_id") == pl.col("other_id")).select("question_id").unique().collect()
    )
    in_crowd = question_embeddings.join(in_crowds.lazy(), on="question_id", how="semi")
    vectors = (in_crowd if in_crowds.height else in_crowd.clear()).collect()  # mostly none
    crowd = vectors.sort("question_id", "shard").unique("question_id", keep="first", maintain_order=True)
    thresholds = dedup.curve(here.instruments.pairs.floor)
    table, kept = dedup.dedup(questions, similar_pairs.drop("found_in"), crowd, policy, thresholds)
    return table, {
        "kept": int(table["kept"].sum()),
        "threshold": policy.threshold,
        "kept_by_threshold": tables.picture(
            plots.bar_chart_png(kept.cast({"threshold": pl.String}), "threshold", "kept", "Questions kept by threshold")
        ),
        "curve": {str(threshold): count for threshold, count in kept.rows()},
    }


@tables.decision(
    "selection",
    "recipes",
    ins={name: every("shard") for name in ("question_features", "question_labels")}
    | {"benchmark_overlap": every("benchmark", optional=True)},
    reads=Reads((sample, decontaminate), facts=("shards",)),
)
def selected_questions(
    here: Declared,
    deduped_set: pl.LazyFrame,
    sampling_policy: pl.DataFrame,
    teacher_policy: pl.DataFrame,
    question_features: pl.LazyFrame,
    question_labels: pl.LazyFrame,
    benchmark_overlap: pl.LazyFrame,
    tables: dg.ResourceParam[StoredTables],
) -> tuple[pl.DataFrame, dict]:
    """Every deduplicated question, kept or dropped as contaminated, unsuitable, solved too often or too seldom in a
    frozen round, or downsampled; with the teacher and the number of new responses wanted of it."""
    policy = read_policy(SamplingPolicy, sampling_policy)
    earlier = read_round(here.data, policy.pass_rates.round) if policy.pass_rates else sample.NO_ROUND
    rules = policy.decontamination
    if absent := sorted(set(rules.benchmarks) - set(tables.partitions("benchmark_overlap"))):
        raise dg.Failure(
            f"benchmark_overlap is not measured for {', '.join(absent)}: materialize these partitions first"
        )
    questions = sample.candidates(deduped_set, question_features, question_labels)
    overlap = benchmark_overlap.filter(pl.col("benchmark").is_in(rules.benchmarks)).collect()
    hits = decontaminate.contaminated(overlap, rules)
    table = sample.select(questions, hits, policy, read_policy(TeacherPolicy, teacher_policy), earlier)
    return table, {"kept": int(table["kept"].sum()), "new_responses_wanted": int(table["samples"].sum())}
