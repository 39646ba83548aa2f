"""`am judges`: how far judges agree with the verifiers."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from am_assets.cli import app
from am_assets.cli.opening import AsJson, Recipes, console, one_recipe, opened, print_json, say

if TYPE_CHECKING:
    from am_assets.planning.judges import Judge

NOTHING = (
    "No judge could be measured: no response of recipe {recipe} has a verdict of a verifier and one of a judge. In"
    " instruments.yaml, math.opinion with ask: always or reward.judges: every has judges say theirs; {samples} answers"
    " to a question (teacher.samples) give a consensus. Then am apply --recipe {recipe}."
)


@app.command()
def judges(recipe: Recipes = None, as_json: AsJson = False) -> None:
    """Print how far each judge agrees with the verifiers, by category, on the responses that both have judged."""
    with opened() as here:
        from am_assets.planning.judges import judges as measured

        name = one_recipe(here, recipe)
        found: list[Judge] = measured(here, name)
        if as_json:
            print_json([asdict(judge) for judge in found])
            return
        if any(judge.figures for judge in found):
            console.print(_table(found))
        else:
            say(f"{NOTHING.format(recipe=name, samples=here.recipe(name).verification.min_samples)}\n")
        for judge in found:
            who = f" ({judge.model})" if judge.model else ""
            say(f"{judge.name}{who}, measured on: {judge.measured_on}")


def _table(found: "list[Judge]") -> Table:
    table = Table()
    for column in ("judge", "category", "rows", "right", "wrong", "accuracy", "false pass", "false fail"):
        words = column in ("judge", "category")
        table.add_column(column, no_wrap=words, justify="left" if words else "right")
    for judge in found:
        for row in judge.figures:
            shares = (_percent(row[name]) for name in ("accuracy", "false_pass", "false_fail"))
            counts = (f"{row[name]:,}" for name in ("rows", "right", "wrong"))
            table.add_row(judge.name, row["category"], *counts, *shares)
        table.add_section()
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
