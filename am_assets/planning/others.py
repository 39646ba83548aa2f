"""Which decisions of other recipes an apply makes anew beside those that it was asked for.

Recipes share evidence. What one asks for is added to it, and that puts what the others decided out of date, though
their own rows stay as they are. Such a decision is made anew at once: that is free, and as it comes out the same, what
was trained of it still holds. A change of another recipe's own, and what it never made, is left to whoever asks for it.
"""

from collections.abc import Callable, Container, Iterator
from functools import cached_property

import dagster as dg

from am_assets.planning.staleness import Partition, Staleness

InScope = Callable[[str, str], bool]
# Of a partition that is another recipe's alone what that recipe needs; None for every other partition.
NeedsOfOthers = Callable[[str, str], InScope | None]


class Others:
    """`planned` tells of a partition whether the apply at hand is to bring it up to date itself."""

    def __init__(self, staleness: Staleness, planned: Callable[[Partition], bool], needs: NeedsOfOthers):
        self.staleness = staleness
        self.graph = staleness.graph
        self.planned = planned
        self.needs = needs

    def partitions(self, key: dg.AssetKey) -> list[str]:
        return [at for at in self._all_partitions(key) if self.needs(key.to_user_string(), at)]

    def follow(self, key: dg.AssetKey, partition: str, moved: Container[Partition]) -> bool:
        """Whether a partition of theirs that is out of date, or would be, is to be made anew; `moved` are those of
        theirs that are, too.

        Only what is free, was made before, and is out of date by nothing but what is planned. And nothing that the
        planned partitions read themselves, as it could come out different and have more asked: it does only where it
        is out of date by what its recipe does not need.
        """
        causes = self.staleness.causes(key, partition)
        if causes is None or any(cause.changed != "data" for cause in causes) or self.graph.get(key).pools:
            return False
        changed = {(cause.parent, at) for cause in causes for at in cause.partitions if cause.parent}
        changed |= {parent for parent in self._parents(key, partition) if parent in moved}
        if not changed or not all(parent in moved or self.planned(parent) for parent in changed):
            return False
        needs = self.needs(key.to_user_string(), partition)
        needed = [parent for parent in changed if needs and needs(parent[0].to_user_string(), parent[1])]
        return not needed or (key, partition) not in self._read_by_planned

    @cached_property
    def _read_by_planned(self) -> set[Partition]:
        """What lies above the planned partitions, near or far."""
        found: set[Partition] = set()
        for key in reversed(self.graph.toposorted_asset_keys):
            for partition in self._all_partitions(key):
                if (key, partition) in found or self.planned((key, partition)):
                    found.update(self._parents(key, partition))
        return found

    def _parents(self, key: dg.AssetKey, partition: str) -> Iterator[Partition]:
        return ((parent, at) for parent, every in self.staleness.above(key, partition).items() for at in every)

    def _all_partitions(self, key: dg.AssetKey) -> list[str]:
        definition = self.graph.get(key).partitions_def
        return [str(at) for at in definition.get_partition_keys()] if definition else []
