"""The answers that each verifier and the judge gets, and the memo key of each job. Nothing is verified here."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from am_assets.config.instruments import Reward
from am_assets.runtime.wording import counted
from am_assets.storage.streams import Stored
from am_assets.verification import reward
from am_assets.verification.verifiers import VERIFIERS, Verifier, applicable, unverified

AGAINST = {verifier.against: None for verifier in VERIFIERS.values()}  # columns of RawPool, each once


def answers_with_checks(response_features: pl.DataFrame, raw_pool: pl.DataFrame) -> pl.DataFrame:
    """The answers with their questions and what these can be checked by."""
    answers = response_features.select("response_id", "question_id", "answer", "well_formed")
    checks = raw_pool.select("question_id", "question", *AGAINST)
    few = checks.join(answers, on="question_id", how="semi")  # a table of all their ids is not made for a few answers
    return answers.join(few, on="question_id", maintain_order="left")


def checks(raw_pool: Stored, where: pl.Expr | bool = True) -> pl.DataFrame:
    """The questions that `where` holds of and what answers can be checked by, to be joined with answers."""
    return raw_pool.mapped(["question_id", "question", *AGAINST], where)


def batches(response_features: Stored, checks: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """`answers_with_checks` of a shard in frames, of which the first is empty: it has the columns."""
    columns = ["response_id", "question_id", "answer", "well_formed"]
    yield answers_with_checks(response_features.lazy().select(columns).head(0).collect(), checks)
    for features in response_features.batches(columns):
        yield answers_with_checks(features, checks)


def of(missing: pl.DataFrame, rows: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Those of `rows` (key, response_id and any others) that `missing`, in their order, names. `ValueError` where it is
    in another order, in which some would be left out."""
    named, seen = missing.select("key", "response_id"), 0
    for frame in rows:
        near = named.slice(seen, frame.height)
        found = frame.join(near, on=["key", "response_id"], how="semi", maintain_order="left")
        seen += found.height
        yield found
    if seen < named.height:
        left = counted(named.height - seen, "row")
        raise ValueError(f"{left} to measure not found in the order of their table")


def jobs(verifier: Verifier, answers: pl.DataFrame, limits: Any) -> pl.DataFrame:
    """Those of `answers` (answer, what they are checked by, and any others) that `verifier` verifies, with the key of
    each verdict; `limits` is its section of the instruments."""
    others = [column for column in AGAINST if column != verifier.against]
    wanted = answers.filter(applicable()[verifier.name]).drop(others, strict=False)
    return verifier.with_job_keys(wanted.rename({verifier.against: verifier.named or verifier.against}), limits)


def to_judge(answers: pl.DataFrame, instrument: Reward) -> pl.DataFrame:
    """The well-formed `answers` that the judge scores: those that no verifier verifies, or all of them."""
    asked = pl.lit(True) if instrument.judges == "every" else unverified()
    return answers.filter(asked & pl.col("well_formed"))


def judge_requests(judged: pl.DataFrame, instrument: Reward) -> pl.DataFrame:
    return reward.judge_requests(judged, instrument.model, instrument.max_tokens, instrument.audit)
