"""The files of a project: YAML as mappings, mappings as typed sections, and mistakes told by file and field."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfigError(ValueError):
    """A file under `data/` says something that cannot be; the message names the file and the field."""


class _Loader(yaml.SafeLoader):
    """YAML keeps the last of two equal keys; here a key named twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for (key_node, _), key in zip(node.value, keys, strict=True):
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands here twice", key_node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, empty where it holds nothing; `ConfigError` naming file and line where it is none."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(content).__name__}")
    return content or {}


def parse(model: type[M], content: Any, where: str) -> M:
    """`content` as `model`; `ConfigError` listing every wrong field after `where`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = [f"{where}: {'.'.join(map(str, e['loc'])) or 'top'}: {e['msg']}" for e in error.errors()]
        raise ConfigError("\n".join(faults)) from None


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it; mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged
