"""What was asked of models, when, and for which recipes: sums over the answers in the memo."""

from collections.abc import Sequence

import polars as pl

from am_assets.config.alike import alike
from am_assets.config.files import ConfigError
from am_assets.storage.memo import ASKED_FOR, Memo

NOT_RECORDED = "not recorded"  # of answers that an earlier version stored
STORED: dict[str, pl.DataType] = {
    ASKED_FOR: pl.String(), "stored_at": pl.Datetime("ms", "UTC"), "requested_model": pl.String(),
    "prompt_tokens": pl.Int64(), "completion_tokens": pl.Int64(), "cost": pl.Float64(),
}  # fmt: skip
BY = {
    "recipe": pl.col(ASKED_FOR).str.replace_all(",", ", "),
    "month": pl.col("stored_at").dt.strftime("%Y-%m"),
    "day": pl.col("stored_at").dt.strftime("%Y-%m-%d"),
    "model": pl.col("requested_model"),
    "namespace": pl.col("namespace"),
}


def spending(memo: Memo, by: Sequence[str]) -> pl.DataFrame:
    """`by`, requests, prompt_tokens, completion_tokens and dollars, sorted by `by`; `ConfigError` for an unknown one.

    An answer counts for the recipes that the run was for which asked for it: for several as one group, as they shared
    it, so that the sum over all rows is what was spent. Runs from the UI are for `all`.
    """
    for name in by:
        if name not in BY:
            raise ConfigError(f"--by {name}: expected some of {', '.join(BY)}{alike(name, BY)}")
    figures = [
        pl.len().alias("requests"),
        pl.sum("prompt_tokens", "completion_tokens"),
        pl.sum("cost").alias("dollars"),
    ]
    found = [_answers(memo, namespace) for namespace in memo.namespaces()]
    answers = [frame for frame in found if frame is not None]
    if not answers:
        return pl.DataFrame(schema=dict.fromkeys([*by, "requests", "prompt_tokens", "completion_tokens", "dollars"]))
    groups = [BY[name].fill_null(NOT_RECORDED).alias(name) for name in dict.fromkeys(by)]
    return pl.concat(answers).group_by(groups).agg(figures).sort(*by).collect()


def _answers(memo: Memo, namespace: str) -> pl.LazyFrame | None:
    """The answers of models in a namespace with the columns `STORED`; None where it holds other measurements."""
    known = memo.known(namespace)
    if known is None or "cost" not in known.collect_schema():
        return None
    there = known.collect_schema()
    columns = [
        (pl.col(name) if name in there else pl.lit(None)).cast(kind).alias(name) for name, kind in STORED.items()
    ]
    return known.select(pl.lit(namespace).alias("namespace"), *columns)
