"""The recipes of a project: one YAML file each, which may extend another. A project without any has `default`."""

from pathlib import Path
from string import Template
from typing import Any

from am_assets.config.alike import alike
from am_assets.config.endpoints import BUNDLED
from am_assets.config.files import ConfigError, merge, parse, read_text, read_yaml, yaml_files
from am_assets.config.recipe import Recipe

DEFAULT = "default"
HERE = Path(__file__).parent


def read_recipe(path: Path, children: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The content of a recipe file merged over the one it extends; `ConfigError` where `extends:` is circular."""
    if path in children:
        raise ConfigError(f"{path}: extends: goes in a circle: {' -> '.join(p.stem for p in (*children, path))}")
    content = read_written(path)
    parent = content.pop("extends", None)
    if parent is None:
        return content
    other = path.with_name(f"{parent}.yaml")
    if not other.exists():
        names = [one for one in recipe_names(path.parent) if one != path.stem]
        raise ConfigError(f"{path}: extends: no recipe {parent} in {path.parent}{alike(str(parent), names)}")
    return merge(read_recipe(other, (*children, path)), content)


def read_written(path: Path) -> dict[str, Any]:
    """What the file of a recipe says itself; of the default one, in a folder without any recipe, what it is."""
    return read_text(default_recipe(), path) if is_default(path.parent, path.stem) else read_yaml(path)


def is_default(folder: Path, name: str) -> bool:
    """Whether recipe `name` of a folder is the one that a project has without any."""
    return name == DEFAULT and not yaml_files(folder)


def default_recipe(model: str = BUNDLED, sampling: str | None = None) -> str:
    """The text of the recipe of a project that has none, for another teacher with lines on how it is asked."""
    text = (HERE / "default_recipe.yaml").read_text(encoding="utf-8")
    embedded = (HERE / "default_sampling.yaml").read_text(encoding="utf-8").rstrip()
    body = text[text.index("teacher:") :]  # without the comment on this text itself
    return Template(body).substitute(model=model, sampling=embedded if sampling is None else sampling)


def recipe_names(folder: Path) -> list[str]:
    """In alphabetical order; `default` where the folder has no file."""
    return [path.stem for path in yaml_files(folder)] or [DEFAULT]


def load_recipe(path: Path) -> Recipe:
    """The recipe in a file; `ConfigError` names the file and the field at fault."""
    return parse(Recipe, read_recipe(path), str(path))


def load_recipes(folder: Path) -> tuple[dict[str, Recipe], dict[str, str]]:
    """The recipes of a folder by name, in alphabetical order, and the errors of invalid ones by name. Without a file
    there is one, `default`."""
    recipes: dict[str, Recipe] = {}
    broken: dict[str, str] = {}
    for name in recipe_names(folder):
        try:
            recipes[name] = load_recipe(folder / f"{name}.yaml")
        except ConfigError as error:
            broken[name] = str(error)
    return recipes, broken
