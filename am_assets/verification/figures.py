"""Statistics of a verified set: pass rates, shares, and their drift. Counting only; `decide.py` decides."""

import polars as pl

from am_assets.config.vocabulary import SCREENS

VERDICT, SECOND = pl.col("verdict"), pl.col("second_verdict")
BY = ["source", "category", "difficulty", "teacher"]
COUNTED = ["verdict", "second_verdict", "kept", "repetitive", "screens"]
DOUBTED = ["source", "question_id", "evidence", "passed", "reference_doubtful"]
Figures = dict[str, float | None]


def pass_rates(verified: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """(*by, responses, passed, pass_rate, unverifiable_share) of a VerifiedSet frame, sorted by `by`.

    Counts verdicts, whatever rule dropped the row. `pass_rate` is over the candidates with a pass or fail, null without
    any; `unverifiable_share` is over all candidates. An empty `by` gives one row for the whole set.

    >>> pass_rates(verified, ["category"])
    """
    unverifiable = (VERDICT == "unverifiable").sum()
    verified_rows = pl.len() - unverifiable
    passed = (VERDICT == "pass").sum()
    figures = [
        pl.len().alias("responses"),
        passed.alias("passed"),
        pl.when(verified_rows > 0).then(passed / verified_rows).alias("pass_rate"),
        pl.when(pl.len() > 0).then(unverifiable / pl.len()).alias("unverifiable_share"),
    ]
    return verified.group_by(by).agg(figures).sort(by) if by else verified.select(figures)


def by_question(verified: pl.DataFrame) -> pl.DataFrame:
    """(question_id, attempts, passes) of the questions of a VerifiedSet with a response whose verifier could tell,
    whatever rule dropped it. Needs only question_id and passed."""
    told = verified.drop_nulls("passed").group_by("question_id")
    return told.agg(attempts=pl.len(), passes=pl.col("passed").sum()).sort("question_id")


def fates(verified: pl.DataFrame) -> pl.DataFrame:
    """(fate, responses): the number kept, then the number dropped by each reason, in the order of the rules."""
    counts = verified.group_by("drop_reason").agg(responses=pl.len()).sort("drop_reason", nulls_last=False)
    return counts.select(pl.col("drop_reason").cast(pl.String).fill_null("kept").alias("fate"), "responses")


def figures(verified: pl.DataFrame) -> Figures:
    """The shares of a VerifiedSet that asset checks test, null where there is nothing to count. Needs only the columns
    COUNTED.

    `disagreement` is over the responses with a pass or fail from both verifier and judge.
    """
    both = (VERDICT != "unverifiable") & (SECOND != "unverifiable")
    rates = pass_rates(verified, []).select("pass_rate", "unverifiable_share")
    shares = verified.select(
        kept_share=pl.col("kept").mean(),
        repetitive_share=pl.col("repetitive").mean(),
        screened_share=(pl.col("screens").list.len() > 0).mean(),
        disagreement=(VERDICT != SECOND).filter(both).mean(),
    )
    return rates.hstack(shares).row(0, named=True)


def screened(verified: pl.DataFrame) -> dict[str, float]:
    """By screen, the share of rows (screens) that it finds anything in; without those that find nothing."""
    found = verified.select("screens").explode("screens").drop_nulls()["screens"].value_counts().sort("screens")
    return {name: count / verified.height for name, count in found.cast({"screens": pl.String}).rows()}


def findings(verified: pl.DataFrame) -> pl.DataFrame:
    """(screen, responses, released, share): the rows that each screen finds something in, and how many stay."""
    none = pl.DataFrame({"screen": SCREENS})
    rows = verified.select("kept", screen="screens").explode("screen").drop_nulls("screen")
    counts = rows.cast({"screen": pl.String}).group_by("screen").agg(responses=pl.len(), released=pl.col("kept").sum())
    return (
        none.join(counts, on="screen", how="left", maintain_order="left")
        .with_columns(pl.col("responses", "released").fill_null(0))
        .select("screen", "responses", "released", share=pl.col("responses") / max(verified.height, 1))
    )


def doubtful(verified: pl.DataFrame) -> pl.DataFrame:
    """(source, questions, doubtful, share): of the questions whose answers were held against a reference, those whose
    answers agree with each other against it; sorted by source."""
    compared = verified.filter(pl.col("evidence").is_in(["math", "reward"]) & pl.col("passed").is_not_null())
    found = compared.group_by("source", "question_id").agg(pl.col("reference_doubtful").any()).group_by("source")
    return found.agg(
        questions=pl.len(), doubtful=pl.col("reference_doubtful").sum(), share=pl.col("reference_doubtful").mean()
    ).sort("source")


def drift(before: Figures, now: Figures) -> dict[str, float]:
    """The change of each figure that is known both before and now, in shares."""
    known = {name: (before.get(name), value) for name, value in now.items()}
    return {name: new - old for name, (old, new) in known.items() if old is not None and new is not None}
