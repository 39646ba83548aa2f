"""The project folder as loaded: sources, benchmarks, recipes, instruments, endpoints, and the paths of results.

All files are read and checked together, so that a mistake in any of them is reported before anything is spent. The
command line refuses to start on every mistake. The UI stays up where only a recipe is broken: its partition and its
tables remain, and only its policies cannot be materialized until the file is mended.

Checks across files belong here or in `config/consistency.py`; the form of one file belongs to its own module.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from am_assets.config.alike import alike
from am_assets.config.cluster import FILE as CLUSTER_FILE
from am_assets.config.cluster import Cluster, Launcher, load_cluster
from am_assets.config.consistency import unmeasured
from am_assets.config.endpoints import Endpoint, Endpoints, load_endpoints, of_student
from am_assets.config.experiments import Experiments, load_experiments
from am_assets.config.files import ConfigError, read_section
from am_assets.config.folders import Folders
from am_assets.config.hardware import Hardware, load_hardware
from am_assets.config.instruments import Instruments
from am_assets.config.partitions import MOST_PARTITIONS, name_fault
from am_assets.config.recipe import Recipe
from am_assets.config.recipe_files import load_recipes
from am_assets.config.unread import unread
from am_assets.datasets import hub
from am_assets.datasets.benchmarks import Benchmark, known_benchmarks, load_benchmarks
from am_assets.datasets.exclusions import Exclusions, load_exclusions
from am_assets.datasets.sources import Source, load_sources
from am_assets.engines.llm.names import misnamed, misnamed_entries
from am_assets.engines.models import embedder
from am_assets.engines.models.bundled import BUNDLED
from am_assets.storage.shared.database import Database, open_database
from am_assets.storage.shared.mounting import mount
from am_assets.storage.shared.snapshots import Snapshot, placed, taken
from am_assets.storage.stored import StoredTables, refuse_newer


@dataclass(frozen=True)
class Project(Folders):
    """Settings by name, and the folders that tables, memo and models are written to."""

    sources_file: Path
    sources: dict[str, Source]
    benchmarks: dict[str, Benchmark]
    recipes: dict[str, Recipe]  # the valid ones
    broken: dict[str, str]  # the other recipes, with the message of their errors
    experiments: Experiments  # their variants are recipes too, which nothing runs unasked
    instruments: Instruments
    endpoints: Endpoints
    hardware: Hardware
    exclusions: Exclusions
    cluster: Cluster | None = None  # None: of one machine
    planned: Snapshot | None = None  # its config files as they were read, where a cluster carries out runs

    @property
    def instance(self) -> Path:
        return self.data / "instance"

    @property
    def launcher(self) -> Launcher | None:
        return self.cluster.launcher if self.cluster else None

    def database(self) -> Database | None:
        """What machines share, None where it is one; errors as of `open_database`."""
        return open_database(self.cluster, self.memo)

    @property
    def recipe_names(self) -> list[str]:
        """Of valid and broken recipes, in alphabetical order, without names that cannot be partition keys."""
        return sorted(name for name in {*self.recipes, *self.broken} if not name_fault("recipe", name))

    @property
    def recipe_partitions(self) -> list[str]:
        """The names of recipes and of variants of experiments, in alphabetical order."""
        return sorted({*self.recipe_names, *self.experiments.keys})

    @property
    def begun(self) -> "Project":
        """Without the experiments that nobody began: in the UI their variants would all be missing."""
        made = StoredTables(self.assets).partitions("dedup_policy")  # the first of a variant
        return replace(self, experiments=self.experiments.begun(made))

    def recipe(self, name: str) -> Recipe:
        """That of a file, or a variant of an experiment; `ConfigError` where it is broken or does not exist."""
        if name in self.broken:
            raise ConfigError(self.broken[name])
        if name not in self.recipes and name in self.experiments.keys:
            if name in self.experiments.flawed:
                raise ConfigError(self.experiments.flawed[name])
            return self.experiments.variants[name]
        if name not in self.recipes:
            raise ConfigError(
                f"no recipe {name} in {self.data / 'recipes'}{alike(name, [*self.recipes, *self.experiments.keys])};"
                f" there are {', '.join(self.recipes)}"
            )
        return self.recipes[name]

    def where(self, recipe: str) -> str:
        """What messages about a field of a recipe begin with: its file, and the variant of an experiment."""
        if recipe in self.experiments.keys and recipe not in self.recipe_names:
            return str(self.data / self.experiments.where(recipe))
        return f"{self.data / 'recipes' / recipe}.yaml"

    def refuse_broken(self) -> None:
        """`ConfigError` with the faults of all broken recipes, if there are any."""
        if self.broken:
            raise ConfigError("\n".join(dict.fromkeys(self.broken.values())))

    def endpoints_of(self, model: str) -> list[Endpoint]:
        """The endpoints that serve a model; one with defaults where none is configured."""
        return self.endpoints.get(model) or [Endpoint()]

    def endpoints_of_student(self, name: str) -> list[Endpoint]:
        """The endpoints that serve a student; none where it answers in the process of the run."""
        return of_student(self.endpoints, name)


@cache
def project() -> Project:
    """The project at hand, read once a process: `AM_DATA` names its folder (default `data`), `AM_SOURCES` a sources
    file elsewhere.

    For the entry points alone, `definitions.py` and the command line; everything else is passed a `Project`.
    """
    data = data_folder()
    refuse_newer(data / "assets")  # first: the files of a newer version may be unreadable to this one
    return load_project(data, sources_file())


def sources_file() -> Path:
    """The sources file of the project at hand, which need not be there. Beside it lie a catalogue of the project's own
    and the commits that were recorded."""
    return Path(os.environ.get("AM_SOURCES", data_folder() / "sources.yaml")).resolve()


def data_folder() -> Path:
    """The folder of the project at hand, which need not be there."""
    return Path(os.environ.get("AM_DATA", "data")).resolve()


def load_project(data: Path, sources_file: Path) -> Project:
    """The project in a folder. Faults of recipes are returned in `broken`, those of experiments in
    `experiments.flawed`; for all others `ConfigError` names the file and the field. A run on a cluster reads the files
    that it was planned with.

    >>> load_project(Path("data"), Path("data/sources.yaml")).recipe("demo").dedup.threshold
    """
    cluster = load_cluster(data / CLUSTER_FILE)
    loaded = _read(data, sources_file, cluster)
    while loaded.planned and loaded.planned != taken(*placed(data, sources_file)):  # edited while they were read
        loaded = _read(data, sources_file, cluster)
    recipes, broken = loaded.recipes, loaded.broken
    mount(data, cluster, loaded.database)
    partitions = {"recipes and variants": len(loaded.recipe_partitions), "benchmarks": len(loaded.benchmarks)}
    for kind, count in partitions.items():
        if count > MOST_PARTITIONS:
            raise ConfigError(
                f"{data}: {count} {kind}; at most {MOST_PARTITIONS}, or Dagster stops telling what is stale"
            )
    if faults := [*unread(data), *_misnamed_models(loaded), *_unbounded(loaded)]:
        raise ConfigError("\n".join(faults))
    for name, faults in {name: list(_recipe_faults(name, loaded)) for name in recipes}.items():
        if faults:
            del recipes[name]
            broken[name] = "\n".join(faults)
    variants = loaded.experiments.variants
    for name, faults in {name: list(_variant_faults(name, loaded)) for name in variants}.items():
        if faults:
            del variants[name]
            loaded.experiments.flawed[name] = "\n".join(faults)
    return loaded


def _read(data: Path, sources_file: Path, cluster: Cluster | None) -> Project:
    """The project as each of its files has it."""
    at, sources_at = placed(data, sources_file)
    planned = taken(at, sources_at) if cluster and cluster.launcher else None
    recipes, broken = load_recipes(at / "recipes")
    return Project(
        data=data,
        sources_file=sources_file,
        sources=load_sources(sources_at),
        benchmarks=load_benchmarks(at / "benchmarks.yaml"),
        recipes=recipes,
        broken=broken,
        experiments=load_experiments(at, recipes, broken),
        instruments=read_section(Instruments, at / "instruments.yaml"),
        endpoints=load_endpoints(at / "endpoints.yaml"),
        hardware=load_hardware(at / "hardware.yaml"),
        exclusions=load_exclusions(sources_at.parent),
        cluster=cluster,
        planned=planned,
    )


class Live:
    """A project whose files may be edited while the code location is loaded.

    `loaded` is the project that the definitions were built from, `now` the one read last.
    """

    def __init__(self, loaded: Project):
        self.loaded = loaded
        self.now = loaded

    def reread(self) -> Project:
        """Read the files again. `ConfigError` where one that is no recipe is at fault; `now` is kept then."""
        self.now = load_project(self.loaded.data, self.loaded.sources_file).begun
        return self.now


def _unbounded(loaded: Project) -> Iterator[str]:
    """Endpoints whose costs the budget of all machines would not see in time."""
    if loaded.cluster and loaded.cluster.budget_usd is not None:
        for model, endpoints in loaded.endpoints.items():
            if any(endpoint.batch for endpoint in endpoints):
                yield (
                    f"{loaded.data / CLUSTER_FILE}: budget_usd: it does not go with `batch` of {model} in"
                    " endpoints.yaml, whose costs are known a day later: remove one of them"
                )


def _misnamed_models(loaded: Project) -> Iterator[str]:
    """Names of models in endpoints and instruments that cannot exist."""
    yield from (f"{loaded.data / 'endpoints.yaml'}: {fault}" for fault in misnamed_entries(loaded.endpoints))
    instruments = loaded.data / "instruments.yaml"
    for field, model in loaded.instruments.asked().items():
        if fault := misnamed(model, loaded.endpoints):
            yield f"{instruments}: {field}: {fault}"
    reward = loaded.instruments.reward.local
    for field, fault in {
        "embeddings.model": hub.misnamed(loaded.instruments.embeddings.model, list(embedder.BUNDLED)),
        "reward.model": None if reward is None else hub.misnamed(reward, []),
    }.items():
        if fault:
            yield f"{instruments}: {field}: {fault}"


def _recipe_faults(name: str, loaded: Project) -> Iterator[str]:
    where = f"{loaded.data / 'recipes' / name}.yaml"
    if fault := name_fault("recipe", name):
        yield f"{where}: {fault}"
    yield from contradictions(loaded.recipes[name], loaded, where)


def _variant_faults(key: str, loaded: Project) -> Iterator[str]:
    yield from contradictions(loaded.experiments.variants[key], loaded, loaded.where(key))


def contradictions(recipe: Recipe, loaded: Project, where: str) -> Iterator[str]:
    """A message for each field of a recipe that the rest of the project contradicts; it begins with `where`, the file
    or option that sets the field."""
    yield from unmeasured(recipe, loaded.instruments, where)
    for field, fault in {
        "teacher.model": misnamed(recipe.teacher.model, loaded.endpoints),
        "training.student": hub.misnamed(recipe.training.student, [BUNDLED]),
    }.items():
        if fault:
            yield f"{where}: {field}: {fault}"
    for field, names in {
        "sampling.decontamination.benchmarks": recipe.sampling.decontamination.benchmarks,
        "evaluation.benchmarks": recipe.evaluation.benchmarks,
        "evaluation.by_benchmark": recipe.evaluation.by_benchmark,
    }.items():
        for unknown in sorted(set(names) - set(loaded.benchmarks)):
            known = ", ".join(loaded.benchmarks) or "none"
            meant = alike(unknown, loaded.benchmarks)
            step = f"; `use: [{unknown}]` there adds the published one" if unknown in known_benchmarks() else ""
            yield f"{where}: {field}: no benchmark {unknown} in benchmarks.yaml (it has {known}){meant}{step}"
