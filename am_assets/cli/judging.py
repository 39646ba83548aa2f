"""`am judges`: how far judges agree with the verifiers."""

from dataclasses import asdict

from rich.table import Table

from am_assets.cli import app
from am_assets.cli.opening import AsJson, Recipes, console, exit_on_config_error, one_recipe, print_json


@app.command()
def judges(recipe: Recipes = None, as_json: AsJson = False) -> None:
    """Print how far each judge agrees with the verifiers, by category, on the responses that both have judged."""
    with exit_on_config_error():
        from am_assets.planning.judges import Judge
        from am_assets.planning.judges import judges as measured
        from am_assets.project import project

        found: list[Judge] = measured(project(), one_recipe(recipe))
        if as_json:
            print_json([asdict(judge) for judge in found])
            return
        table = Table()
        for column in ("judge", "category", "rows", "right", "wrong", "accuracy", "false pass", "false fail"):
            table.add_column(column, no_wrap=column in ("judge", "category"))
        for judge in found:
            for row in judge.figures:
                shares = (_percent(row[name]) for name in ("accuracy", "false_pass", "false_fail"))
                counts = (f"{row[name]:,}" for name in ("rows", "right", "wrong"))
                table.add_row(judge.name, row["category"], *counts, *shares)
            table.add_section()
        console.print(table)
        for judge in found:
            who = f" ({judge.model})" if judge.model else ""
            console.print(
                f"{judge.name}{who}, measured on: {judge.measured_on}", markup=False, highlight=False, soft_wrap=True
            )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
