"""Tags by which runs are told apart: the asset, and the recipe, shard, benchmark or experiment of its partition.

Runs of `am apply` have them from the start; those of the UI, sensors, schedule and backfills take them when they begin.
"""

from collections.abc import Collection

import dagster as dg

from am_assets.orchestration.partitions import recipe_and_benchmark

ASSET_TAG = "am/asset"
USER_TAG = "user"  # what the UI says under "launched by"
PARTS = {"shards": "shard", "recipes": "recipe", "benchmarks": "benchmark", "experiments": "experiment"}
SHOWN = 3  # assets that are named; the page of the run lists them all


def run_names(assets: Collection[str], by: str, partition: str) -> dict[str, str]:
    """The tags of a run of one partition of `assets`, which are all partitioned `by` the same; of more than a few only
    how many there are."""
    named = {ASSET_TAG: ", ".join(sorted(assets)) if len(assets) <= SHOWN else f"{len(assets)} assets"}
    if by == "recipe_benchmarks":
        recipe, benchmark = recipe_and_benchmark(partition)
        return named | {"recipe": recipe, "benchmark": benchmark}
    return named | {PARTS[by]: partition}


def name_this_run(asset: str, by: str, partition: str) -> None:
    """Tag the run that is making a partition of `asset`, unless whoever launched it did."""
    context = dg.AssetExecutionContext.get()
    if ASSET_TAG not in context.run.tags:
        assets = {key.to_user_string() for key in context.run.asset_selection or ()} or {asset}
        context.instance.add_run_tags(context.run.run_id, run_names(assets, by, partition))
