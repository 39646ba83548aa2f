"""Which items of a benchmark the rows touch that a student was trained on.

`touching` measures, `touched` cuts. How alike a question and an item are is measured in `selection/overlap.py`.
"""

import polars as pl

from am_assets.config.touched import Touched

VERSION = "1"  # raise when the same hits touch other items


def touching(hits: pl.LazyFrame, trained_on: pl.LazyFrame) -> pl.DataFrame:
    """TouchedItems: of BenchmarkHits by the questions in `trained_on` (question_id), the strongest of each item and
    measure, by the first question."""
    ours = hits.join(trained_on.select("question_id"), on="question_id", how="semi")
    ranked = ours.sort("item_id", "measure", "value", "question_id", descending=[False, False, True, False])
    return ranked.unique(["item_id", "measure"], keep="first", maintain_order=True).collect()


def touched(strongest: pl.DataFrame, policy: Touched) -> pl.Series:
    """The ids of the items that TouchedItems touch by any measure of the policy, sorted."""
    cuts = {
        "same_text": 1 if policy.same_text else None,
        "same_template": 1 if policy.same_template else None,
        f"ngram_{policy.ngram}": policy.ngram_share,
        "wording": policy.wording,
        "cosine": policy.cosine,
        "reworded": policy.reworded,
    }
    # In single precision, as values are stored.
    holds = [
        (pl.col("measure") == measure) & (pl.col("value") >= pl.lit(cut, pl.Float32))
        for measure, cut in cuts.items()
        if cut is not None
    ]
    return strongest.filter(pl.any_horizontal(pl.lit(False), *holds))["item_id"].unique().sort()
