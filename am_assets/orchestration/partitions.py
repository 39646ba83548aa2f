"""The partitions of the graph: shards of the pool, recipes, benchmarks, and how they meet."""

from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from am_assets.datasets.sources import shard_keys
from am_assets.project import Project


@dataclass(frozen=True)
class Partitions:
    """The partitions of one project; a table names one of the first four by `by`."""

    project: Project

    @cached_property
    def shards(self) -> dg.StaticPartitionsDefinition:
        return dg.StaticPartitionsDefinition(shard_keys(self.project.sources))

    @cached_property
    def recipes(self) -> dg.StaticPartitionsDefinition:
        return dg.StaticPartitionsDefinition(self.project.recipe_names)

    @cached_property
    def benchmarks(self) -> dg.StaticPartitionsDefinition:
        return dg.StaticPartitionsDefinition(list(self.project.benchmarks))

    @cached_property
    def recipe_benchmarks(self) -> dg.MultiPartitionsDefinition:
        return dg.MultiPartitionsDefinition({"recipe": self.recipes, "benchmark": self.benchmarks})

    @cached_property
    def earlier_shards(self) -> dg.StaticPartitionMapping:
        """Pairs are looked for in a shard and in those before it in the sources file, so that a source appended at the
        end leaves the partitions of all others alone."""
        keys = shard_keys(self.project.sources)
        return dg.StaticPartitionMapping({key: keys[i:] for i, key in enumerate(keys)})


def recipe_and_benchmark(key: str) -> tuple[str, str]:
    """The recipe and the benchmark of a partition of `recipe_benchmarks`, as in `gpqa|demo`."""
    benchmark, recipe = key.split("|")  # Dagster writes dimensions in alphabetical order
    return recipe, benchmark


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


def all_of(*tables: str) -> list[dg.AssetDep]:
    """Every partition of tables that a body reads by name."""
    return [dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping()) for name in tables]
