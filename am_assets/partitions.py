"""The partitions of the graph: shards of the pool, recipes, benchmarks, and how they meet."""

import dagster as dg

from am_assets.pool.sources import shard_keys
from am_assets.project import project

SHARD_KEYS = shard_keys(project().sources)

shards = dg.StaticPartitionsDefinition(SHARD_KEYS)
recipes = dg.StaticPartitionsDefinition(project().recipe_names)
benchmarks = dg.StaticPartitionsDefinition(list(project().benchmarks))
recipe_benchmarks = dg.MultiPartitionsDefinition({"recipe": recipes, "benchmark": benchmarks})

# Pairs are looked for in a shard and in those before it in the sources file, so that a source appended at the end
# leaves the partitions of all others alone.
earlier_shards = dg.StaticPartitionMapping({key: SHARD_KEYS[i:] for i, key in enumerate(SHARD_KEYS)})


def every(
    partition: str,
    *,
    skip_missing: bool = False,
    optional: bool = False,
    mapping: dg.PartitionMapping | None = None,
) -> dg.AssetIn:
    """All upstream partitions as one lazy frame, told apart by a column named `partition`; an error where one is not
    there yet, with `skip_missing` where none is, with `optional` never."""
    return dg.AssetIn(
        partition_mapping=mapping or dg.AllPartitionMapping(),
        metadata={"fan_in": partition, "skip_missing": skip_missing or optional, "optional": optional},
    )


def along(dimension: str) -> dg.AssetIn:
    """The one upstream partition on the same recipe or benchmark of a recipe-benchmark partition."""
    return dg.AssetIn(partition_mapping=dg.MultiToSingleDimensionPartitionMapping(dimension))
