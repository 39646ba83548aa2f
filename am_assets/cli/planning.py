"""`am plan`: what an apply would do, because of what, and what it would ask of models."""

from dataclasses import asdict

from am_assets.cli import app
from am_assets.cli.opening import AsJson, Recipes, Select, console, opened, print_json


@app.command()
def plan(recipe: Recipes = None, select: Select = None, as_json: AsJson = False) -> None:
    """Print what an apply would do, because of what, and what it would ask of models, without doing it."""
    with opened(recipe, select, with_others=True) as found:
        steps = found.steps()
        if not steps and not as_json:
            console.print("Nothing to do: everything is up to date.")
            return

        from am_assets.costs import Costs
        from am_assets.project import project
        from am_assets.stored import StoredTables
        from am_assets.summary import show_costs, show_steps

        here = project()
        recipes = [here.recipes[name] for name in recipe or here.recipes]
        costs = Costs(here, StoredTables(here.assets), steps, recipes)
        estimates = {step: estimate for step in steps if (estimate := costs.of(step))}
        if as_json:
            rows = [asdict(step) | {"estimate": _as_dict(estimates.get(step))} for step in steps]
            print_json({"steps": rows})
            return
        show_steps(console, steps)
        show_costs(console, list(estimates.items()))


def _as_dict(estimate) -> dict | None:
    return asdict(estimate) if estimate else None
