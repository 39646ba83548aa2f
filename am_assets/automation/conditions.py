"""What follows by itself, and when.

Decisions do, and evidence that is free: an asset that names no `pool` takes no teacher, judge, sandbox or GPU. What
names one is never started by a condition; the schedule (`backfill.py`) or a person does that. Roots of the graph have
no condition either: what they follow are files (`files.py`).
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
    """Missing or stale, as `am plan` has it, and everything it needs is there.

    Without it whatever `am apply`, a backfill or a person has just brought up to date would run once more, since the
    change above it was seen as well. It asks the instance of every table above, so it comes last in a condition, where
    few partitions are left. Being our own, it is evaluated in the code location and not in the daemon.
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
        records, here = staleness.records, self.live.now
        ready = {at for at in outdated if await _is_complete(here, view, records, context.key, at)}
        return dg.AutomationResult(context, context.candidate_subset.compute_intersection_with_partition_keys(ready))


async def _is_complete(here: Project, view, records: Records, key: dg.AssetKey, partition: str) -> bool:
    """Whether the partitions above it are there that its recipe needs; of optional ones a shard is content with any.

    What no recipe needs, such as the scores of a benchmark that its recipe does not name, is never complete."""
    recipe = recipe_of(key.to_user_string(), str(partition))
    if recipe and recipe not in here.recipes:  # removed, and the code location not loaded anew yet
        return False
    needs = scope(here, [recipe] if recipe else None)
    if not needs(key.to_user_string(), partition):
        return False
    optional = optional_parents(view.asset_graph.get(key).assets_def)
    for parent in view.asset_graph.get(key).parent_keys:
        above = view.asset_graph.get_parent_partition_keys_for_child(partition, parent, key).partitions_subset
        needed = {name for name in above.get_partition_keys() if needs(parent.to_user_string(), name)}
        missing = await view.compute_missing_subset(key=parent, from_subset=view.get_full_subset(key=parent))
        gone = needed & missing.expensively_compute_partition_keys()
        if gone and (recipe or parent not in optional or gone == needed):
            return False
        if recipe and parent == dg.AssetKey("responses"):
            made = records.made(parent)
            if any(unasked(made[name].metadata, [recipe]) for name in needed & made.keys()):
                return False
    return True


def follows_condition(live: Live) -> dg.AutomationCondition:
    """Run when something above came out different, the code changed or it became missing, each since it was last asked
    for.

    Early cut-off: Dagster's `eager` runs what is below whenever something above has *run*; here a run that gives the
    same rows ends there. Each level is asked for when the one above it is done, so a change takes one tick a level.

    Hazard: a change that comes while the partition is running, or between being asked for and the next tick, would be
    forgotten if any update, or the request alone, counted as its answer. So only a request does, and not one that a
    change followed. The trade is a partition that stays under watch after it was made otherwise; `OutOfDate` then holds
    it back. A decision does not wait for one above it that is out of date itself: that may be waiting for the night's
    labels, and an edit below it is to be seen today. The price is a run more, of what is cheap.
    A run that fails is not asked for again until something changes: wrong data does not get better by repeating.
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
    """The assets, each that follows by itself with its condition."""
    condition = follows_condition(live)
    return [_with_condition(asset, condition) if follows(asset) else asset for asset in assets]


def follows(asset: dg.AssetsDefinition) -> bool:
    return not asset.op.pool and not is_root(asset)


def is_root(asset: dg.AssetsDefinition) -> bool:
    """Made from files alone."""
    return not asset.specs_by_key[asset.key].deps


def _with_condition(asset: dg.AssetsDefinition, condition: dg.AutomationCondition) -> dg.AssetsDefinition:
    """A failed check of one optional input (an empty selection of one recipe) must not hold up all others."""
    if optional := optional_parents(asset):
        checks = dg.AutomationCondition.all_deps_blocking_checks_passed()
        condition = condition.replace(checks, checks.ignore(dg.AssetSelection.assets(*optional)))
    return asset.map_asset_specs(lambda spec: spec.replace_attributes(automation_condition=condition))
