"""Asset checks of the sets beside the SFT dataset: how much of what there is they hold. Limits come from the recipe."""

import dagster as dg
import polars as pl

from am_assets.config.sets import PreferencePolicy, RlPolicy
from am_assets.orchestration.checks.tables import check
from am_assets.storage.stored import read_policy

WARN = dg.AssetCheckSeverity.WARN


@check(
    "preference_dataset", "recipes", additional_ins={"verified_set": dg.AssetIn(), "preference_policy": dg.AssetIn()}
)
def questions_paired(
    preference_dataset: pl.LazyFrame, verified_set: pl.LazyFrame, preference_policy: pl.DataFrame
) -> dg.AssetCheckResult:
    """Enough of the questions with responses gave a pair."""
    paired, questions = (_questions(table) for table in (preference_dataset, verified_set))
    return _share("paired_share", paired, questions, read_policy(PreferencePolicy, preference_policy).min_paired)


@check("rl_dataset", "recipes", additional_ins={"rl_policy": dg.AssetIn()})
def pass_rates_measured(rl_dataset: pl.LazyFrame, rl_policy: pl.DataFrame) -> dg.AssetCheckResult:
    """Of enough of the questions the pass rate was measured."""
    measured, questions = (_questions(table) for table in (rl_dataset.filter(pl.col("attempts") > 0), rl_dataset))
    return _share("measured_share", measured, questions, read_policy(RlPolicy, rl_policy).min_measured)


def _questions(table: pl.LazyFrame) -> int:
    return table.select(pl.col("question_id").n_unique()).collect().item()


def _share(figure: str, found: int, of: int, least: float) -> dg.AssetCheckResult:
    share = found / max(of, 1)
    return dg.AssetCheckResult(
        passed=share >= least, severity=WARN, metadata={figure: share, "questions": of, "threshold": least}
    )
