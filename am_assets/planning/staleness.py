"""Whether what is stored of a partition still holds: Dagster's own answer, out of records that are read in bulk.

A test holds it against Dagster's. It looks at direct parents alone: a partition goes stale when its code or a parent
changed, and what lies below it when it was made again and came out different.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import dagster as dg

from am_assets.orchestration.dagster_internals import BaseAssetGraph
from am_assets.planning.records import Records

Partition = tuple[dg.AssetKey, str]
# Dagster tells nothing of an edge with as many partitions above it. No project has them: see `project.py`.
TOO_MANY = 100


@dataclass(frozen=True)
class Cause:
    """Why a partition is stale: its code changed, the data of a parent's partitions did, or it has other parents."""

    changed: Literal["code", "data", "parents"]
    parent: dg.AssetKey | None = None
    partitions: tuple[str, ...] = ()


class Staleness:
    def __init__(self, graph: BaseAssetGraph, records: Records):
        self.graph = graph
        self.records = records
        self._above: dict[Partition, dict[dg.AssetKey, list[str]]] = {}

    def above(self, key: dg.AssetKey, partition: str) -> dict[dg.AssetKey, list[str]]:
        """What a partition reads, by asset in alphabetical order."""
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
        """Why the partition is stale; empty where it is not, None where it was never made."""
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
            if len(partitions) >= TOO_MANY:
                continue
            if parent not in made.read:
                yield Cause("parents", parent, tuple(partitions))
            elif changed := self._changed_since(parent, partitions, made.read[parent]):
                yield Cause("data", parent, changed)

    def _changed_since(self, parent: dg.AssetKey, partitions: list[str], read: int | None) -> tuple[str, ...]:
        """Those that were made after `read`, the parent's latest event at that time, and came out different.

        Where there was none (`read` is None) all that are there now came since. Dagster's own answer is "unchanged":
        a report made before its scores would stay without them."""
        made = self.records.made(parent)
        if read is None:
            return tuple(at for at in partitions if at in made)
        newer = [at for at in partitions if at in made and made[at].storage_id > read]
        return tuple(at for at in newer if made[at].version != self.records.version_then(parent, at, read))
