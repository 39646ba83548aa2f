"""`am plan`: what an apply would do and why, and the requests to models it would make."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from am_assets.cli import app
from am_assets.cli.opening import (
    AsJson,
    Every,
    Recipes,
    Select,
    chosen_recipes,
    complain,
    console,
    open_plan,
    opened,
    print_json,
)

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan
    from am_assets.planning.steps import Step
    from am_assets.project import Project


Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="List every partition, and what figures rest on.")]
Detailed = Annotated[
    bool, typer.Option("--detailed-exitcode", help="End with 0 if there is nothing to do, 1 on an error, else 2.")
]
CHANGES = 2  # exit code, with --detailed-exitcode
UP_TO_DATE = "Nothing to do: everything is up to date."


@app.command()
def plan(
    recipe: Recipes = None,
    every: Every = False,
    select: Select = None,
    verbose: Verbose = False,
    detailed: Detailed = False,
    as_json: AsJson = False,
) -> None:
    """Print what an apply would do, because of what, what it would ask of models, and what stands in its way.

    It is about all recipes where none is named; those that were never applied are one line then."""
    try:
        with opened() as here:
            recipes = chosen_recipes(here, recipe, every or not recipe)
            with open_plan(here, recipes, select, with_others=True) as found:
                steps, problems = show_plan(here, found, recipes, as_json, verbose, named=bool(recipe))
    except SystemExit as error:
        raise (typer.Exit(1) if detailed and error.code else error) from None
    if detailed and steps:
        raise typer.Exit(1 if problems else CHANGES)


def show_plan(
    here: "Project",
    found: "Plan",
    recipes: list[str],
    as_json: bool,
    verbose: bool = False,
    named: bool = False,
    **beside: Any,
) -> tuple[list["Step"], list[str]]:
    """Print a plan for `recipes`, as JSON with `beside`; its steps and what stands in their way."""
    from am_assets.cli.show_plan import show_costs, show_outline, show_steps
    from am_assets.planning.outline import outline
    from am_assets.planning.preflight import preflight
    from am_assets.planning.timing import expected_seconds

    steps = found.steps()
    if not steps and not as_json:
        console.print(UP_TO_DATE)
        return [], []
    checked = preflight(here, steps, recipes)
    seconds = expected_seconds(found, here, steps, checked.estimates)
    drawn = outline(found, steps, checked.estimates, seconds, named or verbose)
    if as_json:
        rows = [
            asdict(step) | {"estimate": _as_dict(checked.estimates.get(step)), "seconds": seconds.get(step)}
            for step in steps
        ]
        print_json({**beside, "summary": asdict(drawn), "steps": rows, "problems": checked.problems})
        return steps, checked.problems
    show_outline(drawn)
    if verbose:
        show_steps(steps)
    if verbose or drawn.most_requests:
        show_costs(list(checked.estimates.items()), with_basis=verbose)
    for problem in checked.problems:
        complain(f"In the way: {problem}")
    return steps, checked.problems


def _as_dict(estimate) -> dict | None:
    return asdict(estimate) if estimate else None
