"""`am scores`: the scores of recipes on their benchmarks, and whether their students can be told apart."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from am_assets.cli import app
from am_assets.cli.opening import AsJson, Every, Recipes, chosen_recipes, console, opened, print_json, say


@app.command()
def scores(
    recipe: Recipes = None,
    every: Every = False,
    benchmark: Annotated[str | None, typer.Option("--benchmark", "-b", help="Only this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the stored scores of students with their intervals, what each gained by its training, and of several
    recipes whether their trained students can be told apart."""
    with opened() as here:
        from am_assets.planning.scores import scores as stored

        found = stored(here, chosen_recipes(here, recipe, every), benchmark)
        if as_json:
            print_json([one.to_dict() for one in found])
            return
        from am_assets.evaluation.layout import NOTE, asked, by_metric, sentences

        for one in found:
            for name, rows in one.scores.items():
                heads, figures = by_metric(rows)
                table = Table(
                    "metric",
                    *(Column(head, justify="right") for head in heads),
                    title=escape(f"{name} on {one.benchmark}: {asked(rows)}"),
                )
                for figure in figures:
                    table.add_row(*figure)
                console.print(table)
                for said in sentences(rows):
                    say(said)
            for difference in one.differences:
                say(f"On {one.benchmark}, trained students: {difference.sentence}.")
        say(NOTE)
