"""What a chosen set of recipes needs, and how a root of the graph is held against the file it was read from."""

import json
from functools import cache

from am_assets.changes import changes
from am_assets.evaluation import benchmarks
from am_assets.origins import Origin
from am_assets.others import InScope, NeedsOfOthers
from am_assets.pool import sources
from am_assets.project import Project, project
from am_assets.reasons import Root
from am_assets.recipe import SECTIONS
from am_assets.records import Made
from am_assets.stored import settings
from am_assets.verification.code import UNREACHED

BY_RECIPE = {"deduped_set", "selected_questions", "verified_set", "sft_dataset", "sft_checkpoint", "recipe_report"}


def scope(here: Project, names: list[str] | None) -> InScope:
    """Tells of an asset's partition whether the recipes `names` (None: all) need it.

    Shards are needed by every recipe; a benchmark by those that decontaminate against it or are scored on it.
    """
    chosen = {name: here.recipe(name) for name in names or here.recipes}
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


def recipe_of(asset: str, partition: str) -> str | None:
    """The recipe whose alone the partition is; None for what recipes share."""
    if asset in ("benchmark_responses", "eval_scores"):
        return partition.split("|")[1]  # dimensions in alphabetical order
    return partition if asset.endswith("_policy") or asset in BY_RECIPE else None


def others(here: Project, names: list[str] | None) -> NeedsOfOthers:
    """Tells of a partition that is another recipe's alone, and not of `names`, what that recipe needs."""
    needs = {name: scope(here, [name]) for name in here.recipes if names and name not in names}

    def of(asset: str, partition: str) -> InScope | None:
        needed = needs.get(recipe_of(asset, partition) or "")
        return needed if needed and needed(asset, partition) else None

    return of


def _changed_setting(section: str) -> Root:
    def because(recipe: str, last: Made) -> str | None:
        if recipe in project().broken:
            return None  # what can't be read says nothing: the policy stands as it was last made
        now = dict(settings(project().recipes[recipe], section).rows())
        before, after = (
            {name: json.loads(value) for name, value in rows.items()} for rows in (last.metadata["settings"], now)
        )
        found = changes(before, after, section)
        return "; ".join(change.in_words(f"of recipe {recipe}") for change in found) or None

    return because


def _changed_entry(kind: str, file: str, name: str, last: Made, entry: Origin, fingerprint: str) -> str | None:
    """Of a source or a benchmark: its fields that changed, else its files."""
    if last.metadata["fingerprint"] == fingerprint:
        return None
    now = entry.model_dump(mode="json")
    found = list(changes(last.metadata.get("entry", now), now))
    where = f"of {kind} {name} in {file}"
    return "; ".join(change.in_words(where) for change in found) or f"what {kind} {name} reads changed"


@cache
def _source_fingerprint(name: str) -> str:
    return sources.fingerprint(project().sources[name], project().sources_file.parent)


def forget_fingerprints() -> None:
    """Has files read again that may have changed since."""
    _source_fingerprint.cache_clear()


def _changed_source(shard: str, last: Made) -> str | None:
    name, file = sources.source_of(project().sources, shard), project().sources_file.name
    return _changed_entry("source", file, name, last, project().sources[name], _source_fingerprint(name))


def _changed_benchmark(name: str, last: Made) -> str | None:
    entry = project().benchmarks[name]
    fingerprint = benchmarks.fingerprint(entry, project().data)
    return _changed_entry("benchmark", "benchmarks.yaml", name, last, entry, fingerprint)


def _without_sandbox(shard: str, last: Made) -> str | None:
    unreached = last.metadata.get(UNREACHED, 0)
    return f"{unreached} answers had no sandbox that worked" if unreached else None


ROOTS: dict[str, Root] = {
    "raw_pool": _changed_source,
    "benchmark_questions": _changed_benchmark,
    "code_verdicts": _without_sandbox,
    **{f"{section}_policy": _changed_setting(section) for section in SECTIONS},
}
