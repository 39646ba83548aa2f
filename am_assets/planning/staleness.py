"""Staleness of partitions by Dagster's own rules, computed from records read in bulk.

A test compares it with Dagster's resolver. Only direct parents count: a partition is stale when its code or a parent
changed, and what is downstream of it once it was materialized again with different content.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import dagster as dg

from am_assets.config.partitions import MOST_PARTITIONS
from am_assets.orchestration.dagster_internals import BaseAssetGraph
from am_assets.planning.records import Records

Partition = tuple[dg.AssetKey, str]


@dataclass(frozen=True)
class Cause:
    """Why a partition is stale: its code changed, data of a parent's partitions changed, or it has other parents."""

    changed: Literal["code", "data", "parents"]
    parent: dg.AssetKey | None = None
    partitions: tuple[str, ...] = ()


class Staleness:
    def __init__(self, graph: BaseAssetGraph, records: Records):
        self.graph = graph
        self.records = records
        self._above: dict[Partition, dict[dg.AssetKey, list[str]]] = {}

    def partitions(self, key: dg.AssetKey) -> list[str]:
        """All partitions of an asset."""
        definition = self.graph.get(key).partitions_def
        return [str(partition) for partition in definition.get_partition_keys()] if definition else []

    def parents(self, key: dg.AssetKey, partition: str) -> Iterator[Partition]:
        """The upstream partitions of a partition."""
        return ((parent, at) for parent, every in self.above(key, partition).items() for at in every)

    def above(self, key: dg.AssetKey, partition: str) -> dict[dg.AssetKey, list[str]]:
        """The upstream partitions of a partition, by asset in alphabetical order."""
        if (key, partition) not in self._above:
            self._above[key, partition] = {
                parent: [
                    str(at)
                    for at in self.graph.get_parent_partition_keys_for_child(
                        partition, parent, key
                    ).partitions_subset.get_partition_keys()
                ]
                for parent in sorted(self.graph.get(key).parent_keys)
            }
        return self._above[key, partition]

    def causes(self, key: dg.AssetKey, partition: str) -> list[Cause] | None:
        """Why the partition is stale; empty where it is fresh, None where it was never materialized."""
        made = self.records.made(key).get(partition)
        return None if made is None else list(self._causes(key, partition))

    def _causes(self, key: dg.AssetKey, partition: str) -> Iterator[Cause]:
        made, code_version = self.records.made(key)[partition], self.graph.get(key).code_version
        if made.code_version is None:
            return
        if code_version and code_version != made.code_version:
            yield Cause("code")
        above = self.above(key, partition)
        for gone in sorted(set(made.read) - set(above)):
            yield Cause("parents", gone)
        for parent, partitions in above.items():
            if len(partitions) > MOST_PARTITIONS:  # as Dagster: it ignores such an edge
                continue
            if parent not in made.read:
                yield Cause("parents", parent, tuple(partitions))
            elif changed := self._changed_since(parent, partitions, made.read[parent]):
                yield Cause("data", parent, changed)

    def _changed_since(self, parent: dg.AssetKey, partitions: list[str], read: int | None) -> tuple[str, ...]:
        """The partitions materialized after the event `read` with a different data version.

        Where the parent had no event then (`read` is None) all partitions are new. Dagster says "unchanged" there, and
        a report made before its scores would stay without them.
        """
        made = self.records.made(parent)
        if read is None:
            return tuple(at for at in partitions if at in made)
        newer = [at for at in partitions if at in made and made[at].storage_id > read]
        return tuple(at for at in newer if made[at].version != self.records.version_then(parent, at, read))
