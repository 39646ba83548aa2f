"""`am preview`, `am explain` and `am diff`: commands that change nothing."""

from typing import Annotated

import typer

from am_assets.cli import app
from am_assets.cli.opening import (
    AsJson,
    Recipes,
    chosen_recipes,
    exit_on_config_error,
    one_recipe,
    open_plan,
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
    with exit_on_config_error(), open_plan([name := one_recipe(recipe)], "+verified_set") as found:
        from am_assets.cli.show_preview import show_preview
        from am_assets.planning.preview.whatif import preview as look
        from am_assets.project import project

        seen = look(found, project(), name, changes or [])
        print_json(seen.to_dict()) if as_json else show_preview(seen)


@app.command()
def explain(
    question: Annotated[str, typer.Argument(help="Its id, the beginning of that, or its text.")],
    recipe: Recipes = None,
    as_json: AsJson = False,
) -> None:
    """Print the whole way of one question: what was measured, what was decided, and which line decided.

    What of it is not up to date comes last, as Dagster takes longer to tell that than the tables to be read."""
    with exit_on_config_error():
        from am_assets.cli.show_explanation import show_explanation, show_outdated
        from am_assets.planning.explain.asking import explained, outdated
        from am_assets.project import project

        name = one_recipe(recipe)
        explanation = explained(project(), name, question)
        if not as_json:
            show_explanation(explanation)
    with open_plan([name], "+sft_dataset") as plan:
        stale = outdated(plan, project(), explanation)
        print_json(explanation.to_dict() | {"outdated": stale}) if as_json else show_outdated(stale)


@app.command()
def diff(
    recipe: Recipes = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="List so many rows a side.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print how many rows one recipe keeps and the other does not, why, and the fields that this stems from.

    It takes two recipes: am diff -r demo -r demo-strict."""
    with exit_on_config_error():
        from am_assets.cli.show_difference import show_diff
        from am_assets.planning.diff.asking import diff as look
        from am_assets.project import project

        names = chosen_recipes(recipe, every=not recipe)
        if len(names) != 2:
            raise ConfigError(f"a difference is between two recipes, as in -r ONE -r OTHER: {', '.join(names)}")
        one, other = names
        found = look(project(), one, other, rows)
        print_json(found.to_dict(rows)) if as_json else show_diff(found, rows)
