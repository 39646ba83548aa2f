"""From deduplicated questions to what the teacher is asked: decontamination, suitability, downsampling."""

import polars as pl

from am_assets.config.recipe import SamplingPolicy, TeacherPolicy
from am_assets.config.vocabulary import QUESTION_DROPS
from am_assets.engines.models.language import UNDETERMINED
from am_assets.storage.schemas import SelectedQuestions

VERSION = "1"  # raise when a rule here selects otherwise
DRAW_DIGITS = 13  # hexadecimal: 52 bits, what a float holds exactly
FLAGS = {
    "incomplete": ~pl.col("complete"),
    "url": pl.col("has_url"),
    "image": pl.col("has_image"),
    "table": pl.col("has_table"),
}


def candidates(deduped: pl.LazyFrame, features: pl.LazyFrame, labels: pl.LazyFrame) -> pl.DataFrame:
    """The kept rows of a DedupedSet as `select` takes them; `features` and `labels` have a column `shard`."""
    at = ["question_id", "shard"]
    return (
        deduped.filter("kept")
        .select(*at, "source")
        .join(features.drop("chars", "words", "ascii_share"), on=at)
        .join(labels.select(*at, "category", "difficulty"), on=at)
        .with_columns(has_published=pl.col("published") > 0)
        .collect()
    )


def select(
    questions: pl.DataFrame, contaminated: pl.DataFrame, sampling: SamplingPolicy, teacher: TeacherPolicy
) -> pl.DataFrame:
    """SelectedQuestions of `questions` (see `candidates`), by question_id. `contaminated`: question_id, detail. The
    reason is the first that holds.

    Whether a question is downsampled depends on its id and the rate of its group alone, and a higher rate keeps all
    that a lower one keeps. So under `rates` other rows never change its fate; under `shares` they move the rate of its
    group, and what is kept of the group only grows or only shrinks. A text of no language (`und`, a bare formula)
    passes whatever languages are asked for. Where published responses count, a question that has one asks for no new
    ones.
    """
    flags = [pl.when(FLAGS[name]).then(pl.lit(name)) for name in sampling.drop]
    if sampling.languages is not None:
        asked_for = pl.col("language").is_in([*sampling.languages, UNDETERMINED])
        flags.append(pl.when(~asked_for).then(pl.format("language {}", "language")))
    ruled = questions.join(contaminated.rename({"detail": "contaminated"}), on="question_id", how="left").with_columns(
        unsuitable=pl.coalesce(flags) if flags else pl.lit(None, pl.String)
    )
    eligible = pl.col("contaminated").is_null() & pl.col("unsuitable").is_null()
    groups = ruled.group_by("category", "difficulty").agg(eligible=eligible.sum())
    rules = {
        "contaminated": pl.col("contaminated"),
        "unsuitable": pl.col("unsuitable"),
        "downsampled": pl.when(draw("question_id") >= pl.col("rate")).then("rate_of"),
    }
    samples = pl.when(pl.col("has_published") & teacher.published).then(0).otherwise(teacher.samples)
    reasons = pl.Enum(QUESTION_DROPS)
    return (
        ruled.join(rates(groups, sampling), on=["category", "difficulty"])
        .with_columns(
            drop_reason=pl.coalesce(
                pl.when(rule.is_not_null()).then(pl.lit(name, reasons)) for name, rule in rules.items()
            ),
            detail=pl.coalesce(list(rules.values())),
            teacher=pl.lit(teacher.model),
        )
        .with_columns(kept=pl.col("drop_reason").is_null())
        .with_columns(samples=pl.when("kept").then(samples).otherwise(0))
        .select(SelectedQuestions.column_names())
        .sort("question_id")
        .pipe(SelectedQuestions.cast)
    )


def rates(groups: pl.DataFrame, sampling: SamplingPolicy) -> pl.DataFrame:
    """(category, difficulty, rate, rate_of) of `groups` (category, difficulty, eligible): the part of its eligible rows
    that each keeps, and the same in words."""
    named = sampling.rates | _rates_for_shares(groups, "difficulty", sampling.shares.difficulty)
    named |= _rates_for_shares(groups, "category", sampling.shares.category)
    rows = []
    for category, difficulty in groups.select("category", "difficulty").iter_rows():
        pair = f"{category}/{difficulty}"
        # no category and no difficulty: one group, and not to be counted twice
        groups_of = (
            [pair] if pair in named else [name for name in dict.fromkeys([category, difficulty]) if name in named]
        )
        rate = 1.0
        for name in groups_of:
            rate *= named[name]
        rows.append((category, difficulty, rate, f"rate {rate:.4g} of {'/'.join(groups_of)}"))
    at = groups.select("category", "difficulty").schema
    return pl.DataFrame(rows, {**at, "rate": pl.Float64, "rate_of": pl.String}, orient="row")


def _rates_for_shares(groups: pl.DataFrame, dimension: str, shares: dict[str, float]) -> dict[str, float]:
    """By group of the dimension, the rates that bring those with a share into proportion and keep as much as can be."""
    counts = dict(groups.group_by(pl.col(dimension).cast(pl.String)).agg(pl.sum("eligible")).rows())
    # How large the selection could be if the group alone limited it.
    room = {name: counts[name] / share for name, share in shares.items() if share and counts.get(name)}
    none = {name: 0.0 for name, share in shares.items() if not share}
    return none | {name: min(room.values()) / size for name, size in room.items()}


def draw(column: str) -> pl.Expr:
    """A number in [0, 1) from the last digits of ids, which are those of a hash. The leading digits make the shards."""
    return pl.col(column).str.slice(-DRAW_DIGITS).str.to_integer(base=16) / 16**DRAW_DIGITS
