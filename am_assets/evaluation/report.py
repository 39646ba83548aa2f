"""Report of a recipe: the funnel from input to released rows, the cost of responses, the effect of other thresholds.

Counting only, nothing is measured or decided here; `distributions.py` has the distributions, `page.py` renders it all.
"""

import polars as pl

from am_assets.runtime.wording import counted

VERSION = "1"  # raise when the same tables give other counts
REWARD_STEPS = 12  # the mean of three scores of 0 to 4 comes in twelfths


def funnel(deduped: pl.DataFrame, selected: pl.DataFrame, verified: pl.DataFrame, sft: pl.DataFrame) -> pl.DataFrame:
    """RecipeReport of one recipe's DedupedSet, SelectedQuestions, VerifiedSet and SftDataset.

    In each stage `in` = its drops + `kept`, and `kept` is the next stage's `in`:

    - pool: input rows; copies of one text within a shard are `exact_duplicate`
    - dedup, selection: questions, by drop reason
    - distillation: questions become responses. `questions without response` were selected but have no candidate
      (not asked yet, or every request failed); `responses` counts the candidates of the `kept` questions. It is
      outside the stage's sum, and it, not `kept`, is the `in` of the next stage.
    - verification: responses, by drop reason
    - dataset: released rows

    `ValueError` if a table was not made from the one before it (which was rebuilt since).

    >>> funnel(deduped_set, selected_questions, verified_set, sft_dataset)
    """
    asked = selected.filter("kept").select("question_id", "shard")
    _follows("selected_questions", selected, "deduped_set", deduped.filter("kept"), ["question_id", "shard"])
    _follows("sft_dataset", sft, "verified_set", verified.filter("kept"), ["response_id"])
    strangers = verified.join(asked, on=["question_id", "shard"], how="anti").height
    if strangers:
        raise ValueError(
            f"verified_set: {strangers} rows answer questions not selected; materialize verified_set again"
        )
    return counts(deduped, selected, verified, sft)


def counts(deduped: pl.DataFrame, selected: pl.DataFrame, verified: pl.DataFrame, sft: pl.DataFrame) -> pl.DataFrame:
    """`funnel` of tables as they are, though one may have to be made anew of another."""
    asked = selected.filter("kept").select("question_id", "shard")
    answered = asked.join(verified, on=["question_id", "shard"], how="semi").height
    copies = int(deduped["copies"].sum())
    rows = [
        *_stage("pool", {"exact_duplicate": copies - deduped.height}, deduped.height),
        *_stage("dedup", *_fates(deduped)),
        *_stage("selection", *_fates(selected)),
        *_stage("distillation", {"questions without response": asked.height - answered}, answered),
        ("distillation", "responses", verified.height),
        *_stage("verification", *_fates(verified)),
        *_stage("dataset", {}, sft.height),
    ]
    return pl.DataFrame(rows, schema={"stage": pl.String, "outcome": pl.String, "rows": pl.UInt32}, orient="row")


def _follows(name: str, table: pl.DataFrame, origin: str, kept: pl.DataFrame, key: list[str]) -> None:
    if not table.select(key).sort(key).equals(kept.select(key).sort(key)):
        raise ValueError(
            f"{name}: {counted(table.height, 'row')} instead of the {counted(kept.height, 'kept row')} of {origin};"
            f" materialize {name} again"
        )


def _fates(table: pl.DataFrame) -> tuple[dict[str, int], int]:
    drops = table.drop_nulls("drop_reason")["drop_reason"].value_counts().sort("drop_reason")  # in the enum's order
    return dict(drops.cast({"drop_reason": pl.String}).rows()), int(table["kept"].sum())


def _stage(stage: str, drops: dict[str, int], kept: int) -> list[tuple[str, str, int]]:
    outcomes = {"in": sum(drops.values()) + kept, **drops, "kept": kept}
    return [(stage, outcome, rows) for outcome, rows in outcomes.items()]


def teacher_costs(responses: pl.DataFrame, verified: pl.DataFrame) -> pl.DataFrame:
    """(teacher, origin, responses, kept, completion_tokens, cost) of the recipe's candidates; US dollars.

    `responses` needs response_id, completion_tokens and cost. The cost of a response counts in full for every recipe
    that uses it, though it was paid once.
    """
    return (
        verified.join(responses.select("response_id", "completion_tokens", "cost"), on="response_id", how="left")
        .group_by("teacher", "origin")
        .agg(
            responses=pl.len(),
            kept=pl.col("kept").sum(),
            completion_tokens=pl.sum("completion_tokens"),
            cost=pl.sum("cost"),
        )
        .sort("teacher", "origin")
    )


def reward_curve(verified: pl.DataFrame) -> list[tuple[float, int]]:
    """(threshold, responses): how many of the responses that only the reward decides have at least that reward.

    Ignores minima of single dimensions and the choice among several responses of a question.
    """
    by_reward = pl.col("drop_reason").is_null() | pl.col("drop_reason").is_in(["low_reward", "not_chosen"])
    rewards = verified.filter(by_reward & (pl.col("evidence") == "reward"))["reward"].drop_nulls().cast(pl.Float64)
    steps = [step / REWARD_STEPS for step in range(REWARD_STEPS + 1)] if len(rewards) else []
    return [(step, int((rewards >= step - 1e-6).sum())) for step in steps]  # rewards are stored in single precision


def loss_curve(log: pl.DataFrame, most: int = 60) -> list[tuple[float, float]]:
    """(step, loss) of about `most` steps of a training, each with the mean loss of those since the one before."""
    width = max(1, -(-log.height // most))
    steps = log.group_by((pl.col("step").cast(pl.Int64) - 1) // width, maintain_order=True)
    return [(step, round(loss, 3)) for _, step, loss in steps.agg(at=pl.max("step"), mean=pl.mean("loss")).rows()]
