"""The job `apply_recipe`: what `am apply` does, in order and with early cut-off, launched from the UI.

One run carries out the plan as the command does: each partition in a run of its own, in the process of the job's run,
so that all share one budget and terminating the job ends what is under way.
"""

import time
from collections.abc import Callable, Iterator

import dagster as dg
from pydantic import Field

from am_assets.config.files import ConfigError
from am_assets.orchestration.resources import run_tags
from am_assets.planning.consent import most_dollars, unnamed
from am_assets.planning.elsewhere import elsewhere
from am_assets.planning.plan import Plan
from am_assets.planning.preflight import preflight
from am_assets.planning.scope import others, roots, scope
from am_assets.planning.steps import Event, Lost, Placed, Step
from am_assets.project import Live, Project, load_project
from am_assets.runtime.interrupts import ending_within
from am_assets.runtime.wording import counted, lasting

APPLY = "apply_recipe"
APPLIED_BY = "am/applied_by"  # tag of the runs of a job: the id of the job's run
STOP_SECONDS = 5.0  # that a run has, once it is terminated, to wait for answers in flight and to cancel its partition


class Wanted(dg.Config):
    recipe: str = Field(description="The recipe to bring up to date.")
    selection: str = Field(default="", description='Assets, as in "+sft_dataset"; all without.')
    budget: float | None = Field(
        default=None, ge=0, description="Dollars it may spend on models. Without it nothing that costs is begun."
    )


def apply_recipe(definitions: Callable[[Project], dg.Definitions], live: Live) -> dg.JobDefinition:
    """`definitions` builds those of the project as its files are when the job runs, all experiments among them."""

    @dg.op(pool=APPLY)  # one at a time: two at once would make the same partitions
    def apply(context: dg.OpExecutionContext, config: Wanted) -> None:
        context.instance.add_run_tags(context.run_id, {"recipe": config.recipe})
        here = load_project(live.loaded.data, live.loaded.sources_file)
        try:
            with ending_within(STOP_SECONDS, at_last=lambda: _cancel(context.instance, context.run_id)):
                _carry_out(context, here, definitions(here), config)
        except ConfigError as error:
            raise dg.Failure(str(error), allow_retries=False) from None

    @dg.job(name=APPLY, description="Brings a recipe up to date, as `am apply` does: only what is missing or stale.")
    def job() -> None:
        apply()

    return job


def _cancel(instance: dg.DagsterInstance, run_id: str) -> None:
    """Where answers in flight take too long to wait for: what is left open would be taken for lost, and run again."""
    for run in [*instance.get_runs(dg.RunsFilter(tags={APPLIED_BY: run_id})), instance.get_run_by_id(run_id)]:
        if run and not run.is_finished:
            instance.report_run_canceled(run)


def _carry_out(context: dg.OpExecutionContext, here: Project, definitions: dg.Definitions, config: Wanted) -> None:
    here.recipe(config.recipe)
    names = [config.recipe]
    needed, beside = scope(here, names), others(here, names)
    plan = Plan(definitions, context.instance, roots(here, names), needed, config.selection or None, beside)
    steps = plan.steps()
    checked = preflight(here, steps, names)
    checked.refuse()
    paid = [estimate for estimate in checked.estimates.values() if estimate.most != 0]
    if paid and config.budget is None:
        raise unnamed(most_dollars(paid), "budget:")
    tags = run_tags(here, config.budget or 0.0, names, APPLY)
    failed, there = 0, elsewhere(plan, here)
    try:
        for line, went_well in _lines(steps, plan.apply(lambda: tags() | {APPLIED_BY: context.run_id}, there)):
            failed += not went_well
            (context.log.info if went_well else context.log.error)(line)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
        if there:
            there.end(STOP_SECONDS / 2)
        raise
    except Exception:
        if there and there.under_way:
            context.log.error(there.left())
        raise
    if failed:
        raise dg.Failure(f"{counted(failed, 'partition')} failed or had to wait, see the log", allow_retries=False)
    context.log.info("All is up to date.")


def _lines(steps: list[Step], events: Iterator[Event]) -> Iterator[tuple[str, bool]]:
    """What is said of each event, and whether all is well."""
    places = {(step.asset, step.partition): place for place, step in enumerate(steps, start=1)}
    place, began = 0, {}
    for event in events:
        step = event if isinstance(event, Step) else event.step
        place = places.get((step.asset, step.partition), place)
        line = f"[{place}/{len(steps)}] {step.asset}[{step.partition}]: "
        if isinstance(event, Step):
            began[step] = time.monotonic()
            yield line + step.because, True
        elif isinstance(event, Placed):
            yield line + f"on {event.host}", True
        elif isinstance(event, Lost):
            yield line + f"{event.why}: it is submitted again", True
        elif event.result == "waits":
            yield line + f"waits: {step.because}", False
        else:
            ended = f"{event.result} in {lasting(time.monotonic() - began[step])}"
            yield line + ended + (f": {event.error}" if event.error else ""), event.result == "done"
