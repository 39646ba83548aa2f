"""Scores of a student on a benchmark: pass@1 with an interval over questions.

Takes verdicts as they are; how an answer is judged belongs to `verification/`, what a score means for a recipe to
`report.py`.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from am_assets.storage.schemas import EvalScores

VERSION = "1"  # raise when the same verdicts give other scores
STUDENTS = pl.Enum(["untrained", "trained"])


def bootstrap_interval(
    per_question: Sequence[float] | np.ndarray, seed: int = 0, resamples: int = 1000
) -> tuple[float, float]:
    """95 % percentile interval (low, high) of the mean of scores in [0, 1], resampling questions.

    Questions are resampled, not answers: the k samples of a question are no independent evidence of other questions.
    Where all scores are equal it has no width, however few there are. `ValueError` on no score or one outside [0, 1].
    """
    scores = np.sort(np.asarray(per_question, dtype=np.float64))  # sorted: the order of rows must not matter
    if not len(scores) or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("an interval needs at least one score, and every score between 0 and 1")
    drawn = np.random.default_rng(seed).integers(len(scores), size=(resamples, len(scores)))
    low, high = np.quantile(scores[drawn].mean(axis=1), [0.025, 0.975])
    mean = scores.mean()  # inside by definition; rounding and very few questions may say otherwise
    return float(min(low, mean)), float(max(high, mean))


def score_table(verdicts: pl.DataFrame) -> pl.DataFrame:
    """EvalScores, one row a student, of verdicts: student, item_id, sample_index, verdict, well_formed.

    pass@1 is the mean over questions of the share of its samples that passed; `unverifiable` does not pass. Shares
    of well-formed and unverifiable answers are over all samples. `samples` is the most a question has.
    """
    rows = verdicts.with_columns(pl.col("student").cast(STUDENTS)).sort("student", "item_id", "sample_index")
    per_question = rows.group_by("student", "item_id", maintain_order=True).agg(
        passed=(pl.col("verdict") == "pass").mean(), samples=pl.len()
    )
    answers = rows.group_by("student").agg(
        well_formed=pl.col("well_formed").mean(), unverifiable=(pl.col("verdict") == "unverifiable").mean()
    )
    intervals = [
        (student, *bootstrap_interval(group["passed"].to_numpy()))
        for (student,), group in per_question.group_by("student", maintain_order=True)
    ]
    return (
        per_question.group_by("student", maintain_order=True)
        .agg(questions=pl.len(), samples=pl.col("samples").max().cast(pl.UInt16), pass_at_1=pl.col("passed").mean())
        .join(answers, on="student")
        .join(
            pl.DataFrame(intervals, schema=["student", "ci_low", "ci_high"], orient="row").cast({"student": STUDENTS}),
            on="student",
        )
        .select(EvalScores.column_names())
        .sort("student")
    )
