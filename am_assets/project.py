"""The project folder as it stands: sources, benchmarks, recipes, instruments, endpoints, and where results go.

`AM_DATA` names the folder (default `data`), `AM_SOURCES` a sources file elsewhere. Everything is read once and checked
together, so that a mistake in any of these files stops the work before anything is spent. The command `am` stops at
every mistake. The UI stays up beside a broken recipe: its partition is still there with all that was made of it, and
only its policies can't be materialized until the file is mended.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from am_assets.config.endpoints import Endpoint, Endpoints, load_endpoints
from am_assets.config.files import ConfigError
from am_assets.config.instruments import Instruments, load_instruments
from am_assets.config.recipe import Recipe, load_recipes
from am_assets.datasets import hub
from am_assets.datasets.benchmarks import Benchmark, load_benchmarks
from am_assets.datasets.sources import Source, load_sources
from am_assets.engines.llm.names import misnamed, misnamed_entries
from am_assets.engines.models import embedder
from am_assets.engines.models.local_model import BUNDLED
from am_assets.storage.stored import refuse_newer

# A fan-in of 100 or more upstream partitions switches Dagster's staleness off for that edge.
MOST_PARTITIONS = 99
NAME = r"[a-z0-9_-]+"  # of a recipe: it is a partition key and part of paths


@dataclass(frozen=True)
class Project:
    data: Path
    sources_file: Path
    sources: dict[str, Source]
    benchmarks: dict[str, Benchmark]
    recipes: dict[str, Recipe]
    broken: dict[str, str]  # what is wrong with each of the other recipes
    instruments: Instruments
    endpoints: Endpoints

    @property
    def assets(self) -> Path:
        return self.data / "assets"

    @property
    def memo(self) -> Path:
        return self.data / "memo"

    @property
    def graphs(self) -> Path:
        return self.data / "graphs"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def instance(self) -> Path:
        return self.data / "instance"

    @property
    def recipe_names(self) -> list[str]:
        """Of sound and broken recipes, in alphabetical order."""
        return sorted(name for name in {*self.recipes, *self.broken} if re.fullmatch(NAME, name))

    def recipe(self, name: str) -> Recipe:
        """`ConfigError` where it is broken or not there."""
        if name in self.broken:
            raise ConfigError(self.broken[name])
        if name not in self.recipes:
            raise ConfigError(f"no recipe {name} in {self.data / 'recipes'}; there are {', '.join(self.recipes)}")
        return self.recipes[name]

    def refuse_broken(self) -> None:
        if self.broken:
            raise ConfigError("\n".join(self.broken.values()))

    def endpoints_of(self, model: str) -> list[Endpoint]:
        return self.endpoints.get(model) or [Endpoint()]


@cache
def project() -> Project:
    """The project named by the environment, read once."""
    data = Path(os.environ.get("AM_DATA", "data")).resolve()
    refuse_newer(data / "assets")  # before the files, which may be of a newer form too
    return load_project(data, Path(os.environ.get("AM_SOURCES", data / "sources.yaml")).resolve())


def load_project(data: Path, sources_file: Path) -> Project:
    """The project in a folder; `ConfigError` names the file and the field at fault, but for the faults of recipes,
    which are in `broken`."""
    recipes, broken = load_recipes(data / "recipes")
    loaded = Project(
        data=data,
        sources_file=sources_file,
        sources=load_sources(sources_file),
        benchmarks=load_benchmarks(data / "benchmarks.yaml"),
        recipes=recipes,
        broken=broken,
        instruments=load_instruments(data / "instruments.yaml"),
        endpoints=load_endpoints(data / "endpoints.yaml"),
    )
    for kind, count in {"recipes": len(loaded.recipe_names), "benchmarks": len(loaded.benchmarks)}.items():
        if count > MOST_PARTITIONS:
            raise ConfigError(
                f"{data}: {count} {kind}; at most {MOST_PARTITIONS}, or Dagster stops telling what is stale"
            )
    if wrong := [*_misnamed(loaded)]:
        raise ConfigError("\n".join(wrong))
    for name, faults in {name: list(_faults(name, loaded)) for name in recipes}.items():
        if faults:
            del recipes[name]
            broken[name] = "\n".join(faults)
    return loaded


class Live:
    """A project whose files are edited while the code location is loaded."""

    def __init__(self, loaded: Project):
        self.loaded = loaded  # what the definitions were built from
        self.now = loaded  # as it was last read

    def reread(self) -> Project:
        """The project as its files are now; where one that is no recipe is at fault, `ConfigError`, and what was read
        before stands."""
        self.now = load_project(self.loaded.data, self.loaded.sources_file)
        return self.now


def _misnamed(loaded: Project) -> Iterator[str]:
    """Models of endpoints and instruments that nobody could answer to."""
    yield from (f"{loaded.data / 'endpoints.yaml'}: {fault}" for fault in misnamed_entries(loaded.endpoints))
    for field, model in loaded.instruments.asked().items():
        if fault := misnamed(model, loaded.endpoints):
            yield f"{loaded.data / 'instruments.yaml'}: {field}: {fault}"
    reward = loaded.instruments.reward.local
    for field, fault in {
        "embeddings.model": hub.misnamed(loaded.instruments.embeddings.model, list(embedder.BUNDLED)),
        "reward.model": None if reward is None else hub.misnamed(reward, []),
    }.items():
        if fault:
            yield f"{loaded.data / 'instruments.yaml'}: {field}: {fault}"


def _faults(name: str, loaded: Project) -> Iterator[str]:
    """What is wrong with a recipe that its file alone can't tell."""
    where = loaded.data / "recipes" / f"{name}.yaml"
    if not re.fullmatch(NAME, name):
        yield f"{where}: a recipe's name may hold a-z, 0-9, _ and - only"
    yield from contradictions(loaded.recipes[name], loaded, str(where))


def contradictions(recipe: Recipe, loaded: Project, where: str) -> Iterator[str]:
    """What a recipe says that the rest of the project does not bear out; `where` is what says it."""
    floors = loaded.instruments
    if recipe.dedup.threshold < floors.pairs.floor:
        yield (
            f"{where}: dedup.threshold: {recipe.dedup.threshold} lies under pairs.floor {floors.pairs.floor} of"
            " instruments.yaml; such pairs are not stored: raise the one or lower the other"
        )
    decontamination = recipe.sampling.decontamination
    for rule in ("cosine", "wording", "reworded"):
        threshold = getattr(decontamination, rule)
        if threshold is not None and threshold < floors.overlap.floor:
            yield (
                f"{where}: sampling.decontamination.{rule}: {threshold} lies under overlap.floor"
                f" {floors.overlap.floor} of instruments.yaml: raise the one or lower the other"
            )
    if recipe.verification.accept == "reward" and floors.reward.judges != "every":
        yield (
            f"{where}: verification.accept: reward, but reward.judges of instruments.yaml is open: where a reference or"
            " tests could check a response there is no reward; set it to every"
        )
    asked = floors.overlap.confirm
    if decontamination.confirmed != "off" and (asked is None or decontamination.confirmed_cosine < asked.floor):
        yield (
            f"{where}: sampling.decontamination.confirmed: {decontamination.confirmed} from cosine"
            f" {decontamination.confirmed_cosine} on, but overlap.confirm of instruments.yaml asks"
            f" {'nobody' if asked is None else f'from {asked.floor} on'}"
        )
    split, opinion = recipe.verification.split, floors.math.opinion
    if split != "verifier" and opinion is None:
        yield f"{where}: verification.split: {split}, but math.opinion of instruments.yaml asks nobody"
    elif split == "both" and opinion is not None and opinion.ask != "always":
        yield (
            f"{where}: verification.split: both needs an opinion on what math-verify passes, but math.opinion of"
            f" instruments.yaml asks {opinion.ask}: set its ask to always"
        )
    for field, fault in {
        "teacher.model": misnamed(recipe.teacher.model, loaded.endpoints),
        "training.student": hub.misnamed(recipe.training.student, [BUNDLED]),
    }.items():
        if fault:
            yield f"{where}: {field}: {fault}"
    for field, names in {
        "sampling.decontamination.benchmarks": decontamination.benchmarks,
        "evaluation.benchmarks": recipe.evaluation.benchmarks,
    }.items():
        for unknown in sorted(set(names) - set(loaded.benchmarks)):
            there = ", ".join(loaded.benchmarks) or "none"
            yield f"{where}: {field}: no benchmark {unknown} in benchmarks.yaml (it has {there})"
