"""Two recipes' sets: rows that one has alone, the reason in the other, and the fields it stems from."""

import polars as pl
import pytest

from am_assets.config.recipe import Recipe
from am_assets.planning.diff.difference import causes_of, differing, one_sided

BASE = {"teacher": {"model": "m"}, "training": {"student": "s"}}


def recipe(**sections: dict) -> Recipe:
    return Recipe.model_validate({**BASE, **sections})


def test_fields_that_decide_on_no_row_are_no_difference() -> None:
    other = recipe(training={"student": "s", "epochs": 3}, dedup={"threshold": 0.9})
    assert [(change.field, change.before, change.after) for change in differing(recipe(), other)] == [
        ("dedup.threshold", 0.95, 0.9)
    ]


@pytest.mark.parametrize(
    ("decided_by", "causes"),
    [
        (["dedup.threshold"], ["dedup.threshold"]),
        (["dedup.priority"], ["dedup.threshold"]),
        (["sampling.rates.easy"], ["sampling.rates.easy"]),
        (["sampling.rates.math, sampling.rates.easy"], ["sampling.rates.easy"]),
        (["sampling.decontamination.cosine"], ["dedup.threshold", "sampling.rates.easy"]),  # another represented it
        (["verification.min_reward"], ["verification.min_reward"]),
        (["verification.min_reward", "dedup.threshold"], ["dedup.threshold", "verification.min_reward"]),
        ([None], ["dedup.threshold", "sampling.rates.easy", "verification.min_reward"]),  # no field of its own
    ],
)
def test_a_drop_comes_from_its_own_field_else_from_those_up_to_its_section(decided_by: list, causes: list[str]) -> None:
    other = recipe(dedup={"threshold": 0.9}, sampling={"rates": {"easy": 0.5}}, verification={"min_reward": 0.5})
    assert causes_of(decided_by, differing(recipe(), other)) == causes


def test_where_the_field_itself_is_equal_the_others_of_its_rule_are_the_cause() -> None:
    other = recipe(
        dedup={"threshold": 0.9},
        sampling={"decontamination": {"ngram": 8}},
        verification={"weights": {"coherence": 2}, "max_repetition": 0.2},
    )
    found = differing(recipe(), other)
    assert causes_of(["sampling.decontamination.ngram_share"], found) == ["sampling.decontamination.ngram"]
    assert causes_of(["verification.min_reward"], found) == ["verification.weights.coherence"]


def test_every_row_has_one_reason_and_those_that_were_never_there_have_theirs() -> None:
    kept = pl.DataFrame({"id": ["a", "b", "c"], "question_id": ["a", "b", "c"]})
    fates = pl.DataFrame({"id": ["a", "a", "b"], "reason": ["near_duplicate", "downsampled", "near_duplicate"]})
    fates = fates.with_columns(detail=pl.lit("why"), decided_by=pl.lit("dedup.threshold"))
    side = one_sided(kept, fates, "not in the pool", ("one", "other"), differing(recipe(), recipe()))
    assert side.reasons.select("reason", "rows").rows() == [("near_duplicate", 2), ("not in the pool", 1)]
    assert side.rows.select("id", "reason", "detail").rows() == [
        ("a", "near_duplicate", "why"),
        ("b", "near_duplicate", "why"),
        ("c", "not in the pool", None),
    ]
