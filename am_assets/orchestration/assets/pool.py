"""Assets of the question pool: questions in canonical form, their features, labels and embeddings."""

import dagster as dg
import polars as pl

from am_assets.config.licenses import UNKNOWN
from am_assets.datasets import sources
from am_assets.datasets.reading import Told
from am_assets.engines import plots
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import source_entry
from am_assets.orchestration.resources import Answers
from am_assets.orchestration.usage import usage
from am_assets.pool import features, labels
from am_assets.storage.atomic import file_aside
from am_assets.storage.stored import EXTENSION
from am_assets.verification.verifiers import applicable

TEXTS = "texts"  # metadata of a shard: the version of its questions, whatever else is known of them


def _sound(raw_pool: pl.DataFrame) -> pl.DataFrame:
    return raw_pool.filter(pl.col("defect").is_null())


@tables.evidence("pool", "shards", reads=Reads((sources,), facts=("exclusions",), entry=source_entry))
def raw_pool(context: dg.AssetExecutionContext, here: Declared) -> tuple[pl.DataFrame, dict]:
    """The questions of one shard in canonical form: one row per distinct question, with its reference answer, tests and
    published responses where the source has them. Unusable rows stay, with the defect named, and excluded ones without
    their texts. Where each row came from is written beside this table."""
    name, source = here.source(context.partition_key)
    told = Told()
    frame = sources.read_shard({name: source}, context.partition_key, here.sources_folder, told, here.exclusions)
    if told.faults:
        context.log.warning(
            "%d of %d rows of source %s are at fault: %s", told.faults.total(), told.rows, name, told.dropped()
        )
    assert told.came_from is not None
    with file_aside(here.assets / sources.PLACES / f"{context.partition_key}{EXTENSION}") as aside:
        told.came_from.write_parquet(aside)
    defects = frame["defect"].drop_nulls().value_counts(sort=True).rows()
    return frame, {
        TEXTS: tables.content_version(frame.select("question_id", "question", "defect")),
        "rows_in": int(frame["copies"].sum()),
        "defects": dict(defects),
        "rows_at_fault": told.dropped(),  # of the whole source: what can't be read has no shard
        "notes": dict(told.notes),
        "left_out": told.left_out,  # by `where` of the source
        "form": told.form,
        "licenses": dict(frame["license"].fill_null(UNKNOWN).value_counts(sort=True).rows()),
        "published_responses": int(frame["published"].list.len().sum()),
    }


@tables.evidence("pool", "shards", reads=Reads((features,), facts=("verifiers",)))
def question_features(raw_pool: pl.DataFrame) -> tuple[pl.DataFrame, dict]:
    """What can be told of a question without a model: length, script, language, completeness, links, images, tables."""
    table = features.question_features(_sound(raw_pool), applicable())
    return table, {"lengths": tables.picture(plots.histogram_png(table["words"], "Question length"))}


@tables.evidence("pool", "shards", pool="judge", reads=Reads((labels,), ("labels",)))
def question_labels(
    raw_pool: pl.DataFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """Category (seven, as in the paper) and difficulty (five levels) by a language model. An answer that can't be
    parsed is `unlabelled`, and its raw text is kept."""
    instrument = here.instruments.labels
    questions = _sound(raw_pool).select("question_id", "question")
    filled = answers.get("labels", labels.label_requests(questions, instrument.model, instrument.max_tokens))
    table = labels.label_table(filled.table, instrument.model)
    mix = labels.mix(table)
    picture = plots.heatmap_png(mix, "category", "difficulty", "questions", "Questions by category and difficulty")
    return table, {**usage(filled), "mix": tables.picture(picture)}


@tables.evidence("pool", "shards", pool="gpu", reads=Reads(instruments=("embeddings",)))
def question_embeddings(
    raw_pool: pl.DataFrame, here: Declared, answers: dg.ResourceParam[Answers]
) -> tuple[pl.DataFrame, dict]:
    """One unit vector per question, by the embedder of `instruments.yaml`; no row is embedded twice."""
    model = here.instruments.embeddings.model
    filled = answers.vectors(_sound(raw_pool).select("question_id", "question"), model)
    reused = filled.table.height - filled.new.height
    return filled.table, {"model": model, "embedded": filled.new.height, "reused": reused}
