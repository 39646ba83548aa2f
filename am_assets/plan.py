"""What is missing or stale, why, and bringing it up to date.

Thin over Dagster: a partition's state is Dagster's own staleness. Three things it cannot see are added. Roots of the
graph (`ROOTS`) are compared with the files they are read from. Evidence for which there was no sandbox is made again.
And a partition below a failed blocking check waits.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import dagster as dg
from dagster._core.definitions.antlr_asset_selection.antlr_asset_selection import AntlrAssetSelectionParser
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from am_assets.recipe import ConfigError

Partition = tuple[dg.AssetKey, str]
# Says why a partition is to be made again, or nothing. Gets the partition and the latest materialization.
Root = Callable[[str, dg.AssetMaterialization], str | None]


@dataclass(frozen=True)
class Step:
    asset: str
    partition: str
    state: Literal["missing", "stale", "follows", "waits"]
    because: str


@dataclass(frozen=True)
class Outcome:
    step: Step
    result: Literal["done", "failed", "waits"]
    error: str = ""


class Plan:
    """The partitions in question, in topological order, and their state in an instance."""

    def __init__(
        self,
        definitions: dg.Definitions,
        instance: dg.DagsterInstance,
        roots: dict[str, Root],
        in_scope: Callable[[str, str], bool],
        select: str | None = None,
    ):
        self.definitions = definitions
        self.instance = instance
        self.roots = roots
        self.in_scope = in_scope
        self.graph = definitions.resolve_asset_graph()
        keys = self.graph.toposorted_asset_keys
        chosen = _selected(select, self.graph) if select else set(keys)
        self.keys = [key for key in keys if key in chosen]

    def partitions(self, key: dg.AssetKey) -> list[str]:
        definition = self.graph.get(key).partitions_def
        assert definition is not None, f"{key.to_user_string()} has no partitions"
        name = key.to_user_string()
        return [str(partition) for partition in definition.get_partition_keys() if self.in_scope(name, str(partition))]

    def parents(self, key: dg.AssetKey, partition: str) -> Iterator[Partition]:
        for parent in self.graph.get(key).parent_keys:
            mapped = self.graph.get_parent_partition_keys_for_child(partition, parent, key)
            for parent_partition in mapped.partitions_subset.get_partition_keys():
                yield parent, str(parent_partition)

    def steps(self) -> list[Step]:
        """What an apply would do. A step that `follows` runs only if what lies above it comes out different."""
        moving: dict[Partition, Step] = {}
        for key in self.keys:
            for partition in self.partitions(key):
                step = self._own_cause(self._as_found, key, partition) or self._following(moving, key, partition)
                if step:
                    moving[key, partition] = step
        return list(moving.values())

    def apply(self, tags: Callable[[], dict[str, str]] = dict) -> Iterator[Step | Outcome]:
        """Bring everything up to date, one run a partition; yields each step before and its outcome after it ran.

        A failed partition stops what is below it and nothing else. `tags` is asked for the tags of each run.
        """
        stopped: set[Partition] = set()
        ran: set[Partition] = set()
        as_found = self._as_found
        del self._as_found  # after a run it tells no next plan
        for key in self.keys:
            since = self._resolver()
            for partition in self.partitions(key):
                waits_for = self.stopped_parents(stopped, key, partition)
                # Staleness looks at direct parents alone: where none of them ran, what was found still holds.
                moved = not ran.isdisjoint(self.parents(key, partition))
                step = self._own_cause(since if moved else as_found, key, partition)
                if waits_for:
                    stopped.add((key, partition))
                    yield Outcome(self._step(key, partition, "waits", f"{waits_for} failed"), "waits")
                elif step:
                    yield step
                    error = self._run(key, partition, tags())
                    ran.add((key, partition))
                    if error:
                        stopped.add((key, partition))
                    yield Outcome(step, "failed" if error else "done", error)

    @cached_property
    def _as_found(self) -> CachingStaleStatusResolver:
        """What the instance said when this plan first asked."""
        return self._resolver()

    def _resolver(self) -> CachingStaleStatusResolver:
        return CachingStaleStatusResolver(self.instance, self.graph, LoadingContextForTest(self.instance))

    def _step(self, key: dg.AssetKey, partition: str, state, because: str) -> Step:
        return Step(key.to_user_string(), partition, state, because)

    def _own_cause(self, resolver: CachingStaleStatusResolver, key: dg.AssetKey, partition: str) -> Step | None:
        status = resolver.get_status(key, partition)
        if status == StaleStatus.MISSING:
            return self._step(key, partition, "missing", "never materialized")
        root = self.roots.get(key.to_user_string())
        if root:
            record = self.instance.get_latest_data_version_record(key, False, partition)
            materialization = record.asset_materialization if record else None
            because = root(partition, materialization) if materialization else None
            if because:
                return self._step(key, partition, "stale", because)
        if status == StaleStatus.STALE:
            causes = [_in_words(cause) for cause in resolver.get_stale_causes(key, partition)]
            return self._step(key, partition, "stale", "; ".join(dict.fromkeys(causes)))
        for check in self._blocking.get(key, []):
            if self._check_state(check, partition) == "not run":
                return self._step(key, partition, "stale", f"its blocking check {check.name} came to no end")
        return None

    def _following(self, moving: dict[Partition, Step], key: dg.AssetKey, partition: str) -> Step | None:
        above = [parent.to_user_string() for parent, at in self.parents(key, partition) if (parent, at) in moving]
        if not above:
            return None
        return self._step(key, partition, "follows", "may change with " + ", ".join(dict.fromkeys(above)))

    def stopped_parents(self, stopped: set[Partition], key: dg.AssetKey, partition: str) -> str:
        names = []
        for parent, at in self.parents(key, partition):
            if (key, parent) in self.optional:
                continue
            if (parent, at) in stopped:
                names.append(f"{parent.to_user_string()}[{at}]")
            for check in self._blocking.get(parent, []):
                if (parent, at) not in stopped and self._check_state(check, at) == "failed":
                    names.append(f"check {check.name} of {parent.to_user_string()}[{at}]")
        return ", ".join(names)

    @cached_property
    def optional(self) -> set[tuple[dg.AssetKey, dg.AssetKey]]:
        """Child and parent where the child takes what partitions there are, so that one recipe's fault is its own."""
        assets = [asset for asset in self.definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)]
        return {(asset.key, parent) for asset in assets for parent in optional_parents(asset)}

    @cached_property
    def _blocking(self) -> dict[dg.AssetKey, list[dg.AssetCheckKey]]:
        blocking: dict[dg.AssetKey, list[dg.AssetCheckKey]] = {}
        for check in self.graph.asset_check_keys:
            if self.graph.get(check).blocking:
                blocking.setdefault(check.asset_key, []).append(check)
        return blocking

    def _check_state(self, check: dg.AssetCheckKey, partition: str) -> Literal["passed", "failed", "not run"]:
        """What a check said of the partition's latest materialization."""
        record = self.instance.get_latest_data_version_record(check.asset_key, False, partition)
        for execution in self.instance.event_log_storage.get_asset_check_execution_history(check, limit=200):
            evaluation = execution.event.asset_check_evaluation if execution.event else None
            if evaluation is None or evaluation.partition != partition:
                continue
            target = evaluation.target_materialization_data
            if record is None or target is None or target.storage_id == record.storage_id:
                return "passed" if evaluation.passed else "failed"
        return "not run"

    def _run(self, key: dg.AssetKey, partition: str, tags: dict[str, str]) -> str:
        """Materialize one partition in this process; the error's words, or nothing."""
        quiet: dict = {"loggers": {"progress": {}}}
        job = self.definitions.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            run_config=quiet,
            instance=self.instance,
            asset_selection=[key],
            partition_key=partition,
            tags=tags,
            raise_on_error=False,
        )
        if result.success:
            return ""
        failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
        return innermost(failures) or f"run {result.run_id} failed; its log in the UI says why"


def optional_parents(asset: dg.AssetsDefinition) -> set[dg.AssetKey]:
    """The inputs of which the asset takes what partitions there are."""
    inputs = asset.keys_by_input_name.items()
    return {parent for name, parent in inputs if asset.node_def.input_def_named(name).metadata.get("skip_missing")}


def _selected(select: str, graph: BaseAssetGraph) -> set[dg.AssetKey]:
    """Assets by the selection syntax of the UI (`group:"pool" or +key:"responses"`); a bare `+name+` means its key."""
    spelled = select if '"' in select else re.sub(r"\b(?!(?:and|or|not)\b)([a-z_]+)\b", r'key:"\1"', select)
    try:
        chosen = AntlrAssetSelectionParser(spelled).asset_selection.resolve(graph)
    except Exception as error:  # the parser raises many kinds
        raise ConfigError(f"--select {select}: {error}") from None
    if not chosen:
        raise ConfigError(f"--select {select}: no such asset")
    return set(chosen)


def innermost(failures: Sequence) -> str:
    words = []
    for error in failures:
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            words.append(error.message.strip())
    return "\n".join(words)


def _in_words(cause) -> str:
    if cause.dependency is None:
        return "its instrument, its code or the list of shards changed" if "code" in cause.reason else cause.reason
    name = cause.dependency.asset_key.to_user_string()
    partition = cause.dependency.partition_key
    return f"{name}[{partition}] changed" if "data version" in cause.reason else f"{cause.reason}: {name}[{partition}]"
