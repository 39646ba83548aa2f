"""Plans: which partitions are missing or stale, why, and bringing them up to date.

The state of a partition is Dagster's own staleness, with four additions that Dagster cannot see. Roots of the graph
are compared with the files they were made from. Evidence left incomplete, as without a sandbox, is materialized again,
and so is a table or a release that was removed (`removed.py`). A partition downstream of a failed blocking check waits.
Decisions of other recipes that become stale by this are refreshed last (`others.py`).
"""

import re
from collections.abc import Callable, Container, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING

import dagster as dg

from am_assets.config.alike import alike
from am_assets.config.files import ConfigError
from am_assets.orchestration.dagster_internals import BaseAssetGraph
from am_assets.planning.execution import run
from am_assets.planning.others import NeedsOfOthers, Others
from am_assets.planning.reasons import Reasons, Root
from am_assets.planning.records import CheckState, Records
from am_assets.planning.removed import removed
from am_assets.planning.staleness import Partition, Staleness
from am_assets.planning.steps import Event, Outcome, Step
from am_assets.storage.stored import StoredTables

if TYPE_CHECKING:
    from am_assets.planning.elsewhere import Elsewhere

NEW = "it was never materialized"
SHOWN = 3  # causes listed for a step that follows
# A word of a selection that is no operator, no attribute or its value (`group:"pool"`) and no function (`roots(...)`).
BARE_NAME = re.compile(r'(?<![\w:"])(?!(?:and|or|not)\b)([a-z]\w*)(?![\w:"(])')


class Plan:
    """The partitions of a selection of assets that are in scope, in topological order, with their state.

    plan = Plan(build_definitions(project()), instance, roots(project()), scope(project(), ["demo"]))
    plan.steps()  # what an apply would do
    """

    def __init__(
        self,
        definitions: dg.Definitions,
        instance: dg.DagsterInstance,
        roots: dict[str, Root],
        in_scope: Callable[[str, str], bool],
        select: str | None = None,
        others: NeedsOfOthers = lambda asset, partition: None,
    ):
        self.definitions = definitions
        self.instance = instance
        self.in_scope = in_scope
        self.graph = definitions.resolve_asset_graph()
        keys = self.graph.toposorted_asset_keys
        chosen = _selected(select, self.graph) if select else set(keys)
        self.keys = [key for key in keys if key in chosen]
        self._chosen = chosen
        self.records = Records(instance)
        self.staleness = Staleness(self.graph, self.records)
        self.reasons = Reasons(self.staleness, roots)
        self.tables: StoredTables = (definitions.resources or {})["tables"]
        self._removed: dict[dg.AssetKey, dict[str, int]] = {}
        self.others = Others(self.staleness, self._is_planned, others)

    def partitions(self, key: dg.AssetKey) -> list[str]:
        """The partitions of an asset that are in scope."""
        name = key.to_user_string()
        return [partition for partition in self.staleness.partitions(key) if self.in_scope(name, partition)]

    def steps(self) -> list[Step]:
        """What an apply would do. A step that `follows` runs only if the content of an upstream partition changes."""
        moving: dict[Partition, Step] = {}
        roots: dict[Partition, list[str]] = {}  # original causes of a step, possibly far upstream
        for key in self.keys:
            self.records.refresh(key)
            for partition in self.partitions(key):
                if step := self._foreseen(key, partition, roots):
                    moving[key, partition] = step
        for key, step in self._of_others(moving, set(), partial(self._foreseen, roots=roots)):
            moving[key, step.partition] = step
        return list(moving.values())

    def _foreseen(self, key: dg.AssetKey, partition: str, roots: dict[Partition, list[str]]) -> Step | None:
        if step := self.own_cause(key, partition):
            roots[key, partition] = [_as_root(step)]
            return step
        found = [
            *dict.fromkeys(
                cause for parent in self.staleness.parents(key, partition) for cause in roots.get(parent, [])
            )
        ]
        if not found:
            return None
        roots[key, partition] = found[: SHOWN + 1]
        more = ["and more"] if len(found) > SHOWN else []
        return self.step(key, partition, "follows", "; ".join(found[:SHOWN] + more))

    def apply(self, tags: Callable[[], dict[str, str]] = dict, elsewhere: "Elsewhere | None" = None) -> Iterator[Event]:
        """Bring everything up to date, one run per partition; yields each step before and its outcome after its run.

        A failed partition stops what is downstream of it and nothing else. `tags` returns the tags of the next run.
        With `elsewhere` a cluster carries out what costs time.
        """
        yield from elsewhere.apply(tags) if elsewhere else self._here(tags)
        made: set[Partition] = set()
        left: set[Partition] = set()
        for key, step in self._of_others(made, left, self.own_cause):
            yield from self.executed(step, key, tags, left)
            made.add((key, step.partition))

    def _here(self, tags: Callable[[], dict[str, str]]) -> Iterator[Step | Outcome]:
        stopped: set[Partition] = set()
        for key in self.keys:
            self.records.refresh(key)
            for partition in self.partitions(key):
                waits_for = self.stopped_parents(stopped, key, partition)
                if waits_for:
                    stopped.add((key, partition))
                    yield Outcome(self.step(key, partition, "waits", f"{waits_for} failed"), "waits")
                elif step := self.own_cause(key, partition):
                    yield from self.executed(step, key, tags, stopped)
            self.records.refresh(key)

    def executed(
        self, step: Step, key: dg.AssetKey, tags: Callable[[], dict[str, str]], stopped: set[Partition]
    ) -> Iterator[Step | Outcome]:
        yield step
        error = self._run(key, step.partition, tags())
        if error:
            stopped.add((key, step.partition))
        yield Outcome(step, "failed" if error else "done", error)

    def _of_others(
        self, moved: Container[Partition], left: set[Partition], step_of: Callable[[dg.AssetKey, str], Step | None]
    ) -> Iterator[tuple[dg.AssetKey, Step]]:
        """Partitions of other recipes to refresh, in topological order. `moved` holds those already refreshed; `left`
        collects those that are not refreshed, and stops what is downstream of them."""
        for key in self.graph.toposorted_asset_keys:
            partitions = self.others.partitions(key)
            if partitions:
                self.records.refresh(key)
            for partition in partitions:
                step = step_of(key, partition)
                stopped = self.stopped_parents(left, key, partition)
                if stopped or (step and not self.others.follow(key, partition, moved)):
                    left.add((key, partition))
                elif step:
                    yield key, step
            if partitions:
                self.records.refresh(key)

    def _is_planned(self, at: Partition) -> bool:
        return at[0] in self._chosen and self.in_scope(at[0].to_user_string(), at[1])

    def step(self, key: dg.AssetKey, partition: str, state, because: str) -> Step:
        return Step(key.to_user_string(), partition, state, because)

    def own_cause(self, key: dg.AssetKey, partition: str) -> Step | None:
        because = self.reasons.of(key, partition)
        if because is None:
            return self.step(key, partition, "missing", NEW)
        if because:
            return self.step(key, partition, "stale", because)
        if self._was_removed(key, partition):
            return self.step(key, partition, "stale", f"what it made was removed from {self.tables.folder}")
        for name, state in self.blocking_checks(key, partition).items():
            if state == "not run":
                return self.step(key, partition, "stale", f"its blocking check {name} came to no end")
        return None

    def _was_removed(self, key: dg.AssetKey, partition: str) -> bool:
        """Whether what was materialized was gone when this plan first looked, and was not made again since."""
        made = self.records.made(key)
        if key not in self._removed:
            self._removed[key] = removed(self.tables, key.to_user_string(), made)
        return self._removed[key].get(partition) == made[partition].storage_id

    def blocking_checks(self, key: dg.AssetKey, partition: str) -> dict[str, CheckState]:
        """How each blocking check of a partition ended on its latest materialization, by the name of the check."""
        return {check.name: self.records.check(check, partition) for check in self._blocking.get(key, [])}

    def stopped_parents(self, stopped: set[Partition], key: dg.AssetKey, partition: str) -> str:
        names = []
        for parent, at in self.staleness.parents(key, partition):
            if (key, parent) in self.optional:
                continue
            if (parent, at) in stopped:
                names.append(f"{parent.to_user_string()}[{at}]")
            for check in self._blocking.get(parent, []):
                if (parent, at) not in stopped and self.records.check(check, at) == "failed":
                    names.append(f"check {check.name} of {parent.to_user_string()}[{at}]")
        return ", ".join(names)

    @cached_property
    def optional(self) -> set[tuple[dg.AssetKey, dg.AssetKey]]:
        """Pairs of child and parent where the child reads the partitions that exist, so that the failure of one recipe
        does not stop it."""
        assets = [asset for asset in self.definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)]
        return {(asset.key, parent) for asset in assets for parent in optional_parents(asset)}

    @cached_property
    def _blocking(self) -> dict[dg.AssetKey, list[dg.AssetCheckKey]]:
        blocking: dict[dg.AssetKey, list[dg.AssetCheckKey]] = {}
        for check in sorted(self.graph.asset_check_keys):
            if self.graph.get(check).blocking:
                blocking.setdefault(check.asset_key, []).append(check)
        return blocking

    def _run(self, key: dg.AssetKey, partition: str, tags: dict[str, str]) -> str:
        return run(self.definitions, self.instance, key, partition, tags)


def optional_parents(asset: dg.AssetsDefinition) -> set[dg.AssetKey]:
    """The inputs of which the asset reads the partitions that exist, without waiting for the others."""
    inputs = asset.keys_by_input_name.items()
    return {parent for name, parent in inputs if asset.node_def.input_def_named(name).metadata.get("skip_missing")}


def _selected(select: str, graph: BaseAssetGraph) -> set[dg.AssetKey]:
    """Assets by the selection syntax of the UI (`group:"pool" or +key:"responses"`); a bare `+name+` means its key.

    `ConfigError` where it can't be read, names an asset that is not there, or selects nothing.
    """
    unknown = [name for name in BARE_NAME.findall(select) if not graph.has(dg.AssetKey(name))]
    if unknown:
        names = [key.to_user_string() for key in graph.get_all_asset_keys()]
        told = ", ".join(name + alike(name, names) for name in unknown)
        raise ConfigError(f"--select {select}: no such asset: {told}")
    try:
        chosen = dg.AssetSelection.from_string(BARE_NAME.sub(r'key:"\1"', select)).resolve(graph)
    except dg.DagsterError:
        example = "write names as in '+sft_dataset', attributes as in 'group:\"pool\"', joined by and, or, not"
        raise ConfigError(f"--select {select}: not an asset selection: {example}") from None
    if not chosen:
        raise ConfigError(f"--select {select}: it selects no asset")
    return set(chosen)


def _as_root(step: Step) -> str:
    return f"{step.asset}[{step.partition}] was never materialized" if step.state == "missing" else step.because
