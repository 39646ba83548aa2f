"""What the word of each configured judge is worth: its agreement with the verifiers on what a recipe has stored."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.config.instruments import Instruments
from am_assets.config.recipe import Recipe
from am_assets.project import Project
from am_assets.storage.stored import StoredTables
from am_assets.verification.candidates import candidates
from am_assets.verification.judges import JUDGED, agreement, both_judged


@dataclass(frozen=True)
class Judge:
    """`model`: who it is, None where none is configured. `measured_on`: on which rows, and what they can't show.
    `figures`: rows of `judges.agreement` by category, without the judge's name; the first is of all categories, and
    there is none where no row has both verdicts."""

    name: str
    model: str | None
    measured_on: str
    figures: list[dict[str, Any]]


def judges(here: Project, name: str) -> list[Judge]:
    """The judges of a project, measured on the candidate responses of recipe `name` and by its thresholds.

    `ConfigError` where the recipe has verified nothing yet.
    """
    recipe, store = here.recipe(name), StoredTables(here.assets)
    told = agreement(_both_judged(store, name, store.policies(name, recipe)))
    models = _models(here.instruments)
    return [
        Judge(judge, models[judge], words, told.filter(judge=judge).drop("judge").to_dicts())
        for judge, words in _measured_on(here.instruments, recipe).items()
    ]


def _both_judged(store: StoredTables, name: str, recipe: Recipe) -> pl.DataFrame:
    asked = ["question_id", "shard", "source", "category", "difficulty"]

    def of(shard: str, questions: pl.DataFrame) -> pl.DataFrame:
        def read(table: str, columns: list[str]) -> pl.DataFrame:
            return store.read(table, shard, columns)

        return both_judged(candidates(read, questions, name, recipe.teacher.published), recipe.verification)

    try:
        selected = store.read("selected_questions", name).filter("kept").select(asked)
        found = [of(str(shard), rows) for (shard,), rows in selected.group_by("shard", maintain_order=True)]
    except FileNotFoundError as error:
        raise ConfigError(f"{error}: am apply --recipe {name} --select '+verified_set' makes all it takes") from None
    return pl.concat([pl.DataFrame(schema=JUDGED), *found])


def _models(instruments: Instruments) -> dict[str, str | None]:
    opinion = instruments.math.opinion
    return {
        "opinion": opinion.model if opinion else None,
        "reward": instruments.reward.model,
        "consensus": "the teachers",
    }


def _measured_on(instruments: Instruments, recipe: Recipe) -> dict[str, str]:
    """By judge, in words, the rows on which it could be measured."""
    opinion, verification = instruments.math.opinion, recipe.verification
    asked = {
        None: "none: math.opinion of instruments.yaml asks nobody",
        "always": "all math answers that math-verify could tell of",
        "on_disagreement": "math answers that math-verify failed, a biased sample: false fails can't be seen, and the"
        " accuracy is that on wrong answers alone; math.opinion.ask: always measures both",
    }
    judged = {
        "every": "all well-formed responses that a verifier could tell of",
        "open": "none: reward.judges of instruments.yaml is open, so only what no verifier can tell of is judged; every"
        " measures it",
    }
    return {
        "opinion": asked[opinion.ask if opinion else None],
        "reward": f"{judged[instruments.reward.judges]}; a pass by the recipe's min_reward {verification.min_reward:g}",
        "consensus": f"math answers to questions of which {verification.min_samples} answers or more are there and"
        f" {verification.min_share:g} of them agree",
    }
