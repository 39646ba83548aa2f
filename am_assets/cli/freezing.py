"""`am freeze`: keep a recipe's pass rates as a round that recipes sample by."""

from dataclasses import asdict

from am_assets.cli import app
from am_assets.cli.opening import AsJson, Recipes, one_recipe, opened, print_json, say
from am_assets.runtime.wording import counted


@app.command()
def freeze(recipe: Recipes = None, as_json: AsJson = False) -> None:
    """Keep the pass rates that a recipe's questions have now, for recipes that sample by them.

    What it prints names the round: what is applied or edited later does not change it. It goes by the recipe as it was
    last applied."""
    with opened() as here:
        from am_assets.planning.freezing import freeze as keep

        kept = keep(here, one_recipe(here, recipe))
        if as_json:
            print_json(asdict(kept))
            return
        between = kept.questions - kept.never - kept.always
        counts = f"never solved {kept.never:,}, sometimes {between:,}, always {kept.always:,}"
        said = f"{counted(kept.questions, 'question')} with {counted(kept.attempts, 'attempt')}: {counts}"
        say(f"{kept.name}  {said}")
        say(f"In a recipe: sampling: {{pass_rates: {{round: {kept.name}}}}}")
