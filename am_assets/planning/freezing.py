"""Freezing a round: the pass rates that the questions of a recipe have now, kept for recipes that sample by them."""

from dataclasses import dataclass

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.datasets import pass_rates
from am_assets.project import Project
from am_assets.storage.stored import StoredTables
from am_assets.verification.figures import by_question

NEVER, ALWAYS = pl.col("passes") == 0, pl.col("passes") == pl.col("attempts")


@dataclass(frozen=True)
class Round:
    """`name`, as recipes name it, and how many of its `questions` no attempt or every attempt solved."""

    name: str
    questions: int
    attempts: int
    never: int
    always: int


def freeze(here: Project, recipe: str) -> Round:
    """Keep the pass rates of the verified set that recipe `recipe` has stored. `ConfigError` where there are none."""
    here.recipe(recipe)
    command = f"am apply --recipe {recipe} --select '+verified_set'"
    try:
        verified = StoredTables(here.assets).read("verified_set", recipe, ["question_id", "passed"])
    except FileNotFoundError:
        raise ConfigError(f"recipe {recipe} has verified nothing yet; first {command}") from None
    except pl.exceptions.ColumnNotFoundError:
        raise ConfigError(f"verified_set of {recipe} was made by an earlier version; first {command}") from None
    rows = by_question(verified)
    if rows.is_empty():
        raise ConfigError(f"recipe {recipe}: no response has a verdict of a verifier, so no question has a pass rate")
    never, always = (int(rows.select(found.sum()).item()) for found in (NEVER, ALWAYS))
    return Round(pass_rates.freeze(here.data, recipe, rows), rows.height, int(rows["attempts"].sum()), never, always)
