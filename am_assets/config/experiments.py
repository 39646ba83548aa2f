"""Experiments: a question, a base recipe, and variants of it whose students answer the question.

One YAML file each under `data/experiments/`. A variant holds the differences from the base and is a recipe by itself,
named `<experiment>--<variant>`: it shares all evidence with the others. Nothing runs an experiment unasked, so a fault
in one stands in the way of that experiment alone.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from am_assets.config.alike import alike
from am_assets.config.files import ConfigError, Section, merge, parse, read_yaml, yaml_files
from am_assets.config.partitions import BETWEEN, part_fault, variant_key
from am_assets.config.recipe import Recipe
from am_assets.config.recipe_files import read_recipe

FOLDER = "experiments"


class Experiment(Section):
    """What one file says. The first variant is the one that the others are compared with."""

    question: Annotated[str, Field(min_length=1)]  # that the variants answer
    base: str  # a recipe of the project
    benchmarks: Annotated[list[str], Field(min_length=1)] | None = None  # what students are scored on; null: the base's
    variants: Annotated[dict[str, dict[str, Any] | None], Field(min_length=2)]  # changes of the base; null: none

    @field_validator("variants")
    @classmethod
    def _comparable(cls, variants: dict[str, dict[str, Any] | None]) -> dict[str, dict[str, Any] | None]:
        for name, changes in variants.items():
            if fault := part_fault("variant", name):
                raise ValueError(f"{name}: {fault}")
            evaluation = (changes or {}).get("evaluation")
            if isinstance(evaluation, dict) and "benchmarks" in evaluation:
                raise ValueError(f"{name}: all variants are scored on the same: name `benchmarks` beside `variants`")
        return variants

    def keys(self, name: str) -> dict[str, str]:
        """The variants in the order of the file, with the name of each one's recipe; `name` is the experiment's."""
        return {variant: variant_key(name, variant) for variant in self.variants}


@dataclass(frozen=True)
class Experiments:
    """The experiments of a project.

    named     by name, those whose file can be read
    variants  the recipes of their valid variants, by the names of these recipes
    flawed    messages of what is invalid: of a file by the experiment's name, of a variant by its recipe's
    """

    named: dict[str, Experiment] = field(default_factory=dict)
    variants: dict[str, Recipe] = field(default_factory=dict)
    flawed: dict[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, str]:
        """The names of all variants' recipes, invalid ones too, with the experiment of each."""
        return {key: name for name, one in self.named.items() for key in one.keys(name).values()}

    def begun(self, made: Collection[str]) -> "Experiments":
        """Those that have a variant among the recipes in `made`."""
        named = {name: one for name, one in self.named.items() if not {*one.keys(name).values()}.isdisjoint(made)}
        keys = {key for name, one in named.items() for key in one.keys(name).values()}
        return replace(self, named=named, variants={key: one for key, one in self.variants.items() if key in keys})

    def where(self, key: str) -> str:
        """The name of a variant's recipe as messages have it: its file, within the project's folder, and field."""
        name = self.keys[key]
        return f"{FOLDER}/{name}.yaml: variants.{key.removeprefix(variant_key(name, ''))}"

    def get(self, name: str) -> Experiment:
        """`ConfigError` where there is no such experiment, its file is at fault, or any of its variants."""
        if name in self.flawed:
            raise ConfigError(self.flawed[name])
        if name not in self.named:
            there = ", ".join([*self.named, *(one for one in self.flawed if one not in self.keys)]) or "none"
            raise ConfigError(f"no experiment {name} in {FOLDER}/{alike(name, self.named)}; there are {there}")
        if faults := [self.flawed[key] for key in self.named[name].keys(name).values() if key in self.flawed]:
            raise ConfigError("\n".join(faults))
        return self.named[name]


def load_experiments(data: Path, recipes: Collection[str], broken: Collection[str]) -> Experiments:
    """The experiments of a project folder, in alphabetical order. `recipes` names its valid recipes, `broken` the
    others; `ConfigError` is raised where the folder can't be read, and for nothing else."""
    found = Experiments()
    for path in yaml_files(data / FOLDER):
        try:
            if fault := part_fault("experiment", path.stem):
                raise ConfigError(f"{path}: {fault}")
            found.named[path.stem] = parse(Experiment, read_yaml(path), str(path))
        except ConfigError as error:
            found.flawed[path.stem] = str(error)
    for name, experiment in found.named.items():
        for variant, key in experiment.keys(name).items():
            try:
                found.variants[key] = _recipe(data, name, experiment, variant, {*recipes, *broken})
                if experiment.base in broken:
                    raise ConfigError(f"{data / FOLDER / name}.yaml: base: recipe {experiment.base} is at fault itself")
            except ConfigError as error:
                found.variants.pop(key, None)
                found.flawed[key] = str(error)
    return found


def _recipe(data: Path, name: str, experiment: Experiment, variant: str, files: set[str]) -> Recipe:
    """The base's file with the changes of a variant laid over it."""
    file = f"{data / FOLDER / name}.yaml"
    if experiment.base not in files:
        raise ConfigError(
            f"{file}: base: no recipe {experiment.base} in recipes/{alike(experiment.base, sorted(files))};"
            f" there are {', '.join(sorted(files))}"
        )
    if variant_key(name, variant) in files:
        raise ConfigError(f"{file}: variants.{variant}: recipes/{variant_key(name, variant)}.yaml has its name already")
    content = merge(read_recipe(data / "recipes" / f"{experiment.base}.yaml"), experiment.variants[variant] or {})
    if experiment.benchmarks is not None:
        content = merge(content, {"evaluation": {"benchmarks": experiment.benchmarks}})
    return parse(Recipe, content, f"{file}: variants.{variant}")


def variant_in(recipes: Path, name: str) -> tuple[Path, str] | None:
    """The file of the experiment that recipe `name` is a variant of, and the variant; None where it has a file in the
    folder `recipes`."""
    experiment, between, variant = name.partition(BETWEEN)
    if not between or (recipes / f"{name}.yaml").exists():
        return None
    return recipes.with_name(FOLDER) / f"{experiment}.yaml", variant
