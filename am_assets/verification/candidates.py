"""The input of the verified set: a recipe's candidate responses, joined with everything measured of them.

One shard at a time and narrow columns only: the texts of 1.4 million responses do not fit into memory, and joining by
shard takes a quarter of the time of one join. Joins only; `decide.py` decides.
"""

from collections.abc import Mapping

import polars as pl

from am_assets.config.vocabulary import REWARD_DIMENSIONS
from am_assets.datasets import due
from am_assets.verification import passing
from am_assets.verification.passing import Read
from am_assets.verification.verifiers import VERIFIERS

READ = {
    "question_features": ["question_id", "verifiers"],
    "teacher_requests": due.READ,
    "responses": ["response_id", "question_id", "request_key", "teacher", "origin", "sample_index", "finish_reason"],
    "response_features": [
        "response_id", "template", "well_formed", "truncated", "repetition", "consecutive", "prompt_share",
        "answer_language", "think_chars", "answer_chars",
    ],
    **{one.table: ["response_id", "verdict", "reason", *one.decides_on] for one in VERIFIERS.values()},
    "answer_consensus": ["response_id", "result", "equal_to", "answers"],
    "reward_scores": ["response_id", *REWARD_DIMENSIONS],
    "response_screens": ["response_id", "screens", "findings"],
}  # fmt: skip


def candidates(read: Read, selected: pl.DataFrame, recipe: str, published: bool) -> pl.DataFrame:
    """The candidates of one shard, the input of `decide.verified_set`.

    Responses to the questions of `selected` (question_id, shard, source, category, difficulty): those to the requests
    of `recipe` and, with `published`, the published ones.
    """
    tables = {name: read(name, columns) for name, columns in READ.items()}
    table = {name: rows.lazy() for name, rows in tables.items()}
    verdicts = [
        table[one.table].rename({name: one.column(name) for name in ("verdict", "reason", *one.decides_on)})
        for one in VERIFIERS.values()
    ]
    classes = table["answer_consensus"].rename({"answers": "consensus_answers"})
    joined = (
        _of_recipe(tables, recipe, published)
        .join(selected.lazy(), on="question_id")
        .join(table["question_features"], on="question_id")
        .join(table["response_features"], on="response_id")
    )
    for measured in [*verdicts, classes, table["reward_scores"], table["response_screens"]]:
        joined = joined.join(measured, on="response_id", how="left")
    return joined.with_columns(response_chars=pl.col("think_chars") + pl.col("answer_chars")).collect()


def _of_recipe(tables: Mapping[str, pl.DataFrame], recipe: str, published: bool) -> pl.LazyFrame:
    """Responses to the recipe's requests; one that waits for an earlier answer counts only if it is due by that."""
    responses, own = tables["responses"], pl.col("recipes").list.contains(recipe)
    asked = tables["teacher_requests"].filter(own).with_columns(recipes=pl.lit([recipe]))
    wanted = due.due(asked, passing.stored(lambda name, columns: tables[name].select(columns)))
    theirs = responses.join(wanted, on="request_key", how="semi")
    return pl.concat([theirs, responses.filter((pl.col("origin") == "published") & pl.lit(published))]).lazy()
