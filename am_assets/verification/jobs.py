"""The answers that each verifier and the judge gets, and the memo key of each job. Nothing is verified here."""

import polars as pl

from am_assets.config.instruments import Code, Instructions, Math, Reward
from am_assets.datasets.checks import CHECKS, HAS_CONSTRAINTS, HAS_REFERENCE, HAS_TESTS
from am_assets.storage.memo import with_keys
from am_assets.verification import code, instructions, math, reward


def answers_with_checks(response_features: pl.DataFrame, raw_pool: pl.DataFrame) -> pl.DataFrame:
    """The answers with their questions and what these can be checked by."""
    checks = raw_pool.select("question_id", "question", "reference_answer", "test_cases", "constraints")
    return response_features.select("response_id", "question_id", "answer", "well_formed").join(
        checks, on="question_id"
    )


def math_jobs(answers: pl.DataFrame, limits: Math) -> pl.DataFrame:
    """Those of `answers` (answer, reference_answer, test_cases, constraints and any others) that are verified by their
    reference, with the key of each verdict."""
    wanted = answers.filter(HAS_REFERENCE & ~HAS_TESTS)
    return math.with_job_keys(
        wanted.rename({"reference_answer": "reference"}).drop("test_cases", "constraints", strict=False), limits
    )


def code_jobs(answers: pl.DataFrame, limits: Code) -> pl.DataFrame:
    """Those of `answers` that are verified by tests, with the key of each verdict."""
    wanted = answers.filter(HAS_TESTS).drop("reference_answer", "constraints", strict=False)
    return with_keys(wanted, "answer", "test_cases", identity=[code.VERSION, limits.model_dump()])


def instruction_jobs(answers: pl.DataFrame, limits: Instructions) -> pl.DataFrame:
    """Those of `answers` that are verified by constraints, with the key of each verdict."""
    wanted = answers.filter(HAS_CONSTRAINTS).drop("reference_answer", "test_cases")
    return with_keys(wanted, "answer", "constraints", identity=[instructions.VERSION, limits.model_dump()])


def to_judge(answers: pl.DataFrame, instrument: Reward) -> pl.DataFrame:
    """The well-formed `answers` that the judge scores: those that nothing else can check, or all of them."""
    asked = pl.lit(True) if instrument.judges == "every" else ~pl.any_horizontal(*CHECKS.values())
    return answers.filter(asked & pl.col("well_formed"))


def judge_requests(judged: pl.DataFrame, instrument: Reward) -> pl.DataFrame:
    return reward.judge_requests(judged, instrument.model, instrument.max_tokens, instrument.audit)
