"""`am apply`: bring the graph up to date, with progress, and with canceled runs after an interrupt."""

from dataclasses import asdict
from typing import Annotated

import typer

from am_assets.cli import app
from am_assets.cli.consent import confirmed_budget
from am_assets.cli.opening import (
    AsJson,
    Every,
    Recipes,
    Select,
    chosen_recipes,
    console,
    exit_on_config_error,
    open_plan,
    print_json,
)

INTERRUPTED = 130  # exit code after ctrl-C, as shells have it
Dollars = Annotated[
    float | None,
    typer.Option("--budget", "-b", min=0, envvar="AM_BUDGET_USD", help="Dollars it may spend on models, unasked."),
]


@app.command()
def apply(
    recipe: Recipes = None,
    every: Every = False,
    select: Select = None,
    budget: Dollars = None,
    as_json: AsJson = False,
) -> None:
    """Bring recipes up to date: one run a partition, only what is missing or stale; after ctrl-C the next goes on.

    What models would cost is shown and has to be confirmed, or named beforehand by --budget."""
    with exit_on_config_error(), open_plan(names := chosen_recipes(recipe, every), select, with_others=True) as found:
        from am_assets.cli.board import show_progress
        from am_assets.cli.summary import show, show_interrupted
        from am_assets.orchestration.resources import run_tags
        from am_assets.planning.plan import Outcome, Step
        from am_assets.planning.preflight import preflight
        from am_assets.project import project

        steps = found.steps()
        checked = preflight(project(), steps, names)
        checked.refuse()
        if budget is None:
            budget = confirmed_budget(checked.estimates, can_ask=not as_json)
        outcomes: list[Outcome] = []
        under_way: Step | None = None
        interrupted = False
        try:
            with show_progress(console, steps, quiet=as_json) as board:
                for event in found.apply(run_tags(budget, names)):
                    if isinstance(event, Step):
                        under_way = event
                        board.start(event)
                    else:
                        under_way = None
                        outcomes.append(event)
                        board.finish(event)
        except KeyboardInterrupt:
            interrupted = True
        if as_json:
            rows = [asdict(one.step) | {"result": one.result, "error": one.error} for one in outcomes]
            print_json({"outcomes": rows, "interrupted": asdict(under_way) if under_way else interrupted})
        elif interrupted:
            show_interrupted(console, outcomes, under_way)
        else:
            show(console, found, outcomes, names, project().assets)
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if any(outcome.result != "done" for outcome in outcomes):
        raise typer.Exit(1)
