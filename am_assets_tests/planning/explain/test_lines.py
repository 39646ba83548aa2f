"""Which file sets a field, to which value then and now."""

from pathlib import Path

import pytest
import yaml

from am_assets.config.recipe_files import load_recipe
from am_assets.planning.explain.lines import Line, lines, set_in


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "recipes"
    folder.mkdir(parents=True)
    base = {"teacher": {"model": "m"}, "training": {"student": "s"}, "dedup": {"threshold": 0.9}}
    strict = {"extends": "base", "sampling": {"rates": {"easy": 0.5}}, "verification": {"reward_rule": "deepdistill"}}
    for name, content in {"base": base, "strict": strict}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_a_value_comes_from_the_own_file_the_one_it_extends_a_named_rule_or_is_the_default(recipes: Path) -> None:
    assert set_in(recipes, "strict", "sampling.rates.easy") == "data/recipes/strict.yaml"
    assert set_in(recipes, "strict", "dedup.threshold") == "data/recipes/base.yaml, which strict extends"
    assert set_in(recipes, "base", "dedup.threshold") == "data/recipes/base.yaml"
    assert set_in(recipes, "strict", "sampling.drop") == "by default"
    rule = "reward_rule: deepdistill in data/recipes/strict.yaml"
    assert set_in(recipes, "strict", "verification.min_reward") == rule


def test_a_line_says_when_the_file_has_another_value_by_now(recipes: Path) -> None:
    used = load_recipe(recipes / "strict.yaml").model_dump()
    now = {**used, "dedup": {**used["dedup"], "threshold": 0.95}}
    line = lines(["dedup.threshold"], used, now, recipes, "strict")[0]
    assert line == Line("dedup.threshold", 0.9, "data/recipes/base.yaml, which strict extends", 0.95)
    assert line.outdated
