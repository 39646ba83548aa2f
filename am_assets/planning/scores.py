"""The scores of recipes as they are stored, by benchmark, and what can be said of the differences between students."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.evaluation.differences import Difference, differences
from am_assets.evaluation.layout import sentences
from am_assets.evaluation.paired import Paired
from am_assets.evaluation.scores import gain, per_question, scores_of
from am_assets.evaluation.touched import touched
from am_assets.project import Project
from am_assets.storage.schemas import BenchmarkConsensus, EvalScores
from am_assets.storage.stored import StoredTables


@dataclass(frozen=True)
class Scored:
    """One benchmark: EvalScores by recipe, and the differences of each two recipes."""

    benchmark: str
    scores: dict[str, pl.DataFrame]
    differences: list[Difference]

    def to_dict(self) -> dict[str, Any]:
        recipes = {name: _told(rows) for name, rows in self.scores.items()}
        differences = [_paired(one.found) | {"first": one.first, "second": one.second, "items": one.items,
                                             "sentence": one.sentence} for one in self.differences]  # fmt: skip
        return {"benchmark": self.benchmark, "recipes": recipes, "differences": differences}


def _told(scores: pl.DataFrame) -> dict[str, Any]:
    gains = {items: gain(scores, items) for items in ("all", "untouched")}
    return {
        "scores": scores.to_dicts(),
        "gains": {items: _paired(found) for items, found in gains.items() if found},
        "sentences": sentences(scores),
    }


def _paired(found: Paired) -> dict[str, Any]:
    return asdict(found) | {"told_apart": found.told_apart}


def scores(here: Project, recipes: list[str], benchmark: str | None = None) -> list[Scored]:
    """The scores of recipes on each benchmark that one of them names, or on `benchmark` alone, in the order of names.

    `ConfigError` where none of the recipes names the benchmark, or one has no scores on what it names.
    """
    store = StoredTables(here.assets)
    named = {name: here.recipe(name).evaluation.benchmarks for name in recipes}
    wanted = sorted({one for names in named.values() for one in names if benchmark in (None, one)})
    if not wanted:
        whose = f"--benchmark {benchmark}" if benchmark else "evaluation.benchmarks"
        known = ", ".join(sorted({one for names in named.values() for one in names})) or "none"
        raise ConfigError(f"{whose}: recipe {', '.join(recipes)} is scored on {known}")
    found = []
    for one in wanted:
        tables = {name: _read(store, one, name) for name in recipes if one in named[name]}
        found.append(Scored(one, tables, [*_differences(here, store, one, list(tables))]))
    return found


def _read(store: StoredTables, benchmark: str, recipe: str) -> pl.DataFrame:
    makes = f"am apply --recipe {recipe} makes it"
    try:
        table = store.read("eval_scores", f"{benchmark}/{recipe}")
    except FileNotFoundError:
        raise ConfigError(f"eval_scores has no score of {recipe} on {benchmark} yet: {makes}") from None
    if table.columns != EvalScores.column_names():
        raise ConfigError(f"eval_scores of {recipe} on {benchmark} is that of an earlier version: {makes} anew")
    return table


def _differences(here: Project, store: StoredTables, benchmark: str, recipes: list[str]) -> Iterator[Difference]:
    """Of the trained students, question by question."""
    if len(recipes) < 2:
        return
    students = {name: _trained(store, f"{benchmark}/{name}") for name in recipes}
    left_out = {
        name: touched(
            store.read("touched_items", f"{benchmark}/{name}"),
            store.policies(name, here.recipe(name)).evaluation.touched,
        )
        for name in recipes
    }
    for first, second in combinations(recipes, 2):
        yield from differences(first, second, students, left_out)


def _trained(store: StoredTables, partition: str) -> pl.DataFrame:
    verdicts, responses = (store.read(name, partition) for name in ("benchmark_verdicts", "benchmark_responses"))
    return scores_of(per_question(verdicts, responses, BenchmarkConsensus.create_empty()), "trained")
