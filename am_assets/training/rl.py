"""Questions for reinforcement learning: what their answers are checked by, and how often responses passed.

Pure: the table, and its rows in the forms of three trainers. Files are written by `sets.py`. Rows are decided by
narrow columns, and get their texts a few at a time.
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
TEXTS = ["question", "reference_answer", "test_cases", "constraints"]  # of RawPool
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


def rl_rows(
    selected: pl.DataFrame, verified: pl.DataFrame, features: pl.DataFrame, asked: pl.DataFrame, policy: RlPolicy
) -> tuple[pl.DataFrame, dict[str, int]]:
    """RlDataset without its texts, sorted by question_id, with `shard`, `repaired_reference` and whether that is
    `replaced`; and the number of selected questions by outcome (OUTCOMES).

    Of SelectedQuestions, VerifiedSet, QuestionFeatures with a column `shard`, and `asked` of RawPool: ASKED, license,
    and whether it is `referenced`. `ValueError` if a question is not in the pool.
    """
    rows = (
        selected.filter("kept")
        .select(*ASKED, "source", "category", "difficulty")
        .join(features.select(FEATURES), on=ASKED, how="left")
        .join(measured(verified), on="question_id", how="left")
        .with_columns(pl.col("attempts", "passes").fill_null(0), pl.col("teachers").fill_null([]))
        .with_columns(outcome=_outcome(policy))
    )
    table = rows.filter(outcome="released").join(asked, on=ASKED, how="left")
    if holes := table.filter(pl.col("referenced").is_null())["question_id"].to_list():
        raise ValueError(
            f"{counted(len(holes), 'question')} not in the pool, first {min(holes)}: materialize raw_pool again"
        )
    table = table.with_columns(replaced=pl.col("referenced") & pl.col("repaired_reference").is_not_null())
    counts = dict(rows["outcome"].value_counts().rows())
    told = [name for name in OUTCOMES if name in counts or name != "reference_doubtful"]  # only where a recipe asks
    narrow = [name for name in RlDataset.column_names() if name in table.columns]
    return (
        table.select(*narrow, "shard", "repaired_reference", "replaced").sort("question_id"),
        {name: counts.get(name, 0) for name in told},
    )


def with_texts(rows: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """RlDataset of some of `rl_rows` with the TEXTS of their questions, in their order."""
    return (
        pl.concat([rows, texts.select(TEXTS)], how="horizontal")
        .with_columns(
            reference_answer=pl.coalesce("repaired_reference", "reference_answer"),
            replaced_reference=pl.when(pl.col("repaired_reference").is_not_null()).then("reference_answer"),
            prompt=sets.chat("user", "question"),
        )
        .select(RlDataset.column_names())
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


def forms(table: pl.DataFrame, start: int, against: Mapping[str, str], repaired: bool) -> dict[str, pl.DataFrame]:
    """Rows of RlDataset, of which the first is number `start`, by trainer. `against`: by verifier, the column that it
    compares answers with. `repaired`: whether references of any row were.

    trl       `prompt`, and columns that reward functions get by name; `solution` is the reference
    verl      `data_source`, `prompt`, `ability`, `reward_model`, `extra_info`
    openrlhf  `input`, `label`, `datasource`

    The ground truth of verl and the label of OpenRLHF are what the first verifier of the question compares with. Where
    references were repaired, `replaced_reference` holds those of the source.
    """
    table = table if repaired else table.drop("replaced_reference")
    beside = [*MEASURED, "replaced_reference"] if repaired else MEASURED
    first = pl.col("verifiers").list.first()
    truth = pl.coalesce(pl.when(first == name).then(pl.col(column)) for name, column in against.items())
    constraints = pl.when(truth != pl.col("constraints")).then("constraints").alias("constraints")  # held once
    extra = pl.struct(
        pl.lit("train").alias("split"),
        pl.int_range(start, start + pl.len(), dtype=pl.Int64).alias("index"),
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
