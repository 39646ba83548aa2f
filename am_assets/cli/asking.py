"""`am preview`, `am explain` and `am diff`: commands that change nothing."""

from typing import Annotated

import typer

from am_assets.cli import app
from am_assets.cli.opening import (
    AsJson,
    Recipes,
    chosen_recipes,
    one_recipe,
    open_plan,
    opened,
    print_json,
)
from am_assets.config.files import ConfigError


@app.command()
def preview(
    recipe: Recipes = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="section.field=value, as in YAML; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a recipe, as its file stands and with other settings, would keep, lose and ask; without doing it."""
    with opened() as here, open_plan(here, [name := one_recipe(here, recipe)], "+verified_set") as found:
        from am_assets.cli.show_preview import show_preview
        from am_assets.planning.preview.whatif import preview as look

        seen = look(found, here, name, changes or [])
        print_json(seen.to_dict()) if as_json else show_preview(seen)


@app.command()
def explain(
    question: Annotated[str, typer.Argument(help="Its id, the beginning of that, or its text.")],
    recipe: Recipes = None,
    as_json: AsJson = False,
) -> None:
    """Print the whole way of one question: what was measured, what was decided, and which line decided.

    What of it is not up to date comes last, as Dagster takes longer to tell that than the tables to be read."""
    with opened() as here:
        from am_assets.cli.show_explanation import show_explanation, show_outdated
        from am_assets.planning.explain.asking import explained, outdated

        name = one_recipe(here, recipe)
        explanation = explained(here, name, question)
        if not as_json:
            show_explanation(explanation)
        with open_plan(here, [name], "+sft_dataset") as plan:
            stale = outdated(plan, here, explanation)
        print_json(explanation.to_dict() | {"outdated": stale}) if as_json else show_outdated(stale)


@app.command()
def diff(
    recipe: Recipes = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="List so many rows a side.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print how many rows one recipe keeps and the other does not, why, and the fields that this stems from.

    It takes two recipes: am diff -r demo -r demo-strict."""
    with opened() as here:
        from am_assets.cli.show_difference import show_diff
        from am_assets.planning.diff.asking import diff as look

        names = chosen_recipes(here, recipe, every=not recipe)
        if len(names) != 2:
            raise ConfigError(f"a difference is between two recipes, as in -r ONE -r OTHER: {', '.join(names)}")
        one, other = names
        found = look(here, one, other, rows)
        print_json(found.to_dict(rows)) if as_json else show_diff(found, rows)
