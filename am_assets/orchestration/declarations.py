"""Configuration dependencies of a table, declared once with the table.

A table's `Reads` determines its code version, the metadata `instrument` and `entry` of its materializations, the
reasons that `am plan` prints, and what its body may read of the project: `Declared` raises `Undeclared` for everything
else, so that no edit of a file can change a table without making it stale. File locations, endpoints and hardware are
open to every body, since they identify nothing.

    @evidence("pool", "shards", reads=Reads((labels,), instruments=("labels",)))
    def question_labels(raw_pool: pl.DataFrame, here: Declared) -> pl.DataFrame:
        here.instruments.labels.model  # declared
        here.shards  # Undeclared: `facts` does not name the shards
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from am_assets.config.endpoints import Endpoint
from am_assets.config.experiments import Experiment
from am_assets.config.files import Section
from am_assets.config.folders import Folders
from am_assets.config.hardware import Hardware
from am_assets.config.instruments import Instruments
from am_assets.datasets import sources
from am_assets.datasets.benchmarks import Benchmark
from am_assets.datasets.exclusions import Exclusions
from am_assets.datasets.locate import pin
from am_assets.datasets.sources import Source
from am_assets.orchestration.entries import (
    Entry,
    EntryOf,
    benchmark_entry,
    earlier_shards,
    experiment_entry,
    source_entry,
    verifying,
)
from am_assets.project import Project
from am_assets.verification.verifiers import Verifier, applicable


class Undeclared(RuntimeError):
    """The body of a table read a part of the project that its declaration does not name."""


# Parts of the project, apart from instruments, that all partitions of a table may depend on.
FACTS: dict[str, Callable[[Project], Any]] = {
    "shards": lambda here: sorted(sources.shard_keys(here.sources)),
    "ranks": lambda here: {name: source.rank for name, source in here.sources.items()},
    "exclusions": lambda here: here.exclusions.version,
    # Which questions each verifies.
    "verifiers": lambda _: {name: str(questions) for name, questions in applicable().items()},
}


@dataclass(frozen=True)
class Reads:
    """Dependencies of a table.

    rules        modules of pure rules, each with a VERSION that is raised when its results change
    instruments  sections of instruments.yaml, or single fields of one: `labels`, `pairs.floor`
    facts        keys of FACTS
    entry        the configuration that a single partition depends on
    """

    rules: tuple[ModuleType, ...] = ()
    instruments: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    entry: EntryOf | None = None

    def instrument(self, here: Project) -> dict[str, Any]:
        """The dependencies that all partitions share, as written into metadata: JSON-serializable."""
        versions = {module.__name__.rpartition(".")[2]: str(module.VERSION) for module in self.rules}
        measured: dict[str, Any] = {"version": versions} if versions else {}
        for path in self.instruments:
            section, _, name = path.partition(".")
            values = getattr(here.instruments, section).model_dump(mode="json")
            measured.setdefault(section, {}).update({name: values[name]} if name else values)
        return measured | {name: FACTS[name](here) for name in self.facts}

    def code_version(self, here: Project) -> str:
        """A short hash of `instrument`."""
        serialized = json.dumps(self.instrument(here), sort_keys=True, ensure_ascii=False)
        return sha256(serialized.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Declared(Folders):
    """The part of the project that the body of one table may read; anything else raises `Undeclared`."""

    table: str
    reads: Reads
    _project: Project = field(repr=False)

    @property
    def sources_folder(self) -> Path:
        return self._project.sources_file.parent

    @property
    def hardware(self) -> Hardware:
        return self._project.hardware

    def endpoints_of(self, model: str) -> list[Endpoint]:
        return self._project.endpoints_of(model)

    def endpoints_of_student(self, name: str) -> list[Endpoint]:
        return self._project.endpoints_of_student(name)

    @property
    def shards(self) -> list[str]:
        """Shard keys in the order of the sources file."""
        self._require("shards", "shards" in self.reads.facts or self.reads.entry is earlier_shards)
        return sources.shard_keys(self._project.sources)

    @property
    def ranks(self) -> dict[str, int]:
        """Rank by source."""
        self._require("ranks", "ranks" in self.reads.facts)
        return FACTS["ranks"](self._project)

    @property
    def exclusions(self) -> Exclusions:
        self._require("exclusions", "exclusions" in self.reads.facts)
        return self._project.exclusions

    def source(self, shard: str) -> tuple[str, Source]:
        """Name and definition of the source of a shard."""
        self._require("source", self.reads.entry is source_entry)
        name = sources.source_of(self._project.sources, shard)
        return name, self._project.sources[name]

    def benchmark(self, name: str) -> Benchmark:
        self._require("benchmark", self.reads.entry is benchmark_entry)
        return self._project.benchmarks[name]

    def experiment(self, name: str) -> Experiment:
        self._require("experiment", self.reads.entry is experiment_entry)
        return self._project.experiments.named[name]

    def limits_of(self, verifier: Verifier) -> Section:
        """The section of the instruments that its verdicts are made with."""
        self._require(f"instruments.{verifier.section}", self.reads.entry is verifying)
        limits: Section = getattr(self._project.instruments, verifier.section)
        return limits

    def pin(self, partition: str) -> None:
        """Record the commit at which files of a hub are read from now on, where none is; a part of the entry."""
        if self.reads.entry is source_entry:
            pin(self.source(partition)[1].location, self.sources_folder)
        elif self.reads.entry is benchmark_entry:
            pin(self.benchmark(partition).location, self.data)

    def entry(self, partition: str) -> Entry | None:
        """The entry of a partition, None where none is declared; `ConfigError` where its file is broken."""
        if self.reads.entry is None:
            return None
        found = self.reads.entry(self._project, partition)
        if found is None:
            self._project.recipe(partition)  # raises the ConfigError of that recipe
        return found

    @property
    def instruments(self) -> Any:
        return _DeclaredInstruments(self, self._project.instruments)

    def _require(self, part: str, declared: bool) -> None:
        if not declared:
            raise Undeclared(f"{self.table} reads {part} of the project, which its declaration does not name")


@dataclass(frozen=True)
class _DeclaredInstruments:
    """Instruments limited to the declared sections and, of sections declared in part, to the declared fields."""

    _declared: Declared
    _all: Instruments

    def __getattr__(self, section: str) -> Any:
        named = [path for path in self._declared.reads.instruments if path.partition(".")[0] == section]
        self._declared._require(f"instruments.{section}", bool(named))
        whole = getattr(self._all, section)
        if section in named:
            return whole
        return _DeclaredFields(self._declared, section, whole, frozenset(path.partition(".")[2] for path in named))


@dataclass(frozen=True)
class _DeclaredFields:
    _declared: Declared
    _name: str
    _section: Section
    _fields: frozenset[str]

    def __getattr__(self, name: str) -> Any:
        hidden = name in type(self._section).model_fields and name not in self._fields
        self._declared._require(f"instruments.{self._name}.{name}", not hidden)
        return getattr(self._section, name)
