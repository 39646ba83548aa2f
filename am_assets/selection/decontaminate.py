"""Benchmark overlap, judged: when what was measured (`overlap.py`) is contamination, under one recipe's rules."""

import polars as pl

from am_assets.config.recipe import Decontamination

VERSION = "1"  # raise when a rule here finds otherwise


def contaminated(overlap: pl.DataFrame, rules: Decontamination) -> pl.DataFrame:
    """question_id and detail of what the rules find in BenchmarkOverlap rows (with a column `benchmark`).

    A question is listed once, by the first rule that holds and the first benchmark in alphabetical order.
    """
    found = pl.coalesce(
        _text(rules), _ngram(rules), _wording(rules), _cosine(rules), _reworded(rules), _confirmed(rules)
    )
    return (
        overlap.select("question_id", "benchmark", detail=found)
        .drop_nulls("detail")
        .sort("question_id", "benchmark")
        .unique("question_id", keep="first", maintain_order=True)
        .select("question_id", "detail")
    )


def _text(rules: Decontamination) -> pl.Expr:
    return (
        pl.when(pl.col("same_text") & rules.same_text)
        .then(_of("text of {}", item="text_item"))
        .when(pl.col("same_template") & rules.same_template)
        .then(_of("text but for numbers of {}", item="text_item"))
    )


def _ngram(rules: Decontamination) -> pl.Expr:
    share, words = pl.col(f"ngram_{rules.ngram}"), f"{{}} of the {rules.ngram}-grams of {{}}"
    held = (share > 0) & (share >= pl.lit(rules.ngram_share, pl.Float32))
    return pl.when(held).then(_of(words, share, item=f"ngram_{rules.ngram}_item"))


def _wording(rules: Decontamination) -> pl.Expr:
    if rules.wording is None:
        return pl.lit(None, pl.String)
    share = pl.col("wording")
    held = share >= pl.lit(rules.wording, pl.Float32)
    return pl.when(held).then(_of("{} of the wording of {}", share, item="wording_item"))


def _cosine(rules: Decontamination) -> pl.Expr:
    near = pl.col("cosine") >= pl.lit(rules.cosine, pl.Float32)
    return pl.when(near).then(_of("cosine {} to {}", pl.col("cosine"), item="item_id"))


def _reworded(rules: Decontamination) -> pl.Expr:
    if rules.reworded is None:
        return pl.lit(None, pl.String)
    held = pl.col("same_numbers") & (pl.col("cosine") >= pl.lit(rules.reworded, pl.Float32))
    return pl.when(held).then(_of("same numbers and cosine {} as {}", pl.col("cosine"), item="item_id"))


def _confirmed(rules: Decontamination) -> pl.Expr:
    opinions = pl.col("same", "same_swapped").fill_null(False)
    agreed = {"off": pl.lit(False), "both": pl.all_horizontal(opinions), "either": pl.any_horizontal(opinions)}
    held = agreed[rules.confirmed] & (pl.col("cosine") >= pl.lit(rules.confirmed_cosine, pl.Float32))
    return pl.when(held).then(_of("confirmed at cosine {} to {}", pl.col("cosine"), item="item_id"))


def _of(words: str, *measured: pl.Expr, item: str) -> pl.Expr:
    """What was found, how strongly, and the item as benchmark/item."""
    return pl.format(words, *(value.round(3) for value in measured), pl.format("{}/{}", "benchmark", item))
