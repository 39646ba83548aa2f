"""The recipes of a project: one YAML file each, which may extend another."""

from pathlib import Path
from typing import Any

from am_assets.config.alike import alike
from am_assets.config.files import ConfigError, merge, parse, read_yaml
from am_assets.config.recipe import Recipe


def read_recipe(path: Path, children: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The content of a recipe file merged over the one it extends; `ConfigError` where `extends:` is circular."""
    if path in children:
        raise ConfigError(f"{path}: extends: goes in a circle: {' -> '.join(p.stem for p in (*children, path))}")
    content = read_yaml(path)
    parent = content.pop("extends", None)
    if parent is None:
        return content
    other = path.with_name(f"{parent}.yaml")
    if not other.exists():
        names = [one.stem for one in path.parent.glob("*.yaml") if one != path]
        raise ConfigError(f"{path}: extends: no recipe {parent} in {path.parent}{alike(str(parent), names)}")
    return merge(read_recipe(other, (*children, path)), content)


def load_recipe(path: Path) -> Recipe:
    """The recipe in a file; `ConfigError` names the file and the field at fault."""
    return parse(Recipe, read_recipe(path), str(path))


def load_recipes(folder: Path) -> tuple[dict[str, Recipe], dict[str, str]]:
    """The recipes of a folder by name, in alphabetical order, and the errors of invalid ones by name."""
    recipes: dict[str, Recipe] = {}
    broken: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            recipes[path.stem] = load_recipe(path)
        except ConfigError as error:
            broken[path.stem] = str(error)
    if not recipes and not broken:
        raise ConfigError(f"{folder}: no recipe (*.yaml) here")
    return recipes, broken
