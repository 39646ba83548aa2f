"""Which partitions a set of recipes needs, and how a root of the graph is compared with the files it was made from.

What a table is partitioned by comes from its declaration; no asset is named here.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from am_assets.orchestration.assets import GRAPH, TABLE
from am_assets.orchestration.entries import Entry
from am_assets.orchestration.partitions import recipe_and_benchmark
from am_assets.orchestration.tables import ENTRY, FILES, Table
from am_assets.planning.others import InScope, NeedsOfOthers
from am_assets.planning.reasons import Root
from am_assets.planning.records import Made
from am_assets.project import Project


def scope(here: Project, names: list[str] | None, experiment: str | None = None) -> InScope:
    """A predicate on (asset, partition): whether the recipes `names` (None: all that have a file) need it, or the
    report of an `experiment`.

    Shards are needed by every recipe; a benchmark by those that decontaminate against it or are scored on it.

        in_scope = scope(project(), ["demo"])
        in_scope("deduped_set", "demo"), in_scope("deduped_set", "other")  # (True, False)
    """
    chosen = {name: here.recipe(name) for name in names or here.recipes}
    scored = {(name, benchmark) for name, recipe in chosen.items() for benchmark in recipe.evaluation.benchmarks}
    decontaminated = {name for recipe in chosen.values() for name in recipe.sampling.decontamination.benchmarks}
    benchmarks = decontaminated | {benchmark for _, benchmark in scored}
    needed: dict[str, Callable[[str], bool]] = {
        "shards": lambda _: True,
        "recipes": lambda partition: partition in chosen,
        "benchmarks": lambda partition: partition in benchmarks,
        "recipe_benchmarks": lambda partition: recipe_and_benchmark(partition) in scored,
        "experiments": lambda partition: partition == experiment,
    }
    return lambda asset, partition: needed[TABLE[asset].by](partition)


def recipe_of(asset: str, partition: str) -> str | None:
    """The recipe that the partition belongs to; None where recipes share it."""
    if TABLE[asset].by == "recipe_benchmarks":
        return recipe_and_benchmark(partition)[0]
    return partition if TABLE[asset].by == "recipes" else None


def others(here: Project, names: list[str] | None) -> NeedsOfOthers:
    """From (asset, partition) to the scope of the recipe it belongs to, for recipes other than `names`, else None."""
    needs = {name: scope(here, [name]) for name in here.recipes if names and name not in names}

    def of(asset: str, partition: str) -> InScope | None:
        needed = needs.get(recipe_of(asset, partition) or "")
        return needed if needed and needed(asset, partition) else None

    return of


def roots(here: Project, recipes: Collection[str] | None = None) -> dict[str, Root]:
    """By asset, why a partition has to be materialized again though no upstream table changed: its configuration in
    the files of the project changed, or it is incomplete for one of `recipes` (None: all).
    """
    names = here.recipe_names if recipes is None else recipes
    return {table.name: _ChangedSince(table, here, names) for table in GRAPH if table.reads.entry or table.unfinished}


class _ChangedSince:
    """Compares a materialization with the files as they are now. Entries are read once."""

    def __init__(self, table: Table, here: Project, recipes: Collection[str]):
        self.table, self.here, self.recipes = table, here, recipes
        self.entries: dict[str, Entry | None] = {}

    def __call__(self, partition: str, last: Made) -> str | None:
        unfinished = self.table.unfinished(last.metadata, self.recipes) if self.table.unfinished else None
        return unfinished or self._changed(partition, last.metadata)

    def _changed(self, partition: str, metadata: Mapping[str, Any]) -> str | None:
        if self.table.reads.entry is None:
            return None
        if partition not in self.entries:
            self.entries[partition] = self.table.reads.entry(self.here, partition)
        now = self.entries[partition]
        if now is None:
            return None  # the file is broken: the table stays as it was last made
        if ENTRY not in metadata:
            if not now.content:
                return None
            return "an earlier version of this project made it"
        words = "; ".join(change.in_words(now.where) for change in now.changes(metadata[ENTRY]))
        return words or (f"what {now.name} reads changed" if metadata.get(FILES) != now.files else None)
