"""Decisions of other recipes that an apply refreshes beside the ones that it was asked for.

Recipes share evidence. New rows for one recipe make decisions of the others stale, though their own rows are the same.
Such a decision is refreshed at once: that is free, and as its content does not change, what was trained on it stays
fresh. Changes of another recipe itself, and what it never materialized, are left to an apply of that recipe.
"""

from collections.abc import Callable, Container
from functools import cached_property

import dagster as dg

from am_assets.planning.staleness import Partition, Staleness

InScope = Callable[[str, str], bool]
# For a partition that only one other recipe uses, the scope of that recipe; None for every other partition.
NeedsOfOthers = Callable[[str, str], InScope | None]


class Others:
    """`planned` is a predicate: whether this apply covers a partition itself."""

    def __init__(self, staleness: Staleness, planned: Callable[[Partition], bool], needs: NeedsOfOthers):
        self.staleness = staleness
        self.graph = staleness.graph
        self.planned = planned
        self.needs = needs

    def partitions(self, key: dg.AssetKey) -> list[str]:
        return [at for at in self.staleness.partitions(key) if self.needs(key.to_user_string(), at)]

    def follow(self, key: dg.AssetKey, partition: str, moved: Container[Partition]) -> bool:
        """Whether a stale partition of another recipe, or one that would become stale, is to be refreshed. `moved` are
        the partitions of other recipes that are.

        Refreshed is only what is free, was materialized before, and is stale because of planned partitions alone. A
        partition that planned ones read is excluded, as its content could change and cause further requests, unless it
        is stale because of what its recipe does not need.
        """
        causes = self.staleness.causes(key, partition)
        if causes is None or any(cause.changed != "data" for cause in causes) or self.graph.get(key).pools:
            return False
        changed = {(cause.parent, at) for cause in causes for at in cause.partitions if cause.parent}
        changed |= {parent for parent in self.staleness.parents(key, partition) if parent in moved}
        if not changed or not all(parent in moved or self.planned(parent) for parent in changed):
            return False
        needs = self.needs(key.to_user_string(), partition)
        needed = [parent for parent in changed if needs and needs(parent[0].to_user_string(), parent[1])]
        return not needed or (key, partition) not in self._read_by_planned

    @cached_property
    def _read_by_planned(self) -> set[Partition]:
        """All ancestors of the planned partitions."""
        found: set[Partition] = set()
        for key in reversed(self.graph.toposorted_asset_keys):
            for partition in self.staleness.partitions(key):
                if (key, partition) in found or self.planned((key, partition)):
                    found.update(self.staleness.parents(key, partition))
        return found
