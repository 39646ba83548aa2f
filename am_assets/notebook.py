"""A project from Python: its tables as lazy frames, its policies, the way of a question, and the verifiers.

    from am_assets import open_project

    here = open_project("data")
    here.table("verified_set", "demo").group_by("drop_reason").len().collect()

It changes nothing, asks no model, and imports neither Dagster nor torch.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.config.alike import alike
from am_assets.config.files import ConfigError, parse
from am_assets.config.recipe import Recipe
from am_assets.orchestration.schemas import TABLES
from am_assets.project import Project, load_project
from am_assets.runtime.wording import counted
from am_assets.storage.copies import of
from am_assets.storage.schemas.meanings import meaning
from am_assets.storage.stored import StoredTables, refuse_newer
from am_assets.training.rows import with_texts
from am_assets.verification.verifiers import VERIFIERS

PARTITION = "partition"  # the column that names a row's shard, recipe or benchmark
# Partitioned by both: `benchmark/recipe`. Of other tables, what lies in a folder of theirs are files of a release.
BY_BOTH = ("benchmark_responses", "benchmark_verdicts", "benchmark_consensus", "touched_items", "eval_scores")
TOLD = {
    **{"line": pl.Int64(), "id": pl.String(), "verifier": pl.String(), "verdict": pl.String(), "reason": pl.String()},
    **{"extracted": pl.String(), "seconds": pl.Float64()},
}


def open_project(folder: str | Path = "data", sources_file: str | Path | None = None) -> "Opened":
    """The project in a folder; its sources are in another file where one is named.

    `ConfigError` names the file and the field where one other than a recipe is at fault. What is stored is looked up at
    each call; settings are those at the time of opening.
    """
    data = Path(folder).resolve()
    refuse_newer(data / "assets")
    return Opened(load_project(data, Path(sources_file).resolve() if sources_file else data / "sources.yaml"))


class Opened:
    """A project as it was opened. `project` has its settings: sources, benchmarks, instruments, endpoints."""

    def __init__(self, project: Project):
        self.project = project
        self.store = StoredTables(project.assets)

    def __repr__(self) -> str:
        stored = counted(len(self.tables()), "partition")
        return f"<project {self.project.data}: recipes {', '.join(self.recipes)}; {stored} stored>"

    @property
    def recipes(self) -> list[str]:
        """The names of recipes and of variants of experiments."""
        return self.project.recipe_partitions

    def tables(self) -> pl.DataFrame:
        """What is stored: table, partition, bytes; a row a partition, sorted."""
        rows = [
            (name, at, self.store.path(name, at).stat().st_size)
            for name in sorted(TABLES)
            for at in self.partitions(name)
        ]
        return pl.DataFrame(rows, {"table": pl.String, PARTITION: pl.String, "bytes": pl.Int64}, orient="row")

    def partitions(self, name: str) -> list[str]:
        """The stored partitions of a table, sorted: shards, recipes, benchmarks, or `benchmark/recipe`."""
        folder = self.store.folder / _known(name)
        if name not in BY_BOTH:
            return self.store.partitions(name)
        return [
            f"{first}/{at}" for first in of(folder).folders(folder) for at in self.store.partitions(f"{name}/{first}")
        ]

    def table(self, name: str, *partitions: str) -> pl.LazyFrame:
        """The stored partitions of a table, or those that are named, one below the other, with a column `partition`.
        Columns that some of them lack are null there. `ConfigError` for a name that is no table, and for what is not
        stored."""
        stored = self.partitions(name)
        if absent := [at for at in partitions if at not in stored]:
            raise ConfigError(f"{name} has no partition {', '.join(absent)}; stored: {', '.join(stored) or 'none'}")
        if not stored:
            raise ConfigError(f"{name}: nothing of it is stored yet: am apply -s {name}")
        parts = [self.store.scan(name, at).with_columns(pl.lit(at).alias(PARTITION)) for at in partitions or stored]
        return pl.concat(parts, how="diagonal_relaxed")

    def columns(self, name: str) -> dict[str, str]:
        """What each column of a table means."""
        return {column: meaning(TABLES[_known(name)], column) for column in TABLES[name].columns()}

    def recipe(self, name: str) -> Recipe:
        """A recipe as its file says. `ConfigError` where it is broken or does not exist."""
        return self.project.recipe(name)

    def policies(self, name: str) -> Recipe:
        """A recipe as its decisions were made last; a section that is not stored yet is as its file says."""
        return self.store.policies(name, self.recipe(name))

    def released(self, recipe: str) -> pl.LazyFrame:
        """The rows of the dataset that a recipe released, with their texts."""
        folder = self.store.folder / "sft_dataset" / recipe
        of(folder).folder_here(folder)
        return with_texts(self.table("sft_dataset", recipe), folder)

    def explain(self, recipe: str, question: str) -> dict[str, Any]:
        """The way of one question, by its id, the beginning of that, or its text: as `am explain --json`, without what
        is out of date. `ConfigError` where no shard holds it."""
        from am_assets.planning.explain.asking import explained

        return explained(self.project, recipe, question).to_dict()

    def verify(
        self,
        rows: pl.DataFrame | Iterable[Mapping[str, Any]],
        columns: Mapping[str, str] | None = None,
        recipe: str | None = None,
    ) -> pl.DataFrame:
        """The verdict on each row, in order: line (1-based), id, verifier, verdict, reason, extracted, seconds.

        A row has an answer or response and a reference, test_cases or constraints; `columns` are their paths where they
        are called otherwise. Rules and limits are those of a recipe, or the defaults. Programs run in the sandbox.
        """
        from am_assets.planning.verify import Settings, verdicts
        from am_assets.runtime import kept

        settings = Settings(columns or {})
        if recipe is not None:
            limits = {one.section: getattr(self.project.instruments, one.section) for one in VERIFIERS.values()}
            settings = Settings(columns or {}, limits, self.recipe(recipe).verification)
        records = rows.iter_rows(named=True) if isinstance(rows, pl.DataFrame) else (dict(row) for row in rows)
        with kept.keep_open():
            told = [one for some in verdicts(enumerate(records, start=1), settings) for one in some]
        return pl.DataFrame([{name: one.get(name) for name in TOLD} for one in told], TOLD)

    def read(self, location: str, limit: int | None = None, **settings: Any) -> pl.DataFrame:
        """The rows of a file or glob as they would enter the pool: question, reference_answer, test_cases, constraints,
        published, license. `settings` are fields of an entry of sources.yaml, as `adapter` and `columns`; a relative
        location starts at the project's folder. `ConfigError` where it can't be read so."""
        from am_assets.datasets.reading import read_rows
        from am_assets.datasets.sources import Source

        source = parse(Source, {"location": location, "rank": 1, "limit": limit, **settings}, location)
        shown: Sequence[str] = ("question", "reference_answer", "test_cases", "constraints", "published", "license")
        return pl.concat(read_rows(source, self.project.sources_file.parent)).select(shown)


def _known(name: str) -> str:
    if name not in TABLES:
        raise ConfigError(f"no table {name}{alike(name, TABLES) or f'; tables: {sorted(TABLES)}'}")
    return name
