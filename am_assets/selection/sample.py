"""Selection of the questions that are sent to the teacher: decontamination, suitability filters, downsampling.

Decisions only: benchmark overlap is judged in `decontaminate.py`, and requests are built in the stage of distillation.
"""

import polars as pl

from am_assets.config.agreement import EarlierPassRates
from am_assets.config.licenses import UNKNOWN
from am_assets.config.recipe import SamplingPolicy, TeacherPolicy
from am_assets.config.samples import UntilPass
from am_assets.config.vocabulary import QUESTION_DROPS
from am_assets.datasets.pass_rates import beyond, measured
from am_assets.engines.models.language import UNDETERMINED
from am_assets.storage.schemas import SelectedQuestions

VERSION = "3"  # raise when a rule here selects or describes otherwise
DRAW_DIGITS = 13  # hexadecimal: 52 bits, what a float holds exactly
NO_ROUND = pl.DataFrame(schema={"question_id": pl.String, "attempts": pl.UInt32, "pass_rate": pl.Float64})
Rule = tuple[pl.Expr, pl.Expr | str, pl.Expr | str]  # whether it drops a question, the detail, the deciding field
LICENSE = pl.col("license").fill_null(UNKNOWN)
FLAGS = {
    "incomplete": ~pl.col("complete"),
    "url": pl.col("has_url"),
    "image": pl.col("has_image"),
    "table": pl.col("has_table"),
}


def candidates(deduped: pl.LazyFrame, features: pl.LazyFrame, labels: pl.LazyFrame) -> pl.DataFrame:
    """The kept rows of a DedupedSet with the columns that `select` needs; `features` and `labels` have a `shard`."""
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
    questions: pl.DataFrame,
    contaminated: pl.DataFrame,
    sampling: SamplingPolicy,
    teacher: TeacherPolicy,
    earlier: pl.DataFrame = NO_ROUND,
) -> pl.DataFrame:
    """SelectedQuestions of `questions` (see `candidates`), sorted by question_id.

    `contaminated` (question_id, detail, decided_by) as `decontaminate.contaminated` returns it. `earlier`
    (question_id, attempts, pass_rate): the round that `sampling.pass_rates` names. The drop reason is the first rule
    that holds.

    Downsampling compares a question's draw, a function of its id alone, with the rate of its group, times `share`; a
    higher one keeps a superset. Under `rates` other rows never change a question's fate; under `shares` they move the
    rate of its group, so that the kept part of the group only grows or only shrinks. Text of undetermined language
    (`und`, e.g. a bare formula) passes every language filter. Where published responses count, a question with one gets
    0 new samples. What is asked until an answer passes gets the most where a verifier can tell, else the least.
    """
    found = contaminated.rename({"detail": "contaminated", "decided_by": "contaminated_by"})
    unsuitable, unsuitable_by = _unsuitable(sampling)
    filtered = (
        questions.join(found, on="question_id", how="left")
        .join(earlier.select(NO_ROUND.columns), on="question_id", how="left")
        .with_columns(unsuitable=unsuitable, unsuitable_by=unsuitable_by)
    )
    allowed = pl.lit(True) if sampling.licenses is None else LICENSE.is_in(sampling.licenses)
    solved = _solved(sampling.pass_rates)
    eligible = allowed & pl.col("contaminated").is_null() & pl.col("unsuitable").is_null() & ~solved[0]
    groups = filtered.group_by("category", "difficulty").agg(eligible=eligible.sum())
    downsampled = draw("question_id") >= pl.col("rate")
    rules: dict[str, Rule] = {  # by drop reason
        "license": (~allowed, pl.format("license {}", LICENSE), pl.lit("sampling.licenses")),
        "contaminated": (pl.col("contaminated").is_not_null(), "contaminated", "contaminated_by"),
        "unsuitable": (pl.col("unsuitable").is_not_null(), "unsuitable", "unsuitable_by"),
        "pass_rate": solved,
        "downsampled": (downsampled, "rate_of", "rate_by"),
    }
    reasons = pl.Enum(QUESTION_DROPS)
    return (
        filtered.join(rates(groups, sampling), on=["category", "difficulty"])
        .with_columns(
            drop_reason=pl.coalesce(
                pl.when(holds).then(pl.lit(name, reasons)) for name, (holds, _, _) in rules.items()
            ),
            detail=pl.coalesce(pl.when(holds).then(detail) for holds, detail, _ in rules.values()),
            decided_by=pl.coalesce(pl.when(holds).then(field) for holds, _, field in rules.values()),
            teacher=pl.lit(teacher.model),
        )
        .with_columns(kept=pl.col("drop_reason").is_null())
        .with_columns(samples=pl.when("kept").then(_samples(teacher)).otherwise(0))
        .select(SelectedQuestions.column_names())
        .sort("question_id")
        .pipe(SelectedQuestions.cast)
    )


def _samples(teacher: TeacherPolicy) -> pl.Expr:
    wanted = teacher.samples
    if isinstance(wanted, UntilPass):
        is_verified = pl.col("verifiers").list.len() > 0
        most = pl.when(is_verified).then(wanted.most).otherwise(wanted.least)
    else:
        most = pl.lit(wanted)
    return pl.when(pl.col("has_published") & teacher.published).then(0).otherwise(most)


def _unsuitable(sampling: SamplingPolicy) -> tuple[pl.Expr, pl.Expr]:
    """The first flag or the language that the policy drops, and the field that drops it; null for a suitable row."""
    rules = [(FLAGS[name], pl.lit(name), "sampling.drop") for name in sampling.drop]
    if sampling.languages is not None:
        unwanted = ~pl.col("language").is_in([*sampling.languages, UNDETERMINED])
        rules.append((unwanted, pl.format("language {}", "language"), "sampling.languages"))
    if not rules:
        return pl.lit(None, pl.String), pl.lit(None, pl.String)
    return (
        pl.coalesce(pl.when(holds).then(detail) for holds, detail, _ in rules),
        pl.coalesce(pl.when(holds).then(pl.lit(field)) for holds, _, field in rules),
    )


def _solved(rates: EarlierPassRates | None) -> Rule:
    """Whether the question was solved too seldom or too often in the round of `rates`, or was not measured there."""
    if rates is None:
        return pl.lit(False), pl.lit(None, pl.String), pl.lit(None, pl.String)
    of = pl.format(f", {{}} attempts in {rates.round}", "attempts")
    sides = {name: (broken, detail + of) for name, (broken, detail) in beyond(rates).items()}
    unmeasured = ~measured(rates) & pl.lit(rates.unmeasured == "drop")
    sides["unmeasured"] = unmeasured, pl.lit(f"fewer than {rates.min_attempts} attempts in {rates.round}")
    return (
        pl.any_horizontal(broken for broken, _ in sides.values()),
        pl.coalesce(pl.when(broken).then(detail) for broken, detail in sides.values()),
        pl.coalesce(pl.when(broken).then(pl.lit(f"sampling.pass_rates.{name}")) for name, (broken, _) in sides.items()),
    )


def rates(groups: pl.DataFrame, sampling: SamplingPolicy) -> pl.DataFrame:
    """(category, difficulty, rate, rate_of, rate_by) of `groups` (category, difficulty, eligible).

    `rate` is the share of its eligible rows that a group keeps, `rate_of` the same in words, `rate_by` the fields that
    set it, comma-separated.
    """
    named = sampling.rates | _rates_for_shares(groups, "difficulty", sampling.shares.difficulty)
    named |= _rates_for_shares(groups, "category", sampling.shares.category)
    named |= {"all": sampling.share}
    rows = []
    for category, difficulty in groups.select("category", "difficulty").iter_rows():
        fields = {name: field for name, field in rate_fields(sampling, category, difficulty).items() if name in named}
        rate = 1.0
        for name in fields:
            rate *= named[name]
        rows.append((category, difficulty, rate, f"rate {rate:.4g} of {'/'.join(fields)}", ", ".join(fields.values())))
    group = groups.select("category", "difficulty").schema
    return pl.DataFrame(rows, {**group, "rate": pl.Float64, "rate_of": pl.String, "rate_by": pl.String}, orient="row")


def rate_fields(sampling: SamplingPolicy, category: str, difficulty: str) -> dict[str, str]:
    """The fields of the recipe that set the rate of a group, by the name under which they set it; empty where the group
    keeps all.

    A pair that is named has that rate alone, any other the product of its category's and its difficulty's. `unlabelled`
    is both a category and a difficulty, and counts once.

    >>> rate_fields(SamplingPolicy(rates={"math": 0.5}), "math", "easy")
    {'math': 'sampling.rates.math'}
    """
    pair = f"{category}/{difficulty}"
    names = [pair] if pair in sampling.rates else list(dict.fromkeys([category, difficulty]))
    fields = {name: f"sampling.rates.{name}" for name in names if name in sampling.rates}
    for dimension, name in {"category": category, "difficulty": difficulty}.items():
        if name in getattr(sampling.shares, dimension):
            fields[name] = f"sampling.shares.{dimension}.{name}"
    return fields | ({"all": "sampling.share"} if sampling.share < 1 else {})


def _rates_for_shares(groups: pl.DataFrame, dimension: str, shares: dict[str, float]) -> dict[str, float]:
    """By group of `dimension`, the rates that reach the proportion of `shares` with the largest possible selection."""
    counts = dict(groups.group_by(pl.col(dimension).cast(pl.String)).agg(pl.sum("eligible")).rows())
    # The size of the selection if this group alone limited it.
    room = {name: counts[name] / share for name, share in shares.items() if share and counts.get(name)}
    none = {name: 0.0 for name, share in shares.items() if not share}
    return none | {name: min(room.values()) / size for name, size in room.items()}


def draw(column: str) -> pl.Expr:
    """A number in [0, 1) from the last digits of an id, which is a hash; the leading digits assign the shard."""
    return pl.col(column).str.slice(-DRAW_DIGITS).str.to_integer(base=16) / 16**DRAW_DIGITS
