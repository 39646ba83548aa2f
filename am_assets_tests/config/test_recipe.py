"""Recipes: every mistake is named by file and field, and `extends` says only what differs."""

from pathlib import Path

import pytest
import yaml

from am_assets.config.consistency import unmeasured
from am_assets.config.evaluation import EvaluationPolicy
from am_assets.config.files import ConfigError, merge
from am_assets.config.instruments import Instruments
from am_assets.config.recipe import Recipe, VerificationPolicy
from am_assets.config.recipe_files import load_recipe, load_recipes

WHOLE = {"teacher": {"model": "m"}, "training": {"student": "s"}}


def trained(**fields: object) -> dict:
    return {**WHOLE, "training": {"student": "s", **fields}}


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("content", "field", "says"),
    [
        ({**WHOLE, "dedup": {"treshold": 0.9}}, "dedup.treshold", "no such field"),
        ({**WHOLE, "dedupe": {}}, "dedupe", "no such field"),
        ({**WHOLE, "dedup": {"threshold": 1.2}}, "dedup.threshold", "less than or equal to 1"),
        ({**WHOLE, "verification": {"keep": "some"}}, "verification.keep", "'all', 'first'"),
        ({"training": {"student": "s"}}, "teacher", "required"),
        ({**WHOLE, "verification": {"weights": {"verbosity": -1}}}, "verification.weights.verbosity", "or equal to 0"),
        (
            {**WHOLE, "verification": {"weights": {"correctness": 0, "helpfulness": 0, "coherence": 0}}},
            "verification.weights",
            "every weight is 0",
        ),
        ({**WHOLE, "verification": {"accept": "some"}}, "verification.accept", "'consensus', 'reward' or 'all'"),
        ({**WHOLE, "verification": {"minima": {"coherence": 5}}}, "verification.minima.coherence", "or equal to 4"),
        ({**WHOLE, "verification": {"first_tests": 0}}, "verification.first_tests", "greater than or equal to 1"),
        ({**WHOLE, "verification": {"templates": []}}, "verification.templates", "at least 1 item"),
        ({**WHOLE, "verification": {"reward_rule": "ours"}}, "verification.reward_rule", "'deepdistill'"),
        (
            {**WHOLE, "verification": {"reward_rule": "deepdistill", "min_reward": 0.8}},
            "verification",
            "min_reward is not what reward_rule deepdistill says",
        ),
        ({**WHOLE, "sampling": {"rates": {"easy": -1}}}, "sampling.rates.easy", "greater than or equal to 0"),
        ({**WHOLE, "sampling": {"rates": {"esy": 1}}}, "sampling.rates.esy", "esy is none of math, coding"),
        ({**WHOLE, "sampling": {"rates": {"easy/math": 1}}}, "sampling.rates.easy/math", "easy is none of math"),
        ({**WHOLE, "sampling": {"rates": {"math": 1}, "shares": {"difficulty": {"easy": 1}}}}, "sampling", "rates and"),
        ({**WHOLE, "sampling": {"shares": {"difficulty": {"math": 1}}}}, "sampling.shares.difficulty.math", "none of"),
        ({**WHOLE, "sampling": {"shares": {"difficulty": {"easy": 0.7, "hard": 0.4}}}}, "sampling.shares", "up to 1.1"),
        (trained(epochs=float("inf")), "training.epochs", "finite"),
        (trained(warmup_share=1), "training.warmup_share", "less than 1"),
        (trained(seed=-1), "training.seed", "greater than or equal to 0"),
        (trained(packing=True, group_by_length=True), "training", "set it or packing to false"),
        (
            {**WHOLE, "sampling": {"shares": {"difficulty": {"easy": 0.7}, "category": {"math": 0.1}}}},
            "sampling.shares",
            "leave one of them empty",
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_file(tmp_path: Path, content: dict, field: str, says: str) -> None:
    path = write(tmp_path, "wrong", content)
    with pytest.raises(ConfigError) as error:
        load_recipe(path)
    assert str(path) in str(error.value)
    assert field in str(error.value)
    assert says in str(error.value)


@pytest.mark.parametrize("content", ["- a list", "a: [unclosed", ""])
def test_what_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load_recipe(write(tmp_path, "bad", content))


def test_a_recipe_differs_from_the_one_it_extends_only_in_what_it_names(tmp_path: Path) -> None:
    base = load_recipe(write(tmp_path, "base", {**WHOLE, "dedup": {"threshold": 0.9, "priority": ["published"]}}))
    child = load_recipe(write(tmp_path, "child", {"extends": "base", "dedup": {"threshold": 0.8}}))
    assert child.dedup.threshold == 0.8
    assert child.dedup.priority == ["published"]
    assert child.model_copy(update={"dedup": base.dedup}) == base


def test_null_takes_back_the_rates_of_the_extended_recipe(tmp_path: Path) -> None:
    write(tmp_path, "base", {**WHOLE, "sampling": {"rates": {"easy": 0.5}}})
    shares = {"category": {"math": 0.5}}
    child = load_recipe(
        write(tmp_path, "child", {"extends": "base", "sampling": {"rates": None, "shares": shares}}),
    )
    assert child.sampling.rates == {}
    assert child.sampling.shares.category == {"math": 0.5}


def test_a_circle_of_extends_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a", {"extends": "b"})
    write(tmp_path, "b", {"extends": "a"})
    with pytest.raises(ConfigError, match="a -> b"):
        load_recipe(tmp_path / "a.yaml")


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.yaml: extends: no recipe nobody in"):
        load_recipe(write(tmp_path, "a", {"extends": "nobody"}))


def test_merging_leaves_its_arguments_alone() -> None:
    base = {"a": {"b": 1, "c": [1, 2]}}
    assert merge(base, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}}
    assert base == {"a": {"b": 1, "c": [1, 2]}}


def test_the_bundled_recipes_are_valid() -> None:
    data = Path(__file__).parents[2] / "data"
    recipes, broken = load_recipes(data / "recipes")
    published, faults = load_recipes(data / "examples" / "paper" / "recipes")
    assert not broken | faults
    assert {"demo", "demo-strict", "demo-relaxed", "paper"} <= set(recipes | published)
    demo, strict = recipes["demo"], recipes["demo-strict"]
    assert strict.teacher == demo.teacher and strict.training == demo.training
    assert strict.sampling.model_copy(update={"rates": demo.sampling.rates}) == demo.sampling
    assert strict.sampling.rates["easy"] < demo.sampling.rates["easy"]  # so what it selects is among the demo's
    assert isinstance(demo, Recipe)


def test_a_named_reward_rule_sets_what_it_stands_for_and_says_so_again_when_read_back() -> None:
    named = VerificationPolicy(reward_rule="deepdistill")
    three = {"correctness": 1, "helpfulness": 1, "coherence": 1, "complexity": 0, "verbosity": 0}
    assert (named.weights.model_dump(), named.min_reward) == (three, 0.7)
    assert not any(named.minima.model_dump().values())
    assert VerificationPolicy.model_validate(named.model_dump()) == named


MODELS = {"teacher": {"model": "m"}, "training": {"student": "s"}}


def test_cuts_that_touch_as_by_default_are_no_part_of_the_policy_so_that_older_projects_keep_theirs() -> None:
    assert "touched" not in EvaluationPolicy().model_dump()
    assert "touched" not in EvaluationPolicy(touched={"cosine": EvaluationPolicy().touched.cosine}).model_dump()
    policy = EvaluationPolicy(touched={"cosine": None})
    assert policy.model_dump()["touched"]["cosine"] is None
    assert EvaluationPolicy.model_validate(policy.model_dump()) == policy


def test_a_cut_under_the_floor_is_refused_where_it_is_set_and_by_default_it_begins_at_the_floor() -> None:
    instruments = Instruments.model_validate(
        {"labels": {"model": "m"}, "reward": {"model": "m"}, "overlap": {"floor": 0.88}}
    )
    off = {"decontamination": {"wording": None, "reworded": None}}

    def told(touched: dict) -> list[str]:
        recipe = Recipe.model_validate({**MODELS, "sampling": off, "evaluation": {"touched": touched}})
        return [*unmeasured(recipe, instruments, "r.yaml")]

    assert told({}) == told({"cosine": 0.9}) == told({"wording": None}) == told({"ngram_share": 0.1}) == []
    (said,) = told({"reworded": 0.87})
    assert said.startswith(
        "r.yaml: evaluation.touched.reworded: 0.87 lies under overlap.floor 0.88 of instruments.yaml"
    )


def test_tests_are_counted_only_where_all_of_them_run() -> None:
    content = {"labels": {"model": "m"}, "reward": {"model": "m"}, "code": {"stop_at_failure": True}}

    def told(verification: dict, **code: bool) -> list[str]:
        instruments = Instruments.model_validate(content | ({"code": code} if code else {}))
        return [*unmeasured(Recipe.model_validate({**MODELS, "verification": verification}), instruments, "r.yaml")]

    assert told({}) == told({"min_tests_passed": 0.5}, stop_at_failure=False) == []
    (said,) = told({"first_tests": 3})
    assert said.startswith(
        "r.yaml: verification.first_tests counts tests, but code.stop_at_failure of instruments.yaml"
    )
    assert len(told({"first_tests": 3, "min_tests_passed": 0.5})) == 2
    assert {"stop_at_failure", "output"}.isdisjoint(
        Instruments.model_validate(content | {"code": {}}).model_dump()["code"]
    )
