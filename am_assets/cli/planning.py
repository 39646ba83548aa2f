"""`am plan`: what an apply would do, because of what, and what it would ask of models."""

from dataclasses import asdict

from am_assets.cli import app
from am_assets.cli.opening import AsJson, Every, Recipes, Select, console, named, opened, print_json, told_mistakes


@app.command()
def plan(recipe: Recipes = None, every: Every = False, select: Select = None, as_json: AsJson = False) -> None:
    """Print what an apply would do, because of what, what it would ask of models, and what stands in its way.

    It is about all recipes where none is named."""
    with told_mistakes(), opened(recipes := named(recipe, every or not recipe), select, with_others=True) as found:
        steps = found.steps()
        if not steps and not as_json:
            console.print("Nothing to do: everything is up to date.")
            return

        from am_assets.cli.summary import show_costs, show_problems, show_steps
        from am_assets.planning.preflight import preflight
        from am_assets.project import project

        looked = preflight(project(), steps, recipes)
        if as_json:
            rows = [asdict(step) | {"estimate": _as_dict(looked.estimates.get(step))} for step in steps]
            print_json({"steps": rows, "problems": looked.problems})
            return
        show_steps(console, steps)
        show_costs(console, list(looked.estimates.items()))
        show_problems(console, looked.problems)


def _as_dict(estimate) -> dict | None:
    return asdict(estimate) if estimate else None
