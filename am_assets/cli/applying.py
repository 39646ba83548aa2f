"""`am apply`: the graph brought up to date, seen while it happens, and left tidy when it is interrupted."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, Recipes, Select, console, opened, print_json

INTERRUPTED = 130  # what a shell says of a command that ctrl-C ended
Dollars = Annotated[float | None, typer.Option("--budget", "-b", min=0, help="Dollars it may spend on models.")]


@app.command()
def apply(recipe: Recipes = None, select: Select = None, budget: Dollars = None, as_json: AsJson = False) -> None:
    """Bring the graph up to date: one run a partition, only what is missing or stale; after ctrl-C the next goes on."""
    with opened(recipe, select, with_others=True) as found:
        from am_assets.cli.board import watched
        from am_assets.plan import Outcome, Step
        from am_assets.project import project
        from am_assets.resources import budget_tags
        from am_assets.summary import show, show_interrupted

        outcomes: list[Outcome] = []
        under_way: Step | None = None
        interrupted = False
        try:
            with watched(console, found.steps(), quiet=as_json) as board:
                for event in found.apply(budget_tags(budget)):
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
            show(console, found, outcomes, recipe or list(project().recipes), project().assets)
    if interrupted:
        sys.exit(INTERRUPTED)
    if any(outcome.result != "done" for outcome in outcomes):
        sys.exit(1)
