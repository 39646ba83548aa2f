"""Contamination of questions by benchmarks, decided under one recipe's rules.

Decisions only: the overlap itself is measured in `overlap.py`, the opinions of a model in `confirm.py`.
"""

from typing import NamedTuple

import polars as pl

from am_assets.config.recipe import Decontamination

VERSION = "2"  # raise when the same overlap is decided or described otherwise
FIELD = "sampling.decontamination"
NEVER = pl.lit(False)


class Rule(NamedTuple):
    """`holds` and `detail` are expressions over BenchmarkOverlap; `field` is the field of the policy that sets it."""

    field: str
    holds: pl.Expr
    detail: pl.Expr


def contaminated(overlap: pl.DataFrame, policy: Decontamination) -> pl.DataFrame:
    """(question_id, detail, decided_by) of the contaminated questions in BenchmarkOverlap rows (with `benchmark`).

    A question is listed once: under the first rule that holds, for the first benchmark in alphabetical order.

    >>> contaminated(overlap, Decontamination(cosine=0.8)).row(0)
    ('9f3c…', 'cosine 0.91 to math500/7', 'sampling.decontamination.cosine')
    """
    rules = _rules(policy)
    return (
        overlap.select(
            "question_id",
            "benchmark",
            detail=pl.coalesce(pl.when(rule.holds).then(rule.detail) for rule in rules),
            decided_by=pl.coalesce(pl.when(rule.holds).then(pl.lit(f"{FIELD}.{rule.field}")) for rule in rules),
        )
        .drop_nulls("detail")
        .sort("question_id", "benchmark")
        .unique("question_id", keep="first", maintain_order=True)
        .drop("benchmark")
    )


def _rules(policy: Decontamination) -> list[Rule]:
    """In the order in which they are tried."""
    share, cosine = pl.col(f"ngram_{policy.ngram}"), pl.col("cosine")
    opinions = pl.col("same", "same_swapped").fill_null(False)
    agreed = {"off": NEVER, "both": pl.all_horizontal(opinions), "either": pl.any_horizontal(opinions)}
    return [
        Rule("same_text", pl.col("same_text") & policy.same_text, _detail("text of {}", item="text_item")),
        Rule(
            "same_template",
            pl.col("same_template") & policy.same_template,
            _detail("text but for numbers of {}", item="text_item"),
        ),
        Rule(
            "ngram_share",
            (share > 0) & _at_least(share, policy.ngram_share),
            _detail(f"{{}} of the {policy.ngram}-grams of {{}}", share, item=f"ngram_{policy.ngram}_item"),
        ),
        Rule(
            "wording",
            _at_least(pl.col("wording"), policy.wording),
            _detail("{} of the wording of {}", pl.col("wording"), item="wording_item"),
        ),
        Rule("cosine", _at_least(cosine, policy.cosine), _detail("cosine {} to {}", cosine, item="item_id")),
        Rule(
            "reworded",
            pl.col("same_numbers") & _at_least(cosine, policy.reworded),
            _detail("same numbers and cosine {} as {}", cosine, item="item_id"),
        ),
        Rule(
            "confirmed",
            agreed[policy.confirmed] & _at_least(cosine, policy.confirmed_cosine),
            _detail("confirmed at cosine {} to {}", cosine, item="item_id"),
        ),
    ]


def _at_least(value: pl.Expr, threshold: float | None) -> pl.Expr:
    """Compared in single precision, as the measures are stored; a threshold of None switches the rule off."""
    return NEVER if threshold is None else value >= pl.lit(threshold, pl.Float32)


def _detail(words: str, *measured: pl.Expr, item: str) -> pl.Expr:
    """`words` filled with the measured values and the benchmark item as benchmark/item."""
    return pl.format(words, *(value.round(3) for value in measured), pl.format("{}/{}", "benchmark", item))


def by_benchmark(selected: pl.DataFrame, policy: Decontamination) -> pl.DataFrame:
    """(benchmark, rule, questions) that SelectedQuestions drops as contaminated; a benchmark without any has a row."""
    hits = selected.filter(pl.col("drop_reason") == "contaminated").select(
        benchmark=pl.col("detail").str.extract(r"(\S+)/\S+$"),
        rule=pl.col("decided_by").str.split(".").list.last(),
    )
    counts = hits.group_by("benchmark", "rule").agg(questions=pl.len())
    none = pl.DataFrame({"benchmark": policy.benchmarks}, {"benchmark": pl.String})
    none = none.join(counts, on="benchmark", how="anti").with_columns(
        rule=pl.lit("none"), questions=pl.lit(0, pl.UInt32)
    )
    return pl.concat([counts, none], how="vertical_relaxed").sort("benchmark", "rule")
