"""The input of the verified set: a recipe's candidate responses, joined with everything measured of them.

One shard at a time and narrow columns only: the texts of 1.4 million responses do not fit into memory, and joining by
shard takes a quarter of the time of one join. Joins only; `decide.py` decides.
"""

from collections.abc import Callable

import polars as pl

from am_assets.config.vocabulary import REWARD_DIMENSIONS
from am_assets.verification.verifiers import VERIFIERS

Read = Callable[[str, list[str]], pl.DataFrame]  # reads some columns of a shard's table
READ = {
    "question_features": ["question_id", "verifiers"],
    "teacher_requests": ["request_key", "after", "recipes"],
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
    table = {name: read(name, columns).lazy() for name, columns in READ.items()}
    verdicts = [
        table[one.table].rename({name: one.column(name) for name in ("verdict", "reason", *one.decides_on)})
        for one in VERIFIERS.values()
    ]
    classes = table["answer_consensus"].rename({"answers": "consensus_answers"})
    joined = (
        _of_recipe(table["responses"], table["teacher_requests"], recipe, published)
        .join(selected.lazy(), on="question_id")
        .join(table["question_features"], on="question_id")
        .join(table["response_features"], on="response_id")
    )
    for measured in [*verdicts, classes, table["reward_scores"], table["response_screens"]]:
        joined = joined.join(measured, on="response_id", how="left")
    return joined.with_columns(response_chars=pl.col("think_chars") + pl.col("answer_chars")).collect()


def _of_recipe(responses: pl.LazyFrame, requests: pl.LazyFrame, recipe: str, published: bool) -> pl.LazyFrame:
    """Responses to the recipe's requests; one to a retry counts only if the response before it was truncated."""
    distilled = responses.filter(pl.col("origin") == "distilled")
    cut = distilled.filter(pl.col("finish_reason") == "length").select("request_key")
    asked = requests.filter(pl.col("recipes").list.contains(recipe))
    further = asked.join(cut, left_on="after", right_on="request_key", how="semi")
    wanted = pl.concat([asked.filter(pl.col("after") == ""), further]).select("request_key")
    own = distilled.join(wanted, on="request_key", how="semi")
    return pl.concat([own, responses.filter((pl.col("origin") == "published") & pl.lit(published))])
