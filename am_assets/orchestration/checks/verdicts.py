"""Asset checks of verdicts and reward scores: pass rates, agreement, drift since the previous materialization.

Figures are computed in `verification/figures.py` and `verification/reward.py`; limits come from the recipe
(`verification`) and the instruments (`reward`). A check here only compares the two.
"""

from typing import Any

import dagster as dg
import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.orchestration.assets.verification import AGREEMENT, FIGURES
from am_assets.orchestration.checks.tables import check
from am_assets.project import Project
from am_assets.storage.stored import read_policy
from am_assets.verification.figures import COUNTED, DOUBTED, Figures, doubtful, drift, figures, pass_rates
from am_assets.verification.reward import modal_shares

WARN = dg.AssetCheckSeverity.WARN
OF_RECIPE: dict[str, Any] = {
    "asset": "verified_set",
    "by": "recipes",
    "additional_ins": {"verification_policy": dg.AssetIn()},
}


def _figures(table: pl.LazyFrame) -> Figures:
    """Figures from the columns they need alone: all columns take half a second a check at 1.4 million rows."""
    return figures(table.select(COUNTED).collect())


def _share(
    figure: str, table: pl.LazyFrame, *, least: float = 0, most: float = 1, **result: Any
) -> dg.AssetCheckResult:
    """A check that passes where the figure lies in its bounds; a figure of no rows fails."""
    value = _figures(table)[figure]
    return dg.AssetCheckResult(
        passed=value is not None and least <= value <= most,
        metadata={figure: float("nan") if value is None else value, "threshold": least or most},
        **result,
    )


@check(**OF_RECIPE)
def verification_pass_rate(verified_set: pl.LazyFrame, verification_policy: pl.DataFrame) -> dg.AssetCheckResult:
    """Enough of the responses with a verdict pass: a lower rate points at bad upstream data."""
    return _share("pass_rate", verified_set, least=read_policy(VerificationPolicy, verification_policy).min_pass_rate)


@check(**OF_RECIPE)
def verification_pass_rate_by_source(
    verified_set: pl.LazyFrame, verification_policy: pl.DataFrame
) -> dg.AssetCheckResult:
    """No single source falls under the pass rate that the recipe expects overall."""
    policy = read_policy(VerificationPolicy, verification_policy)
    rates = pass_rates(verified_set.select("source", *COUNTED).collect(), ["source"])
    low = rates.filter(pl.col("pass_rate") < policy.min_pass_rate)
    return dg.AssetCheckResult(
        passed=low.is_empty(),
        severity=WARN,
        metadata={"threshold": policy.min_pass_rate, "low": low["source"].to_list(), "pass_rates": rates.to_dicts()},
    )


@check(**OF_RECIPE)
def unverifiable_share(verified_set: pl.LazyFrame, verification_policy: pl.DataFrame) -> dg.AssetCheckResult:
    """Few responses are unverifiable: a higher share points at a failing verifier, sandbox or judge."""
    policy = read_policy(VerificationPolicy, verification_policy)
    return _share("unverifiable_share", verified_set, most=policy.max_unverifiable, severity=WARN)


@check(**OF_RECIPE)
def repetition_share(verified_set: pl.LazyFrame, verification_policy: pl.DataFrame) -> dg.AssetCheckResult:
    """Few responses, truncated ones included, are repetitive: a higher share points at a degrading teacher."""
    policy = read_policy(VerificationPolicy, verification_policy)
    return _share("repetitive_share", verified_set, most=policy.max_repetitive, severity=WARN)


@check(**OF_RECIPE)
def screened_share(verified_set: pl.LazyFrame, verification_policy: pl.DataFrame) -> dg.AssetCheckResult:
    """Few responses, kept or dropped, have a finding of a screen: a higher share points at questions or a teacher that
    no release should rest on."""
    policy = read_policy(VerificationPolicy, verification_policy)
    return _share("screened_share", verified_set, most=policy.max_screened, severity=WARN)


@check(**OF_RECIPE)
def verifier_disagreement(verified_set: pl.LazyFrame, verification_policy: pl.DataFrame) -> dg.AssetCheckResult:
    """Verifier and judge mostly agree on the responses that both evaluated."""
    policy = read_policy(VerificationPolicy, verification_policy)
    if _figures(verified_set)["disagreement"] is None:
        return dg.AssetCheckResult(passed=True, metadata={"compared": 0})
    return _share("disagreement", verified_set, most=policy.max_disagreement, severity=WARN)


@check(**OF_RECIPE)
def doubtful_references(verified_set: pl.LazyFrame, verification_policy: pl.DataFrame) -> dg.AssetCheckResult:
    """Few references of any source have the answers to their question agree with each other against them."""
    policy = read_policy(VerificationPolicy, verification_policy).reference
    shares = doubtful(verified_set.select(DOUBTED).collect())
    high = shares.filter(pl.col("share") > policy.max_doubtful)
    return dg.AssetCheckResult(
        passed=high.is_empty(),
        severity=WARN,
        metadata={"threshold": policy.max_doubtful, "high": high["source"].to_list(), "by_source": shares.to_dicts()},
    )


@check(**OF_RECIPE)
def verification_drift(
    context: dg.AssetCheckExecutionContext, verified_set: pl.LazyFrame, verification_policy: pl.DataFrame
) -> dg.AssetCheckResult:
    """No share moved far since the previous materialization of this recipe, as a threshold, a teacher or a verifier
    may move it."""
    most = read_policy(VerificationPolicy, verification_policy).max_drift
    of_this = dg.AssetRecordsFilter(dg.AssetKey("verified_set"), asset_partitions=[context.partition_key])
    earlier = context.instance.fetch_materializations(of_this, limit=2).records[1:]
    materialization = earlier[0].asset_materialization if earlier else None
    stored = materialization.metadata.get(FIGURES) if materialization else None
    before, now = (stored.value if stored else {}), _figures(verified_set)
    moved = drift(before, now)
    return dg.AssetCheckResult(
        passed=all(abs(by) <= most for by in moved.values()),
        severity=WARN,
        metadata={"moved": moved, "before": before, "now": now, "threshold": most},
    )


@check("reward_scores", "shards")
def judge_tells_apart(reward_scores: pl.DataFrame, here: Project) -> dg.AssetCheckResult:
    """The judge does not give nearly every answer the same score, as a small model may do whatever it reads."""
    instrument = here.instruments.reward
    shares = modal_shares(reward_scores) if reward_scores.height >= instrument.min_rows else {}
    constant = [name for name, share in shares.items() if share > instrument.max_alike]
    return dg.AssetCheckResult(
        passed=not constant,
        severity=WARN,
        metadata={"constant": constant, "most_frequent_score": shares, "threshold": instrument.max_alike},
    )


@check("reward_scores", "shards")
def judge_agrees_with_itself(context: dg.AssetCheckExecutionContext, here: Project) -> dg.AssetCheckResult:
    """The judge gives a sample of answers the same scores when asked again, with the dimensions in reverse order. A
    reward model is deterministic, so its scores have no such sample."""
    least = here.instruments.reward.min_agreement
    record = context.instance.get_latest_data_version_record(dg.AssetKey("reward_scores"), False, context.partition_key)
    assert record is not None and record.asset_materialization is not None  # a check follows its materialization
    found = record.asset_materialization.metadata[AGREEMENT].value
    assert isinstance(found, dict)
    return dg.AssetCheckResult(
        passed=all(share >= least for share in found.values()),
        severity=WARN,
        metadata={"agreement": found, "threshold": least},
    )
