"""`am plan`: what an apply would do and why, and the requests to models it would make."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from am_assets.cli import app
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

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan


@app.command()
def plan(recipe: Recipes = None, every: Every = False, select: Select = None, as_json: AsJson = False) -> None:
    """Print what an apply would do, because of what, what it would ask of models, and what stands in its way.

    It is about all recipes where none is named."""
    with (
        exit_on_config_error(),
        open_plan(recipes := chosen_recipes(recipe, every or not recipe), select, with_others=True) as found,
    ):
        show_plan(found, recipes, as_json)


def show_plan(found: "Plan", recipes: list[str], as_json: bool, **beside: Any) -> None:
    """Print a plan for `recipes`; as JSON with `beside`."""
    from am_assets.cli.summary import show_costs, show_problems, show_steps
    from am_assets.planning.preflight import preflight
    from am_assets.project import project

    steps = found.steps()
    if not steps and not as_json:
        console.print("Nothing to do: everything is up to date.")
        return
    checked = preflight(project(), steps, recipes)
    if as_json:
        rows = [asdict(step) | {"estimate": _as_dict(checked.estimates.get(step))} for step in steps]
        print_json({**beside, "steps": rows, "problems": checked.problems})
        return
    show_steps(console, steps)
    show_costs(console, list(checked.estimates.items()))
    show_problems(console, checked.problems)


def _as_dict(estimate) -> dict | None:
    return asdict(estimate) if estimate else None
