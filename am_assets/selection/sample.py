"""From deduplicated questions to what the teacher is asked: decontamination, suitability, downsampling."""

from hashlib import sha256

import polars as pl

from am_assets.engines.language import UNDETERMINED
from am_assets.recipe import SamplingPolicy, TeacherPolicy
from am_assets.schema import SelectedQuestions

SALT = "downsampling"  # keeps the draw apart from every other use of the id
FLAGS = {
    "incomplete": ~pl.col("complete"),
    "url": pl.col("has_url"),
    "image": pl.col("has_image"),
    "table": pl.col("has_table"),
}


def select(
    questions: pl.DataFrame, contaminated: pl.DataFrame, sampling: SamplingPolicy, teacher: TeacherPolicy
) -> pl.DataFrame:
    """SelectedQuestions of the kept rows of a DedupedSet, by question_id.

    `questions`: question_id, shard, source, category, difficulty, has_published, complete, has_url, has_image,
    has_table, language. `contaminated`: question_id, detail. The reason is the first that holds.

    Whether a question is downsampled depends on its id and the rate of its difficulty alone: other rows never change
    its fate, and a higher rate keeps all that a lower one keeps. A text of no language (`und`, a bare formula) passes
    whatever languages are asked for. Where published responses count, a question that has one asks for no new ones.
    """
    flags = [pl.when(FLAGS[name]).then(pl.lit(name)) for name in sampling.drop]
    if sampling.languages is not None:
        asked_for = pl.col("language").is_in([*sampling.languages, UNDETERMINED])
        flags.append(pl.when(~asked_for).then(pl.format("language {}", "language")))
    unsuitable = pl.coalesce(flags) if flags else pl.lit(None, pl.String)
    rate = pl.col("difficulty").cast(pl.String).replace_strict(sampling.rates, default=1.0, return_dtype=pl.Float64)
    rules = {
        "contaminated": pl.col("found"),
        "unsuitable": unsuitable,
        "downsampled": pl.when(pl.col("draw") >= rate).then(pl.format("rate {} of {}", rate, "difficulty")),
    }
    samples = pl.when(pl.col("has_published") & teacher.published).then(0).otherwise(teacher.samples)
    return (
        questions.join(contaminated.rename({"detail": "found"}), on="question_id", how="left")
        .with_columns(draw("question_id").alias("draw"))
        .with_columns(
            drop_reason=pl.coalesce([pl.when(rule.is_not_null()).then(pl.lit(name)) for name, rule in rules.items()]),
            detail=pl.coalesce(list(rules.values())),
            teacher=pl.lit(teacher.model),
        )
        .with_columns(kept=pl.col("drop_reason").is_null())
        .with_columns(samples=pl.when("kept").then(samples).otherwise(0))
        .sort("question_id")
        .pipe(SelectedQuestions.cast)
    )


def draw(column: str) -> pl.Expr:
    """A number in [0, 1) that depends on the text of the column alone."""

    def fraction(value: str) -> float:
        return int(sha256(f"{SALT}:{value}".encode()).hexdigest()[:13], 16) / 16**13

    return pl.col(column).map_elements(fraction, return_dtype=pl.Float64)
