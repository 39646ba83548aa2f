"""The schedule that fills evidence: a backfill of what is missing or stale, within the budget.

Switched off until somebody starts it, since it spends. It takes what can be measured now; what that makes possible
(labels → selection → requests → answers → verdicts) follows by itself where it is free, and is filled at the next time.

A tick only says whether there is anything to fill, since the UI evaluates one for a preview too. It requests a run of
the job of the same name, which looks again and launches the backfill; the scheduler itself knows runs only.
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
from am_assets.storage.memo import Memo

FILL = "fill_evidence"
FILLED_BY = "am/filled_by"  # tag of its backfills and their runs
TO_FILL = "am/to_fill"  # tag of the run that launches one, seen in a preview too
UNFINISHED = [dg.DagsterRunStatus[name] for name in ("NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING")]
PAID = {"teacher", "judge"}  # pools of what asks models for money


def fill_evidence(definitions: Callable[[], dg.Definitions], live: Live) -> dg.ScheduleDefinition:
    """The schedule, with its job, over the definitions that it is part of, which are asked for when it runs."""
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
        """Changes nothing: this is what a preview evaluates."""
        if unfinished := context.instance.get_runs(dg.RunsFilter(job_name=FILL, statuses=UNFINISHED), limit=1):
            return dg.SkipReason(f"run {unfinished[0].run_id}, which launches a backfill, is still under way")
        wanted = due(plan(context.instance), live.now)
        if isinstance(wanted, str):
            return dg.SkipReason(wanted)
        return dg.RunRequest(tags={TO_FILL: f"{len(wanted)} partitions"})

    return fill


def is_evidence(asset: dg.AssetsDefinition) -> bool:
    return "evidence" in asset.specs_by_key[asset.key].kinds


def sound(here: Project) -> list[str]:
    """The recipes that evidence can be filled for: a broken one holds up no other."""
    return [name for name in scheduled(here) if name in here.recipes]


def due(plan: Plan, here: Project) -> list | str:
    """What is to be filled now, or why nothing is."""
    if not sound(here):
        return "\n".join(here.broken[name] for name in scheduled(here)) or "schedule.yaml: recipes: name them"
    under_way = BulkActionsFilter(
        statuses=[BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING], tags={FILLED_BY: FILL}
    )
    if running := plan.instance.get_backfills(filters=under_way, limit=1):
        return f"backfill {running[0].backfill_id} is still under way"
    return to_fill(plan) or "no evidence is missing or stale that could be measured now"


def launch(plan: Plan, here: Project) -> str:
    """Starts a backfill of what can be filled, unless one is under way; says what it did."""
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
    return f"backfill {backfill.backfill_id} of {len(wanted)} partitions"


def to_fill(plan: Plan) -> list:
    """Missing and stale partitions of evidence; nothing above them is about to change, unless it is among them.

    So no teacher is asked for what a policy edited a minute ago may no longer want.
    """
    evidence = {key for key in plan.keys if is_evidence(plan.graph.get(key).assets_def)}
    moving: set[Partition] = set()
    taken: set[Partition] = set()
    for step in plan.steps():
        at = (dg.AssetKey(step.asset), step.partition)
        above = moving.intersection(plan.parents(*at))
        waits = step.state == "follows" or plan.stopped_parents(set(), *at)
        if at[0] in evidence and not waits and above <= taken:
            taken.add(at)
        moving.add(at)
    return [AssetKeyPartitionKey(key, partition) for key, partition in sorted(taken)]


def share(plan: Plan, here: Project, wanted: Sequence) -> float:
    """Dollars that each partition may spend which asks models: an equal part of what is left of the 24 hours' budget.

    A budget is a run's and a backfill is many, so it is divided. A partition that reaches its part fails with all its
    answers stored, and goes on at the next time with a part of what is left then.
    """
    asking = [at for at in wanted if PAID & (plan.graph.get(at.asset_key).pools or set())]
    spent = spent_since(Memo(here.memo), datetime.now(UTC) - timedelta(hours=24))
    return max(0.0, load_schedule(here.data).budget_usd - spent) / max(1, len(asking))


def spent_since(memo: Memo, moment: datetime) -> float:
    """Dollars that models were paid, by the answers stored since then."""
    spent = 0.0
    for namespace in memo.namespaces():
        known = memo.known(namespace)
        if known is not None and {"cost", "stored_at"} <= {*known.collect_schema()}:
            spent += known.filter(pl.col("stored_at") >= moment).select(pl.col("cost").sum()).collect().item()
    return spent
