"""What a verified set comes to: pass rates, shares, how far they moved. Counting only; the cuts are `decide.py`'s."""

import polars as pl

VERDICT, SECOND = pl.col("verdict"), pl.col("second_verdict")
BY = ["source", "category", "difficulty", "teacher"]
COUNTED = ["verdict", "second_verdict", "kept", "repetitive"]
Figures = dict[str, float | None]


def pass_rates(verified: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """(*by, responses, passed, pass_rate, unverifiable_share) of a VerifiedSet frame, sorted by `by`.

    Verdicts as the verifiers gave them, whatever rule dropped the row. `pass_rate` is passed over the candidates
    whose verdict is not unverifiable, null where there are none; `unverifiable_share` is over all candidates.
    With an empty `by`: one row for the whole set.
    """
    unverifiable = (VERDICT == "unverifiable").sum()
    told = pl.len() - unverifiable
    passed = (VERDICT == "pass").sum()
    figures = [
        pl.len().alias("responses"),
        passed.alias("passed"),
        pl.when(told > 0).then(passed / told).alias("pass_rate"),
        pl.when(pl.len() > 0).then(unverifiable / pl.len()).alias("unverifiable_share"),
    ]
    return verified.group_by(by).agg(figures).sort(by) if by else verified.select(figures)


def fates(verified: pl.DataFrame) -> pl.DataFrame:
    """(fate, responses): how many of a VerifiedSet are kept, then how many went, in the order the rules are asked."""
    counts = verified.group_by("drop_reason").agg(responses=pl.len()).sort("drop_reason", nulls_last=False)
    return counts.select(pl.col("drop_reason").cast(pl.String).fill_null("kept").alias("fate"), "responses")


def figures(verified: pl.DataFrame) -> Figures:
    """Shares of a VerifiedSet frame that the asset checks look at, each null where there is nothing to count; it needs
    the columns COUNTED alone.

    `disagreement` is over the responses that verifier and judge both gave a pass or a fail.
    """
    both = (VERDICT != "unverifiable") & (SECOND != "unverifiable")
    rates = pass_rates(verified, []).select("pass_rate", "unverifiable_share")
    shares = verified.select(
        kept_share=pl.col("kept").mean(),
        repetitive_share=pl.col("repetitive").mean(),
        disagreement=(VERDICT != SECOND).filter(both).mean(),
    )
    return rates.hstack(shares).row(0, named=True)


def drift(before: Figures, now: Figures) -> dict[str, float]:
    """By how much each figure moved that is known of both, in shares."""
    known = {name: (before.get(name), value) for name, value in now.items()}
    return {name: new - old for name, (old, new) in known.items() if old is not None and new is not None}
