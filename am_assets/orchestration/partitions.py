"""Partitions of the graph (shards, recipes, benchmarks, experiments) and the mappings between them."""

from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from am_assets.datasets.sources import shard_keys
from am_assets.project import Project


@dataclass(frozen=True)
class Partitions:
    """Partition definitions of one project. The `by` of a table is the name of one of its partition definitions."""

    project: Project

    @cached_property
    def shards(self) -> dg.StaticPartitionsDefinition:
        return dg.StaticPartitionsDefinition(shard_keys(self.project.sources))

    @cached_property
    def recipes(self) -> dg.StaticPartitionsDefinition:
        """Recipes and variants of experiments."""
        return dg.StaticPartitionsDefinition(self.project.recipe_partitions)

    @cached_property
    def experiments(self) -> dg.StaticPartitionsDefinition:
        return dg.StaticPartitionsDefinition(list(self.project.experiments.named))

    @cached_property
    def variants(self) -> dg.StaticPartitionMapping:
        """From an experiment to the recipes of its variants."""
        return dg.StaticPartitionMapping(self.project.experiments.keys)

    @cached_property
    def benchmarks(self) -> dg.StaticPartitionsDefinition:
        return dg.StaticPartitionsDefinition(list(self.project.benchmarks))

    @cached_property
    def recipe_benchmarks(self) -> dg.MultiPartitionsDefinition:
        return dg.MultiPartitionsDefinition({"recipe": self.recipes, "benchmark": self.benchmarks})

    @cached_property
    def earlier_shards(self) -> dg.StaticPartitionMapping:
        """From a shard to itself and the shards before it in the sources file. Pairs are searched in these alone, so
        that a source appended at the end leaves the partitions of all others fresh."""
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
    """An input of all upstream partitions as one frame, with their keys in a column named `partition`.

    A missing partition is an error. With `skip_missing` only an input without any partition is, and with `optional`
    that is an empty frame.
    """
    return dg.AssetIn(
        # Compared with None, as an IdentityPartitionMapping is an empty tuple.
        partition_mapping=dg.AllPartitionMapping() if mapping is None else mapping,
        metadata={"fan_in": partition, "skip_missing": skip_missing or optional, "optional": optional},
    )


def along(dimension: str) -> dg.AssetIn:
    """From a recipe-benchmark partition to the upstream partition of its `recipe` or its `benchmark`."""
    return dg.AssetIn(partition_mapping=dg.MultiToSingleDimensionPartitionMapping(dimension))


def all_of(*tables: str) -> list[dg.AssetDep]:
    """Dependencies on all partitions of tables that a body reads by name instead of as inputs."""
    return [dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping()) for name in tables]
