"""Reading YAML files into typed sections, with errors that name the file and the field.

>>> read_section(Instruments, path)  # doctest: +SKIP
ConfigError: data/instruments.yaml: pairs.floor: Input should be less than 1
"""

from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    RootModel,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from am_assets.config.alike import alike

M = TypeVar("M", bound=BaseModel)
WORDS = {  # for faults that Pydantic tells in the terms of Python
    "extra_forbidden": "no such field",
    "model_type": "expected fields and their values, as in {field: value}",
    "dict_type": "expected names and values, as in {name: value}",
    "invalid_key": "a name is text: write it in quotes",
}


class Section(BaseModel):
    """Base class of settings: immutable, unknown keys are errors.

    `later` names fields that were added after projects had stored such settings. Where one is as it is by default it is
    left out of what is stored, so that older projects are what they were, and pay for nothing again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _stored(self, as_usual: SerializerFunctionWrapHandler) -> dict[str, Any]:
        silent = self._silent()
        return {name: value for name, value in as_usual(self).items() if name not in silent}

    def _silent(self) -> set[str]:
        """The fields that decide nothing as they stand."""
        fields = type(self).model_fields
        return {name for name in self.later if getattr(self, name) == fields[name].default}


class ConfigError(ValueError):
    """A file under `data/` is invalid; the message names the file and the field."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml, 10 times as fast
    """A safe loader that rejects duplicate keys, of which PyYAML keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key_node, _), key in zip(node.value, keys, strict=True):
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands here twice", key_node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; empty for an empty file. `ConfigError` names the file, and the line of an error."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from None
    except OSError as error:  # a folder, or a file that this user may not read
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from None
    return read_text(text, path)


def yaml_files(folder: Path) -> list[Path]:
    """Those of a folder, sorted, without what an editor holds beside an open one, which begins with a dot.
    `ConfigError` where the folder can't be read."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".yaml" and path.name[0] != ".")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{folder}: can't be read: {error.strerror}") from None


def read_text(text: str, path: Path) -> dict[str, Any]:
    """The mapping in the text of a YAML file, which errors name."""
    try:
        content = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError) as error:  # the latter of a date or a number that can't be
        raise ConfigError(f"{path}: not YAML: {error}") from None
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(content).__name__}")
    if (name := next((key for key in content or {} if not isinstance(key, str)), None)) is not None:
        raise ConfigError(f'{path}: {name}: a name is text: write it in quotes, as in "{name}":')
    return content or {}


def parse(model: type[M], content: Any, where: str) -> M:
    """`content` validated as `model`; `ConfigError` lists every invalid field, each prefixed by `where`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = [
            ": ".join([where, *([".".join(map(str, e["loc"]))] if e["loc"] else []), _said(e["type"], e["msg"])])
            + (_meant(model, e["loc"]) if e["type"] == "extra_forbidden" else "")
            for e in error.errors()
        ]
        raise ConfigError("\n".join(faults)) from None


def read_section(model: type[M], path: Path) -> M:
    """The settings in a file, as by default where there is none; errors as of `parse`."""
    return parse(model, read_yaml(path) if path.exists() else {}, str(path))


def _said(kind: str, message: str) -> str:
    return WORDS.get(kind, message.removeprefix("Value error, "))


def _meant(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    """The fields that may have been meant by one that is not known: similar ones beside it, else those of its name in a
    section below."""
    sections = _models(model)
    for part in path[:-1]:  # the index of a list, a key of a mapping or a variant of a union is no field
        below = [one for section in sections for one in _models(_annotation(section, part))]
        sections = below or sections
    name = str(path[-1])
    inner = [
        f"{field}.{name}"
        for section in sections
        for field, info in section.model_fields.items()
        for one in _models(info.annotation)
        if name in one.model_fields
    ]
    beside = alike(name, [field for section in sections for field in section.model_fields])
    return f" (did you mean {' or '.join(inner[:3])}?)" if inner else beside


def _annotation(section: type[BaseModel], part: int | str) -> Any:
    field = section.model_fields.get(str(part))
    return field.annotation if field else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The sections that a type is made of, as `dict[str, Section] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        root = annotation.model_fields.get("root") if issubclass(annotation, RootModel) else None
        return _models(root.annotation) if root else [annotation]
    return [one for inner in get_args(annotation) for one in _models(inner)]


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` updated by `changes`: mappings are merged recursively, everything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged
