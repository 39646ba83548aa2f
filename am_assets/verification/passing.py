"""Whether an answer passes, by all verifiers of its question: what sampling until one passes goes by.

As measured and by no recipe: `split`, `first_tests` and `accept` decide later. An answer that was cut off or has no two
parts does not pass, whatever its verdict: no recipe keeps it. `unverifiable` is not passed. Where the verdict is about
this machine (no sandbox), or none is there, `passed` is null and nothing is asked on its account.
"""

from collections.abc import Callable, Mapping

import polars as pl

from am_assets.verification.verifiers import VERIFIERS

Read = Callable[[str, list[str]], pl.DataFrame]  # reads some columns of a shard's table


def answered(responses: pl.DataFrame, verdicts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`due.ANSWERED` of `responses` (response_id, request_key, finish_reason, well_formed). By verifier `verdicts` has
    response_id, verdict, reason and what it `decides_on`; the worst verdict of an answer counts."""
    each = pl.concat(_each(name, table) for name, table in verdicts.items())
    passed = each.group_by("response_id").agg(pl.col("passed").all(ignore_nulls=False))
    truncated = pl.col("finish_reason") == "length"
    return responses.join(passed, on="response_id", how="left", maintain_order="left").select(
        "request_key", truncated=truncated, passed=pl.col("passed") & pl.col("well_formed") & ~truncated
    )


def _each(name: str, table: pl.DataFrame) -> pl.DataFrame:
    transient = VERIFIERS[name].transient
    told = pl.lit(True) if transient is None else ~transient
    return table.select("response_id", passed=pl.when(told).then(pl.col("verdict").cast(pl.String) == "pass"))


def stored(read: Read) -> pl.DataFrame:
    """`answered` of the distilled responses of a shard, from its tables."""
    responses = read("responses", ["response_id", "request_key", "finish_reason"]).drop_nulls("request_key")
    features = read("response_features", ["response_id", "well_formed"])
    columns = ["response_id", "verdict", "reason"]
    verdicts = {name: read(one.table, [*columns, *one.decides_on]) for name, one in VERIFIERS.items()}
    return answered(responses.join(features, on="response_id"), verdicts)
