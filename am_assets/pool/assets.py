"""The question pool as assets: what there is to choose from, and what is measured of it."""

import dagster as dg
import polars as pl

from am_assets import tables
from am_assets.engines import plots
from am_assets.partitions import shards
from am_assets.pool import features, labels, sources
from am_assets.project import project
from am_assets.resources import Answers, spent

_instruments = project().instruments


def _sound(raw_pool: pl.DataFrame) -> pl.DataFrame:
    return raw_pool.filter(pl.col("defect").is_null())


@tables.evidence("pool", shards, code_version="2")
def raw_pool(context: dg.AssetExecutionContext) -> tuple[pl.DataFrame, dict]:
    """The questions of one shard in canonical form: one row a distinct question, with its reference answer, its tests
    and its published responses where the source has them. Rows that can't be used stay, with their defect named."""
    here = project()
    frame = sources.read_shard(here.sources, context.partition_key, here.sources_file.parent)
    source = here.sources[sources.source_of(here.sources, context.partition_key)]
    defects = frame["defect"].drop_nulls().value_counts(sort=True).rows()
    return frame, {
        "fingerprint": sources.fingerprint(source, here.sources_file.parent),
        "entry": source.model_dump(mode="json"),
        "rows_in": int(frame["copies"].sum()),
        "defects": dict(defects),
        "published_responses": int(frame["published"].list.len().sum()),
    }


@tables.evidence(
    "pool", shards, code_version=tables.version(features.VERSION), instrument={"version": features.VERSION}
)
def question_features(raw_pool: pl.DataFrame) -> tuple[pl.DataFrame, dict]:
    """What can be told of a question without a model: length, script, language, completeness, links, images, tables."""
    table = features.question_features(_sound(raw_pool))
    return table, {"lengths": tables.picture(plots.histogram_png(table["words"], "Question length"))}


@tables.evidence(
    "pool",
    shards,
    pool="judge",
    code_version=tables.version(_instruments.labels, labels.LABEL_VERSION),
    instrument={"labels": _instruments.labels.model_dump(), "version": labels.LABEL_VERSION},
)
def question_labels(raw_pool: pl.DataFrame, answers: dg.ResourceParam[Answers]) -> tuple[pl.DataFrame, dict]:
    """Category (the paper's seven) and difficulty (its five levels) by a language model. An answer that can't be read
    is `unlabelled`, with the raw text beside it."""
    instrument = _instruments.labels
    questions = _sound(raw_pool).select("question_id", "question")
    filled = answers.get("labels", labels.label_requests(questions, instrument.model, instrument.max_tokens))
    table = labels.label_table(filled.table, instrument.model)
    mix = labels.mix(table)
    picture = plots.heatmap_png(mix, "category", "difficulty", "questions", "Questions by category and difficulty")
    return table, {**spent(filled), "mix": tables.picture(picture)}


@tables.evidence(
    "pool",
    shards,
    pool="gpu",
    code_version=tables.version(_instruments.embeddings),
    instrument={"embeddings": _instruments.embeddings.model_dump()},
)
def question_embeddings(raw_pool: pl.DataFrame, answers: dg.ResourceParam[Answers]) -> tuple[pl.DataFrame, dict]:
    """One unit vector a question, by the embedder of `instruments.yaml`; no row is embedded twice."""
    model = _instruments.embeddings.model
    filled = answers.vectors(_sound(raw_pool).select("question_id", "question"), model)
    reused = filled.table.height - filled.new.height
    return filled.table, {"model": model, "embedded": filled.new.height, "reused": reused}
