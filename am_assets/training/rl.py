"""Questions for reinforcement learning: what their answers are checked by, and how often responses passed.

Pure: the table, and its rows in the forms of three trainers. Files are written by `sets.py`.
"""

from collections.abc import Mapping

import polars as pl

from am_assets.config.sets import RlPolicy
from am_assets.runtime.wording import counted
from am_assets.storage.schemas import RlDataset
from am_assets.training import sets

VERSION = "2"  # raise when other rows come out, or in another form
ASKED = ["question_id", "shard"]
FEATURES = [*ASKED, "verifiers"]
QUESTION = [*ASKED, "question", "license", "reference_answer", "test_cases", "constraints"]
# What became of a selected question, in the order in which the rules apply.
MEANINGS = {
    "no_verifier": "no reference, tests or constraints",
    "reference_doubtful": "answers that agree with each other against the reference",
    "unmeasured": "pass rate not measured",
    "min_pass_rate": "pass rate below `min_pass_rate`",
    "max_pass_rate": "pass rate above `max_pass_rate`",
    "released": "released",
}
OUTCOMES = list(MEANINGS)
RATES = [0, 0.125, 0.25, 0.5, 0.75, 0.875, 1]
MEASURED = ["attempts", "passes", "pass_rate", "teachers"]


def rl_table(
    selected: pl.DataFrame, verified: pl.DataFrame, features: pl.DataFrame, pool: pl.DataFrame, policy: RlPolicy
) -> tuple[pl.DataFrame, dict[str, int]]:
    """RlDataset, sorted by question_id, and the number of selected questions by outcome (OUTCOMES).

    Of SelectedQuestions, VerifiedSet, QuestionFeatures and RawPool, the last two with a column `shard`. `ValueError` if
    a question is not in the pool.

    >>> table, outcomes = rl_table(selected_questions, verified_set, question_features, raw_pool, policy)
    """
    rows = (
        selected.filter("kept")
        .select(*ASKED, "source", "category", "difficulty")
        .join(features.select(FEATURES), on=ASKED, how="left")
        .join(measured(verified), on="question_id", how="left")
        .with_columns(pl.col("attempts", "passes").fill_null(0), pl.col("teachers").fill_null([]))
        .with_columns(outcome=_outcome(policy))
    )
    table = rows.filter(outcome="released").join(pool.select(QUESTION), on=ASKED, how="left")
    if holes := table.filter(pl.col("question").is_null())["question_id"].to_list():
        raise ValueError(
            f"{counted(len(holes), 'question')} not in the pool, first {min(holes)}: materialize raw_pool again"
        )
    table = table.with_columns(
        reference_answer=pl.coalesce("repaired_reference", "reference_answer"),
        replaced_reference=pl.when(pl.col("repaired_reference").is_not_null()).then("reference_answer"),
    )
    counts = dict(rows["outcome"].value_counts().rows())
    told = [name for name in OUTCOMES if name in counts or name != "reference_doubtful"]  # only where a recipe asks
    return (
        table.with_columns(prompt=sets.user("question")).select(RlDataset.column_names()).sort("question_id"),
        {name: counts.get(name, 0) for name in told},
    )


def measured(verified: pl.DataFrame) -> pl.DataFrame:
    """By question of VerifiedSet: how many responses a verifier could tell of, how many of these passed, their share,
    the teachers that gave them, and what became of its reference."""
    told = pl.col("passed").is_not_null()
    return verified.group_by("question_id").agg(
        attempts=told.sum(),
        passes=pl.col("passed").sum(),
        pass_rate=pl.col("pass_rate").first(),
        teachers=pl.col("teacher").filter(told).unique().sort(),
        dropped=(pl.col("drop_reason") == "reference_doubtful").any(),
        repaired_reference=pl.col("repaired_reference").first(),
    )


def _outcome(policy: RlPolicy) -> pl.Expr:
    rate = pl.col("pass_rate")
    broken = {
        "no_verifier": pl.col("verifiers").list.len().fill_null(0) == 0,
        "reference_doubtful": pl.col("dropped"),
        "unmeasured": rate.is_null() & (policy.unmeasured == "drop"),
        "min_pass_rate": rate < policy.min_pass_rate,
        "max_pass_rate": rate > policy.max_pass_rate,
    }
    return pl.coalesce(*(pl.when(one).then(pl.lit(name)) for name, one in broken.items()), pl.lit("released"))


def forms(table: pl.DataFrame, against: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """The rows of RlDataset by trainer. `against`: by verifier, the column that it compares answers with.

    trl       `prompt`, and columns that reward functions get by name; `solution` is the reference
    verl      `data_source`, `prompt`, `ability`, `reward_model`, `extra_info`
    openrlhf  `input`, `label`, `datasource`

    The ground truth of verl and the label of OpenRLHF are what the first verifier of the question compares with. Where
    references were repaired, `replaced_reference` holds those of the source.
    """
    repaired = table["replaced_reference"].null_count() < table.height
    table = table if repaired else table.drop("replaced_reference")
    beside = [*MEASURED, "replaced_reference"] if repaired else MEASURED
    first = pl.col("verifiers").list.first()
    truth = pl.coalesce(pl.when(first == name).then(pl.col(column)) for name, column in against.items())
    constraints = pl.when(truth != pl.col("constraints")).then("constraints").alias("constraints")  # held once
    extra = pl.struct(
        pl.lit("train").alias("split"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("index"),
        *("question_id", "difficulty", "license", "verifiers"),
        constraints,
        *beside,
    )
    return {
        "trl": table.rename({"reference_answer": "solution"}),
        "verl": table.select(
            "prompt",
            data_source="source",
            ability="category",
            reward_model=pl.struct(style=pl.lit("rule"), ground_truth=truth),
            extra_info=extra,
        ),
        "openrlhf": table.select(
            "question_id", "difficulty", "license", "verifiers", *beside,
            input="prompt", label=truth, datasource="source",
        ),
    }  # fmt: skip


def card(name: str, table: pl.DataFrame, outcomes: dict[str, int], policy: RlPolicy) -> str:
    """The card of the questions of recipe `name`."""
    rate = table["pass_rate"]
    *between, none = sets.bands(rate.replace([0, 1], [-1, 2]), RATES)
    rates = [("0", int((rate == 0).sum())), *between, ("1", int((rate == 1).sum())), none]
    return sets.card(
        "rl",
        name,
        table,
        {form: form for form in ("trl", "verl", "openrlhf")},
        outcomes,
        policy,
        of="of the selected questions",
        meanings=MEANINGS,
        histograms={"pass rate": rates},
    )
