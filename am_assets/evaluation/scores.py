"""Scores of a student on a benchmark: pass@1 with a bootstrap confidence interval over questions.

Aggregates verdicts only: answers are verified in `verification/`, and `report.py` reports the scores.
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
    """The 95 % percentile bootstrap interval (low, high) of the mean of per-question scores in [0, 1].

    Questions are resampled, not answers, as the k samples of a question are not independent. Equal scores give an
    interval of width 0, however few there are. `ValueError` without scores or for one outside [0, 1].

    >>> bootstrap_interval([0.0, 1.0, 1.0, 0.5])
    """
    scores = np.sort(np.asarray(per_question, dtype=np.float64))  # sorted, so that the order of rows does not matter
    if not len(scores) or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("an interval needs at least one score, and every score between 0 and 1")
    drawn = np.random.default_rng(seed).integers(len(scores), size=(resamples, len(scores)))
    low, high = np.quantile(scores[drawn].mean(axis=1), [0.025, 0.975])
    mean = scores.mean()  # kept inside despite rounding and very few questions
    return float(min(low, mean)), float(max(high, mean))


def score_table(verdicts: pl.DataFrame) -> pl.DataFrame:
    """EvalScores, one row per student, of `verdicts` (student, item_id, sample_index, verdict, well_formed).

    pass@1 is the mean over questions of the share of passed samples; `unverifiable` is not passed. The shares of
    well-formed and unverifiable answers are over all samples. `samples` is the largest number per question.
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
