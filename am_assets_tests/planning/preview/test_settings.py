"""The settings of a preview: read as in a recipe file, and refused with the option and the field."""

from pathlib import Path

import pytest

from am_assets.config.files import ConfigError
from am_assets.planning.preview.whatif import changed_recipe
from am_assets.project import Project, project


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("AM_DATA", str(Path(__file__).parents[3] / "data"))
    monkeypatch.delenv("AM_SOURCES", raising=False)
    return project.__wrapped__()


def test_values_are_yaml_and_take_the_place_of_what_the_recipe_says(bundled: Project) -> None:
    changed = changed_recipe(
        bundled,
        "demo",
        [
            "dedup.threshold=0.9",
            "dedup.priority=[published]",
            "sampling.languages=null",
            "sampling.rates={coding/easy: 0.3}",
            "sampling.decontamination.ngram=8",
            "verification.keep=shortest",
        ],
    )
    assert (changed.dedup.threshold, changed.dedup.priority) == (0.9, ["published"])
    assert (changed.sampling.languages, changed.sampling.rates) == (None, {"coding/easy": 0.3})
    assert changed.sampling.decontamination.ngram == 8
    assert changed.verification.keep == "shortest"
    assert changed.teacher == bundled.recipes["demo"].teacher


def test_several_settings_are_judged_together(bundled: Project) -> None:
    changes = ["sampling.shares.category={math: 0.5}", "sampling.rates=null"]
    assert changed_recipe(bundled, "demo", changes).sampling.shares.category == {"math": 0.5}
    with pytest.raises(ConfigError, match="sampling: rates and shares"):
        changed_recipe(bundled, "demo", changes[:1])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("dedup.treshold=0.9", "--set dedup.treshold=0.9: dedup.treshold: no such field"),
        ("dedup.threshold=1.5", "--set dedup.threshold=1.5: dedup.threshold: Input should be less"),
        ("dedup.threshold.low=0.9", "--set dedup.threshold.low=0.9: threshold holds 0.95 and has no field of its own"),
        ("dedupe.threshold=0.9", "dedupe: no such field"),
        ("dedup.threshold", "expected section.field=value"),
        ("dedup=0.9", "expected section.field=value"),
        ("sampling.drop=[url", "sampling.drop: not YAML"),
        ("sampling.rates={esy: 1}", "sampling.rates.esy"),
        ("dedup.threshold=0.1", "--set dedup.threshold=0.1: dedup.threshold: 0.1 lies under pairs.floor"),
        ("sampling.decontamination.cosine=0.1", "sampling.decontamination.cosine: 0.1 lies under overlap.floor"),
        ("verification.accept=reward", "verification.accept: reward, but reward.judges of instruments.yaml is open"),
        ("sampling.decontamination.benchmarks=[none]", "no benchmark none in benchmarks.yaml"),
    ],
)
def test_what_cannot_be_is_refused_with_the_option_and_the_field(bundled: Project, change: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        changed_recipe(bundled, "demo", [change])
    assert says in str(refused.value)
    assert change.split("=")[0] in str(refused.value)
