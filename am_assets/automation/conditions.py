"""The automation condition of decisions and free evidence.

An asset without a `pool` uses no teacher, judge, sandbox or GPU, so automation may run it. Assets with a pool are only
started by the schedule (`backfill.py`) or a person. Roots of the graph have no condition: they depend on files, which
the sensor in `files.py` watches.
"""

from collections.abc import Sequence

import dagster as dg

from am_assets.distillation.prompts import unasked
from am_assets.planning.plan import optional_parents
from am_assets.planning.records import Records
from am_assets.planning.scope import recipe_of, scope
from am_assets.planning.staleness import Staleness
from am_assets.project import Live, Project

CHANGED = dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()).with_label(
    "what it reads came out different"
)


class OutOfDate(dg.AutomationCondition[dg.AssetKey]):
    """Missing or stale by the rules of `am plan`, with every partition it needs materialized.

    Without it, partitions that `am apply`, a backfill or a person has just materialized would run once more, since the
    upstream change was seen as well. It queries the records of every upstream table, so it comes last in a condition,
    where few candidates are left. As custom code it is evaluated in the code location and not in the daemon.
    """

    def __init__(self, live: Live):
        self.live = live

    @property
    def name(self) -> str:
        return "out_of_date"

    async def evaluate(  # type: ignore[override]  # as Dagster's own conditions do
        self, context: dg.AutomationContext
    ) -> dg.AutomationResult:
        view = context.asset_graph_view
        staleness = Staleness(view.asset_graph, Records(view.instance))
        outdated = [
            partition
            for partition in context.candidate_subset.expensively_compute_partition_keys()
            if staleness.causes(context.key, partition) != []
        ]
        here = self.live.now
        ready = {at for at in outdated if await _is_complete(here, view, staleness, context.key, at)}
        return dg.AutomationResult(context, context.candidate_subset.compute_intersection_with_partition_keys(ready))


async def _is_complete(here: Project, view, staleness: Staleness, key: dg.AssetKey, partition: str) -> bool:
    """Whether the upstream partitions that its recipe needs are materialized; of an optional input of a shared
    partition one is enough, and one that was missing last time too (the scores of a report) may still be. What no
    recipe has to itself also waits for what the schedule makes anew: overlap has no vectors of new questions before.

    A partition that no recipe needs, such as scores on a benchmark that its recipe does not name, is never complete.
    """
    recipe = recipe_of(key.to_user_string(), str(partition))
    if recipe and recipe not in here.recipes:  # removed, and the code location not reloaded yet
        return False
    needs = scope(here, [recipe] if recipe else None)
    if not needs(key.to_user_string(), partition):
        return False
    optional = optional_parents(view.asset_graph.get(key).assets_def)
    records = staleness.records
    last = records.made(key).get(str(partition))
    for parent in view.asset_graph.get(key).parent_keys:
        above = view.asset_graph.get_parent_partition_keys_for_child(partition, parent, key).partitions_subset
        needed = {name for name in above.get_partition_keys() if needs(parent.to_user_string(), name)}
        missing = await view.compute_missing_subset(key=parent, from_subset=view.get_full_subset(key=parent))
        gone = needed & missing.expensively_compute_partition_keys()
        missing_before = last is not None and parent in optional and last.read.get(parent) is None
        if gone and not missing_before and (recipe or parent not in optional or gone == needed):
            return False
        by_schedule = view.asset_graph.get(parent).automation_condition is None
        if by_schedule and not recipe and any(staleness.causes(parent, name) for name in needed):
            return False
        if recipe and parent == dg.AssetKey("responses"):
            made = records.made(parent)
            if any(unasked(made[name].metadata, [recipe]) for name in needed & made.keys()):
                return False
    return True


def follows_condition(live: Live) -> dg.AutomationCondition:
    """Request a partition when upstream data changed, its code changed or it became missing, since its last request.

    Early cut-off: Dagster's `eager` runs downstream assets whenever an upstream one has *run*; here a run that yields
    the same rows ends the propagation. A level is requested when the one above it has finished, so a change moves down
    one level per tick.

    Hazard: a change during a run of the partition, or between its request and the next tick, would be lost if any
    update, or the request alone, cleared the condition. So only a request without a newer change does. In return a
    partition that was materialized otherwise stays a candidate; `OutOfDate` then holds it back. A decision does not
    wait for an upstream decision that is stale itself: that one may wait for tonight's labels, while an edit below it
    should show today. The cost is one more cheap run: the released dataset, whose card says all settings of a recipe,
    runs once for each level that moves.
    A failed run is not requested again until something changes, since the same data would fail again.
    """
    return (
        (CHANGED | dg.AutomationCondition.code_version_changed() | dg.AutomationCondition.newly_missing()).since(
            dg.AutomationCondition.newly_requested() & ~CHANGED
        )
        & ~dg.AutomationCondition.in_progress()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & dg.AutomationCondition.all_deps_blocking_checks_passed()
        & OutOfDate(live)
    ).with_label("follows")


def with_conditions(assets: Sequence[dg.AssetsDefinition], live: Live) -> list[dg.AssetsDefinition]:
    """`assets`, with the condition attached to those that automation may run."""
    condition = follows_condition(live)
    return [_with_condition(asset, condition) if follows(asset) else asset for asset in assets]


def follows(asset: dg.AssetsDefinition) -> bool:
    """Whether automation may run the asset: it has no pool and is no root."""
    return not asset.op.pool and not is_root(asset)


def is_root(asset: dg.AssetsDefinition) -> bool:
    """Whether the asset is made from files alone."""
    return not asset.specs_by_key[asset.key].deps


def _with_condition(asset: dg.AssetsDefinition, condition: dg.AutomationCondition) -> dg.AssetsDefinition:
    """With checks of optional inputs ignored: the failed check of one recipe must not hold up all others."""
    if optional := optional_parents(asset):
        checks = dg.AutomationCondition.all_deps_blocking_checks_passed()
        condition = condition.replace(checks, checks.ignore(dg.AssetSelection.assets(*optional)))
    return asset.map_asset_specs(lambda spec: spec.replace_attributes(automation_condition=condition))
