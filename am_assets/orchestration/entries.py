"""The configuration that a single partition of a table depends on, and how two versions of it differ.

`Reads.entry` of a table names one of these functions; `am plan` compares what it says now with what it said when the
partition was made.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.changes import Change, changes
from am_assets.datasets import sources
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.locate import recorded_commit
from am_assets.datasets.origins import AUTO, Origin, fingerprint
from am_assets.project import Project
from am_assets.storage.stored import StoredTables, settings
from am_assets.verification.verifiers import VERIFIERS


@dataclass(frozen=True)
class Entry:
    """The configuration that a single partition depends on.

    content  fields and their values, JSON-serializable
    name     what users call it, as in `source gsm8k`
    file     the file that holds it
    within   prefix of its field names in messages, as in `dedup`
    files    hash of the data files that it names
    """

    content: Mapping[str, Any]
    name: str
    file: str = ""
    within: str = ""
    files: str | None = None

    @property
    def where(self) -> str:
        return f"of {self.name} in {self.file}" if self.file else f"of {self.name}"

    def changes(self, before: Mapping[str, Any]) -> list[Change]:
        """From the content that a materialization was made with to this one."""
        return list(changes(before, self.content, self.within))


class Searched(Entry):
    """The shards that a shard is searched against. One that is gone leaves pairs that nobody reads; only one that
    comes is searched."""

    def changes(self, before: Mapping[str, Any]) -> list[Change]:
        found = super().changes(before)
        return [change for change in found if not {*change.after} <= {*change.before}]


# The entry of a partition; None where its file is broken.
EntryOf = Callable[[Project, str], Entry | None]


def source_entry(here: Project, shard: str) -> Entry:
    """The source of a shard, without its rank: no question depends on that."""
    name = sources.source_of(here.sources, shard)
    source = here.sources[name]
    base = here.sources_file.parent
    files = fingerprint(source.model_copy(update={"rank": 0}), base)
    return Entry(_origin(source, base, "rank"), f"source {name}", here.sources_file.name, files=files)


def benchmark_entry(here: Project, name: str) -> Entry:
    entry = here.benchmarks[name]
    files = fingerprint(entry, here.data)
    return Entry(_origin(entry, here.data), f"benchmark {name}", "benchmarks.yaml", files=files)


def section_entry(section: str) -> EntryOf:
    """One section of the recipe whose name is the partition key."""

    def entry(here: Project, recipe: str) -> Entry | None:
        if recipe in here.broken or recipe in here.experiments.flawed:
            return None
        rows = settings(here.recipe(recipe), section).rows()
        return Entry({name: json.loads(value) for name, value in rows}, f"recipe {recipe}", within=section)

    return entry


def recipes_that_select(here: Project, _: str) -> Entry:
    """The recipes that have selected questions. Removing a recipe updates no upstream partition, so only this list
    shows it."""
    stored = StoredTables(here.assets).partitions("selected_questions")
    names = [name for name in here.recipe_partitions if name in stored]
    return Entry({"recipes that select questions": names}, here.data.name)


def experiment_entry(here: Project, name: str) -> Entry:
    """What an experiment asks and compares. What its variants set is in the policies of their recipes."""
    experiment = here.experiments.named[name]
    content = {"question": experiment.question, "variants": list(experiment.variants)}
    return Entry(content, f"experiment {name}", f"experiments/{name}.yaml")


class Verifying(Entry):
    """What says whether an answer passes. It tells of a shard only while requests wait for that: a recipe that begins
    or ends to sample until an answer passes changes the requests themselves."""

    def changes(self, before: Mapping[str, Any]) -> list[Change]:
        return super().changes(before) if before and self.content else []


def verifying(here: Project, _: str) -> Entry:
    """The versions and limits of the verifiers where a recipe, as it was applied, samples until an answer passes."""
    store = StoredTables(here.assets)
    stored = {*store.partitions("teacher_policy")}.intersection(here.recipe_partitions)
    paths = (store.path("teacher_policy", name) for name in stored)
    waits = any(_samples_until_pass(path, path.stat().st_mtime_ns) for path in paths if path.exists())
    content = {
        name: {"version": one.version, **one.settings(getattr(here.instruments, one.section))}
        for name, one in VERIFIERS.items()
        if waits
    }
    return Verifying(content, "the verifiers", "instruments.yaml")


@lru_cache(maxsize=1024)
def _samples_until_pass(policy: Path, _: int) -> bool:
    [samples] = pl.read_parquet(policy).filter(setting="samples")["value"]
    return isinstance(json.loads(samples), dict)


def earlier_shards(here: Project, shard: str) -> Entry:
    """The shards listed before this one in the sources file, sorted."""
    keys = sources.shard_keys(here.sources)
    return Searched({"shards before it": sorted(keys[: keys.index(shard)])}, shard, here.sources_file.name)


def _origin(origin: Origin, base: Path, *without: str) -> dict[str, Any]:
    """Its settings, the commit it is read at if it is of a hub, and the version of its adapter, which is no reason for
    partitions that are read by another."""
    settings = origin.model_dump(mode="json", exclude=set(without))
    if origin.location and (commit := recorded_commit(origin.location, base)):
        settings["recorded commit"] = commit
    if origin.form == AUTO:  # which one it is, and whether another fits now, is known when the files are read
        settings["versions of all adapters"] = ", ".join(f"{name} {one.version}" for name, one in ADAPTERS.items())
    elif origin.form:
        settings[f"version of adapter {origin.form}"] = ADAPTERS[origin.form].version
    return settings
