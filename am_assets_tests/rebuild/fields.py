"""Every field of every file under `data/`, and an edit of it to another valid value."""

import types
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from am_assets.automation.alerts import Alerts
from am_assets.automation.schedule import Schedule
from am_assets.config.endpoints import Endpoint
from am_assets.config.hardware import Preset
from am_assets.config.instruments import Instruments
from am_assets.config.recipe import Recipe
from am_assets.datasets.benchmarks import Benchmark
from am_assets.datasets.sources import Source
from am_assets_tests.rebuild.edits import ENTRIES, VALUES, With

Keys = tuple[str | int, ...]
Edit = dict[Keys, Any]  # of one file: what is set where; None where the key is taken away


@dataclass(frozen=True)
class Kind:
    """One form that a file's content has. Where it is `inert` an edit may touch nothing."""

    name: str
    model: type[BaseModel]
    file: str
    entry: str | None = None  # the file holds such things by name, and this one is edited
    inert: bool = False


KINDS = [
    Kind("recipe", Recipe, "recipes/plain.yaml"),
    Kind("source", Source, "sources.yaml", "mixed"),
    Kind("benchmark", Benchmark, "benchmarks.yaml", "held_out"),
    Kind("instruments", Instruments, "instruments.yaml"),
    Kind("endpoint", Endpoint, "endpoints.yaml", "openai/teacher", inert=True),
    Kind("hardware", Preset, "hardware.yaml", "gpu", inert=True),
    Kind("schedule", Schedule, "schedule.yaml", inert=True),
    Kind("alerts", Alerts, "alerts.yaml", inert=True),
]
# Of what lies under `data/`, by pattern: the kind that it is tried as, or why it has no fields to try.
FILES = {
    "recipes/*.yaml": "recipe",
    "experiments/*.yaml": "changes of a recipe, whose fields are tried as its own; test_experiments.py has the rest",
    "sources.yaml": "source",
    "benchmarks.yaml": "benchmark",
    "instruments.yaml": "instruments",
    "endpoints.yaml": "endpoint",
    "hardware.yaml": "hardware",
    "cluster.yaml": "what machines share and no table is made of; am_assets_tests/cluster has what an edit reaches",
    "schedule.yaml": "schedule",
    "alerts.yaml": "alerts",
    "catalog.yaml": "sources, whose fields are tried as such; test_catalog.py has what an edit reaches",
    "exclude.txt": "ids and texts; test_exclusions.py has what an edit reaches",
    "revisions.yaml": "commits of the hub; test_recorded_commits.py has what an edit reaches",
    "schemas/*.json": "what editors check the other files by",
    "rounds/*.parquet": "content that a name is the hash of; test_rounds.py has what an edit reaches",
    "samples/*.jsonl": "rows of sources and benchmarks: what their field `location` names",
    "examples/**": "projects of their own, of the same files",
    "instance/**": "how Dagster keeps its records",
    **dict.fromkeys(("assets/**", "memo/**", "graphs/**", "mapped/**", "models/**", "tokens/**", "runs/**"), "made"),
}


@dataclass(frozen=True)
class Field:
    kind: Kind
    keys: Keys  # within the kind

    @property
    def name(self) -> str:
        return f"{self.kind.name}.{'.'.join(str(key) for key in self.keys if not isinstance(key, int))}"

    @property
    def entry(self) -> str | None:
        return ENTRIES.get(self.name, self.kind.entry)

    def edit(self, folder: Path) -> Any:
        """Write another value into the file in a project folder, and return it; `LookupError` where none is known."""
        path = folder / self.kind.file
        content = yaml.safe_load(path.read_text()) if path.exists() else {}
        within = content[self.entry] if self.entry else content
        now = _at(self.kind.model.model_validate(within).model_dump(mode="json"), self.keys)
        for value in self._candidates(now):
            changed = deepcopy(within)
            new, beside = (value.value, value.beside) if isinstance(value, With) else (value, {})
            _set(changed, self.keys, new)
            for name, other in beside.items():
                _set(changed, tuple(name.split(".")), other)
            try:
                valid = self.kind.model.model_validate(changed)
            except ValidationError:
                continue
            if _at(valid.model_dump(mode="json"), self.keys) != now:
                whole = {**content, self.entry: changed} if self.entry else changed
                path.write_text(yaml.safe_dump(whole, sort_keys=False))
                return new
        raise LookupError(f"{self.name}: no other valid value is known: name one in edits.py")

    def _candidates(self, now: Any) -> Iterator[Any]:
        if self.name in VALUES:
            yield VALUES[self.name]
        else:
            yield from others(_annotation(self.kind.model, self.keys), now)


def every_field() -> list[Field]:
    return [Field(kind, keys) for kind in KINDS for keys in _walk(kind.model)]


def undeclared(data: Path) -> list[str]:
    """The files of a project folder that `FILES` says nothing of."""
    known = {path for pattern in FILES for path in data.glob(pattern + "/*" if pattern.endswith("**") else pattern)}
    return sorted(str(path.relative_to(data)) for path in data.rglob("*") if path.is_file() and path not in known)


def _walk(model: type[BaseModel], above: Keys = ()) -> Iterator[Keys]:
    """Fields of a section within are walked one by one; a section that may be absent is a field itself, too."""
    for name, field in model.model_fields.items():
        keys = (*above, name)
        section, many = _section(field.annotation)
        if section is None or section is not field.annotation:
            yield keys
        if section is not None:
            yield from _walk(section, (*keys, 0) if many else keys)


def _section(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The section that an annotation names, and whether it names a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    if get_origin(annotation) is list:
        return _section(get_args(annotation)[0])[0], True
    if get_origin(annotation) in (Union, types.UnionType):
        found = [_section(part) for part in get_args(annotation)]
        return next((one for one in found if one[0]), (None, False))
    return None, False


def _annotation(model: type[BaseModel], keys: Keys) -> Any:
    name, *rest = [key for key in keys if isinstance(key, str)]
    annotation = model.model_fields[name].annotation
    if not rest:
        return annotation
    section, _ = _section(annotation)
    assert section is not None
    return _annotation(section, tuple(rest))


def others(annotation: Any, now: Any) -> Iterator[Any]:
    """Values of the annotated type that may be valid and are not `now`, the nearest first."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from others(parts[0], now)
    elif origin in (Union, types.UnionType):
        for part in parts:
            yield from others(part, now)
        if now is not None:
            yield None
    elif origin is Literal:
        yield from (choice for choice in parts if choice != now)
    elif origin is list:
        now = now or []
        yield from ([*now, one] for one in others(parts[0], now[-1] if now else None))
        yield now[::-1]
    elif annotation is bool:
        yield not now
    elif annotation is int:
        yield from (7,) if now is None else (now + 1, now - 1)
    elif annotation is float:
        yield from (0.5,) if now is None else (round(now * 0.9, 9), now + 0.25)
    elif annotation is str:
        yield f"{now or ''}x"


def _at(content: Any, keys: Keys) -> Any:
    """What stands at `keys`; None within a section that is absent."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else content and content[key]
    return content


def _set(content: Any, keys: Keys, value: Any) -> None:
    *above, last = keys
    for key in above:
        content = content.setdefault(key, {}) if isinstance(content, dict) else content[key]
    content[last] = value
