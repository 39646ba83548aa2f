"""Where a field of a recipe gets its value: the value a decision used, the value now, and the file that sets it.

Which field decided on a row is stored with the row (`decided_by`), not worked out here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from am_assets.config.experiments import variant_in
from am_assets.config.files import merge, read_yaml
from am_assets.config.recipe_files import is_default, read_recipe, read_written
from am_assets.config.rewards import REWARD_RULES


@dataclass(frozen=True)
class Line:
    """A field of a recipe: the value a decision used, the file that sets the field, and the value set there now."""

    field: str
    value: Any
    where: str
    now: Any

    @property
    def outdated(self) -> bool:
        return self.value != self.now


def lines(fields: list[str], used: Mapping[str, Any], now: Mapping[str, Any], folder: Path, recipe: str) -> list[Line]:
    """A Line per field; `used` and `now` are the whole recipe as the decision read it and as its file says now.

    >>> lines(["dedup.threshold"], used, now, Path("data/recipes"), "paper")
    """
    return [Line(field, _at(used, field), set_in(folder, recipe, field), _at(now, field)) for field in fields]


def set_in(folder: Path, recipe: str, field: str) -> str:
    """The file that sets a field: the recipe's own, one that it extends, or `by default`."""
    name: str | None = recipe
    while name is not None:
        content = _written(folder, name)
        if _at(content, field) is not None:
            return _short(folder, name) + ("" if name == recipe else f", which {recipe} extends")
        name = content.get("extends")
    section, _, inner = field.partition(".")
    rule = _at(_whole(folder, recipe), "verification.reward_rule")
    if section == "verification" and inner.split(".")[0] in REWARD_RULES.get(rule, {}):
        return f"reward_rule: {rule} in {set_in(folder, recipe, 'verification.reward_rule')}"
    return "by default"


def _short(folder: Path, name: str) -> str:
    variant = variant_in(folder, name)
    if is_default(folder, name):
        return "the default recipe"
    if variant is None:
        return f"{folder.parent.name}/{folder.name}/{name}.yaml"
    file, key = variant
    return f"{folder.parent.name}/{file.parent.name}/{file.name}: variants.{key}"


def _written(folder: Path, name: str) -> dict[str, Any]:
    """What the file of a recipe says itself; of a variant of an experiment its changes, which extend the base."""
    variant = variant_in(folder, name)
    if variant is None:
        return read_written(folder / f"{name}.yaml")
    file, key = variant
    content = read_yaml(file)
    return {**(content["variants"][key] or {}), "extends": content["base"]}


def _whole(folder: Path, name: str) -> dict[str, Any]:
    if variant_in(folder, name) is None:
        return read_recipe(folder / f"{name}.yaml")
    changes = _written(folder, name)
    return merge(read_recipe(folder / f"{changes.pop('extends')}.yaml"), changes)


def _at(content: Any, field: str) -> Any:
    """The value at a dotted path, None where there is none. Names hold no dots; those of rates may hold slashes."""
    for name in field.split("."):
        content = content.get(name) if isinstance(content, Mapping) else None
    return content
