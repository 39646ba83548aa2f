"""What a chosen set of recipes needs, and how a root of the graph is held against the file it was read from."""

from collections.abc import Callable
from functools import cache
from typing import cast

import dagster as dg

from am_assets.evaluation import benchmarks
from am_assets.plan import Root
from am_assets.policies import settings
from am_assets.pool import sources
from am_assets.project import Project, project
from am_assets.recipe import SECTIONS, ConfigError

SHOWN_CHARS = 60  # a longer value, such as a list of examples, is not repeated
BY_RECIPE = {"deduped_set", "selected_questions", "verified_set", "sft_dataset", "sft_checkpoint", "recipe_report"}


def scope(here: Project, names: list[str] | None) -> Callable[[str, str], bool]:
    """Tells of an asset's partition whether the recipes `names` (None: all) need it.

    Shards are needed by every recipe; a benchmark by those that decontaminate against it or are scored on it.
    """
    unknown = sorted(set(names or []) - set(here.recipes))
    if unknown:
        raise ConfigError(
            f"no recipe {', '.join(unknown)} in {here.data / 'recipes'}; there are {', '.join(here.recipes)}"
        )
    chosen = {name: here.recipes[name] for name in names or here.recipes}
    scored = {(name, benchmark) for name, recipe in chosen.items() for benchmark in recipe.evaluation.benchmarks}
    guarded = {benchmark for recipe in chosen.values() for benchmark in recipe.sampling.decontamination.benchmarks}
    used = guarded | {benchmark for _, benchmark in scored}

    def in_scope(asset: str, partition: str) -> bool:
        if asset in ("benchmark_questions", "benchmark_overlap"):
            return partition in used
        if asset in ("benchmark_responses", "eval_scores"):
            benchmark, recipe = partition.split("|")  # dimensions in alphabetical order
            return (recipe, benchmark) in scored
        if asset.endswith("_policy") or asset in BY_RECIPE:
            return partition in chosen
        return True

    return in_scope


def _changed_setting(section: str) -> Root:
    def because(recipe: str, last: dg.AssetMaterialization) -> str | None:
        if recipe in project().broken:
            return None  # what can't be read says nothing: the policy stands as it was last made
        stored = cast("dict[str, str]", last.metadata["settings"].value)
        now = dict(settings(project().recipes[recipe], section).rows())
        changes = [
            f"{section}.{name} of recipe {recipe} changed" + _from_to(before, after)
            for name in sorted({*stored, *now})
            if (before := stored.get(name, "unset")) != (after := now.get(name, "unset"))
        ]
        return "; ".join(changes) or None

    return because


def _from_to(before: str, after: str) -> str:
    return f" from {before} to {after}" if max(len(before), len(after)) <= SHOWN_CHARS else ""


@cache
def _source_fingerprint(name: str) -> str:
    return sources.fingerprint(project().sources[name], project().sources_file.parent)


def _changed_source(shard: str, last: dg.AssetMaterialization) -> str | None:
    name = sources.source_of(project().sources, shard)
    if last.metadata["fingerprint"].value == _source_fingerprint(name):
        return None
    return f"source {name} or its files changed"


def _changed_benchmark(name: str, last: dg.AssetMaterialization) -> str | None:
    if last.metadata["fingerprint"].value == benchmarks.fingerprint(project().benchmarks[name], project().data):
        return None
    return f"benchmark {name} or its files changed"


ROOTS: dict[str, Root] = {
    "raw_pool": _changed_source,
    "benchmark_questions": _changed_benchmark,
    **{f"{section}_policy": _changed_setting(section) for section in SECTIONS},
}
