"""Which line of which file kept or dropped a row."""

from pathlib import Path

import pytest
import yaml

from am_assets.config.recipe import Recipe, SamplingPolicy, load_recipe
from am_assets.config.vocabulary import QUESTION_DROPS, RESPONSE_DROPS
from am_assets.planning.explain.lines import FIELDS, Line, fields_of, lines, rate_fields, set_in

RATES = SamplingPolicy(rates={"easy": 0.5, "math": 0.8, "coding/easy": 0.3})
NONE = SamplingPolicy()


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "recipes"
    folder.mkdir(parents=True)
    base = {"teacher": {"model": "m"}, "training": {"student": "s"}, "dedup": {"threshold": 0.9}}
    strict = {"extends": "base", "sampling": {"rates": {"easy": 0.5}}, "verification": {"reward_rule": "deepdistill"}}
    for name, content in {"base": base, "strict": strict}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_every_drop_reason_that_a_recipe_has_a_say_in_names_a_field_that_exists() -> None:
    reasons = {*QUESTION_DROPS, *RESPONSE_DROPS} - {"defective", "downsampled"}
    assert set(FIELDS) == reasons
    recipe = Recipe(teacher={"model": "m"}, training={"student": "s"}).model_dump()
    for _, field in (line for of in FIELDS.values() for line in of):
        value = recipe
        for name in field.split("."):
            assert name in value, field
            value = value[name]


@pytest.mark.parametrize(
    ("reason", "detail", "field"),
    [
        ("contaminated", "0.71 of the 13-grams of math500/a", "sampling.decontamination.ngram_share"),
        ("contaminated", "0.8 of the wording of math500/a", "sampling.decontamination.wording"),
        ("contaminated", "cosine 0.95 to math500/a", "sampling.decontamination.cosine"),
        ("contaminated", "same numbers and cosine 0.8 as math500/a", "sampling.decontamination.reworded"),
        ("contaminated", "confirmed at cosine 0.8 to math500/a", "sampling.decontamination.confirmed"),
        ("contaminated", "text of math500/a", "sampling.decontamination.same_text"),
        ("contaminated", "text but for numbers of math500/a", "sampling.decontamination.same_template"),
        ("unsuitable", "url", "sampling.drop"),
        ("unsuitable", "language fr", "sampling.languages"),
        ("repetitive", "consecutive 0.4 > 0.3", "verification.max_consecutive"),
        ("low_reward", "reward 0.5 < 0.7", "verification.min_reward"),
        ("low_reward", "coherence 1 < 2", "verification.minima.coherence"),
        ("wrong_answer", "math: judge: disagrees", "verification.split"),
        ("wrong_answer", "math: not equal", "verification.accept"),
    ],
)
def test_the_detail_tells_which_of_the_rules_spoke(reason: str, detail: str, field: str) -> None:
    assert fields_of(reason, detail, NONE, ("math", "easy")) == [field]


def test_a_defective_row_is_no_recipes_doing() -> None:
    assert fields_of("defective", "empty", NONE, ("", "")) == []


def test_a_rate_is_the_pairs_else_the_product_of_category_and_difficulty() -> None:
    assert [*rate_fields(RATES, "coding", "easy")] == ["sampling.rates.coding/easy"]
    assert [*rate_fields(RATES, "math", "easy")] == ["sampling.rates.math", "sampling.rates.easy"]
    assert [*rate_fields(RATES, "others", "hard")] == []
    shares = SamplingPolicy(shares={"difficulty": {"easy": 0.2}})
    assert [*rate_fields(shares, "math", "easy")] == ["sampling.shares.difficulty.easy"]


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
