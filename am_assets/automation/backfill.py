"""The schedule `fill_evidence`: a backfill of missing and stale evidence within the budget.

It is stopped by default, since it spends money. A backfill takes the partitions that can be measured now; what depends
on them (labels → selection → requests → answers → verdicts) is materialized by automation where that is free, and by
the next backfill otherwise.

A tick only decides whether there is anything to fill, since the UI evaluates ticks for previews too. It requests a run
of the job of the same name, which decides again and launches the backfill; schedules can only request runs.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl

from am_assets.automation.schedule import load_schedule, scheduled
from am_assets.orchestration.dagster_internals import (
    AssetGraphSubset,
    AssetKeyPartitionKey,
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
    make_new_backfill_id,
)
from am_assets.orchestration.resources import BUDGET_TAG, RECIPES_TAG
from am_assets.planning.plan import Partition, Plan
from am_assets.planning.scope import roots, scope
from am_assets.project import Live, Project
from am_assets.runtime.wording import counted
from am_assets.storage.memo import Memo

FILL = "fill_evidence"
FILLED_BY = "am/filled_by"  # tag of the backfills and their runs
TO_FILL = "am/to_fill"  # tag of the run that launches a backfill: number of partitions, shown in a preview
UNFINISHED = [dg.DagsterRunStatus[name] for name in ("NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING")]
PAID = {"teacher", "judge"}  # pools of assets that pay for model answers


def fill_evidence(definitions: Callable[[], dg.Definitions], live: Live) -> dg.ScheduleDefinition:
    """The schedule and its job. `definitions` returns the code location it is part of, and is called when it runs."""
    times = load_schedule(live.loaded.data)

    def plan(instance: dg.DagsterInstance) -> Plan:
        recipes = sound(live.now)
        return Plan(definitions(), instance, roots(live.now, recipes), scope(live.now, recipes))

    @dg.op(pool=FILL)  # one at a time: two at once would both find no backfill under way
    def launch_backfill(context: dg.OpExecutionContext) -> None:
        context.log.info(launch(plan(context.instance), live.now))

    @dg.job(name=FILL, description="Launches a backfill of missing and stale evidence, as the schedule has it done.")
    def job() -> None:
        launch_backfill()

    @dg.schedule(
        name=FILL,
        job=job,
        cron_schedule=times.cron,
        execution_timezone=times.timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Fills missing and stale evidence of the recipes that data/schedule.yaml names, within its budget.",
    )
    def fill(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Without side effects, since previews evaluate it."""
        if unfinished := context.instance.get_runs(dg.RunsFilter(job_name=FILL, statuses=UNFINISHED), limit=1):
            return dg.SkipReason(f"run {unfinished[0].run_id}, which launches a backfill, is still under way")
        wanted = due(plan(context.instance), live.now)
        if isinstance(wanted, str):
            return dg.SkipReason(wanted)
        return dg.RunRequest(tags={TO_FILL: f"{counted(len(wanted), 'partition')}"})

    return fill


def is_evidence(asset: dg.AssetsDefinition) -> bool:
    return "evidence" in asset.specs_by_key[asset.key].kinds


def sound(here: Project) -> list[str]:
    """The scheduled recipes that load; a broken one does not stop the others."""
    return [name for name in scheduled(here) if name in here.recipes]


def due(plan: Plan, here: Project) -> list | str:
    """The partitions to fill now, or the reason why there are none."""
    if not sound(here):
        return "\n".join(here.broken[name] for name in scheduled(here)) or "schedule.yaml: recipes: name them"
    under_way = BulkActionsFilter(
        statuses=[BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING], tags={FILLED_BY: FILL}
    )
    if running := plan.instance.get_backfills(filters=under_way, limit=1):
        return f"backfill {running[0].backfill_id} is still under way"
    return to_fill(plan) or "no evidence is missing or stale that could be measured now"


def launch(plan: Plan, here: Project) -> str:
    """Launch a backfill of the partitions to fill, unless one is running; a message about what was done."""
    wanted = due(plan, here)
    if isinstance(wanted, str):
        return wanted
    budget = share(plan, here, wanted)
    backfill = PartitionBackfill.from_asset_graph_subset(
        backfill_id=make_new_backfill_id(),
        backfill_timestamp=time.time(),
        tags={FILLED_BY: FILL, BUDGET_TAG: f"{budget:.6f}", RECIPES_TAG: ",".join(sound(here))},
        dynamic_partitions_store=plan.instance,
        asset_graph_subset=AssetGraphSubset.from_asset_partition_set(set(wanted), plan.graph),
        title="Missing and stale evidence",
        description=f"At most ${budget:.4f} for each partition that asks models.",
        run_config=None,
    )
    plan.instance.add_backfill(backfill)
    return f"backfill {backfill.backfill_id} of {counted(len(wanted), 'partition')}"


def to_fill(plan: Plan) -> list:
    """Missing and stale partitions of evidence of which nothing upstream is about to change, unless it is among them.

    So no teacher is asked for answers that a policy edited a minute ago may no longer want.
    """
    evidence = {key for key in plan.keys if is_evidence(plan.graph.get(key).assets_def)}
    moving: set[Partition] = set()
    taken: set[Partition] = set()
    for step in plan.steps():
        at = (dg.AssetKey(step.asset), step.partition)
        above = moving.intersection(plan.staleness.parents(*at))
        waits = step.state == "follows" or plan.stopped_parents(set(), *at)
        if at[0] in evidence and not waits and above <= taken:
            taken.add(at)
        moving.add(at)
    return [AssetKeyPartitionKey(key, partition) for key, partition in sorted(taken)]


def share(plan: Plan, here: Project, wanted: Sequence) -> float:
    """The budget in dollars of each run that pays models: an equal share of what is left of the budget of 24 hours.

    A budget belongs to a run, and a backfill has many. A run that exhausts its share fails with its answers stored, and
    continues in the next backfill with a share of what is left then.
    """
    asking = [at for at in wanted if PAID & (plan.graph.get(at.asset_key).pools or set())]
    spent = spent_since(Memo(here.memo), datetime.now(UTC) - timedelta(hours=24))
    return max(0.0, load_schedule(here.data).budget_usd - spent) / max(1, len(asking))


def spent_since(memo: Memo, moment: datetime) -> float:
    """Dollars paid for answers stored since `moment`."""
    spent = 0.0
    for namespace in memo.namespaces():
        known = memo.known(namespace)
        if known is not None and {"cost", "stored_at"} <= {*known.collect_schema()}:
            spent += known.filter(pl.col("stored_at") >= moment).select(pl.col("cost").sum()).collect().item()
    return spent
