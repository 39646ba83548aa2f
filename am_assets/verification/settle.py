"""Of the verdicts on an answer, those that count under a recipe, and the verifier that decides.

Decisions only; part of `decide.py` and versioned with it, and what `am verify` says of rows that no recipe selected.
"""

import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.verification.verifiers import VERIFIERS


def settled(candidates: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """`candidates` with the verdicts that count under `policy`, and `<name>_decided_by` of each verifier: the field of
    the recipe that settled the verdict, null for those as measured."""
    nothing = pl.lit(None, pl.String)
    candidates = candidates.with_columns(nothing.alias(one.column("decided_by")) for one in VERIFIERS.values())
    for verifier in VERIFIERS.values():
        candidates = verifier.settle(candidates, policy) if verifier.settle else candidates
    return candidates


def with_verifier(candidates: pl.DataFrame) -> pl.DataFrame:
    """`candidates` with `verifier`, the one that decides: of those that apply, the one with the worst verdict, and of
    equals the first. Null where none applies."""
    chosen, verdict = pl.col("verifier"), pl.col("chosen_verdict")
    candidates = candidates.with_columns(pl.lit(None, pl.String).alias(name) for name in ("verifier", "chosen_verdict"))
    for name, verifier in VERIFIERS.items():
        its = pl.col(verifier.column("verdict")).cast(pl.String).fill_null("unverifiable")
        worse = (its == "fail") & (verdict != "fail") | (its != "pass") & (verdict == "pass")
        takes = pl.col("verifiers").list.contains(name) & (chosen.is_null() | worse)
        candidates = candidates.with_columns(
            verifier=pl.when(takes).then(pl.lit(name)).otherwise(chosen),
            chosen_verdict=pl.when(takes).then(its).otherwise(verdict),
        )
    return candidates


def of_verifier(column: str) -> pl.Expr:
    """A column of the verifier that decides; null where none does."""
    return pl.coalesce(
        pl.when(pl.col("verifier") == name).then(verifier.column(column)) for name, verifier in VERIFIERS.items()
    )
