"""Two recipes' sets: rows that one has alone, the reason in the other, and the fields it stems from."""

import polars as pl
import pytest

from am_assets.config.recipe import Recipe
from am_assets.planning.diff.difference import differing, one_sided, stems_from

BASE = {"teacher": {"model": "m"}, "training": {"student": "s"}}


def recipe(**sections: dict) -> Recipe:
    return Recipe.model_validate({**BASE, **sections})


def test_fields_that_decide_on_no_row_are_no_difference() -> None:
    other = recipe(training={"student": "s", "epochs": 3}, dedup={"threshold": 0.9})
    assert [(change.field, change.before, change.after) for change in differing(recipe(), other)] == [
        ("dedup.threshold", 0.95, 0.9)
    ]


@pytest.mark.parametrize(
    ("reason", "stems"),
    [
        ("near_duplicate", ["dedup.threshold"]),
        ("downsampled", ["sampling.rates.easy"]),
        ("contaminated", ["dedup.threshold", "sampling.rates.easy"]),  # none of its own: another stood for it
        ("low_reward", ["verification.min_reward"]),
    ],
)
def test_a_reason_stems_from_its_own_fields_else_from_those_up_to_its_section(reason: str, stems: list[str]) -> None:
    other = recipe(dedup={"threshold": 0.9}, sampling={"rates": {"easy": 0.5}}, verification={"min_reward": 0.5})
    assert stems_from(reason, differing(recipe(), other)) == stems


def test_every_row_has_one_reason_and_those_that_were_never_there_have_theirs() -> None:
    kept = pl.DataFrame({"id": ["a", "b", "c"], "question_id": ["a", "b", "c"]})
    fates = pl.DataFrame({"id": ["a", "a", "b"], "reason": ["near_duplicate", "downsampled", "near_duplicate"]})
    fates = fates.with_columns(detail=pl.lit("why"))
    side = one_sided(kept, fates, "not in the pool", ("one", "other"), differing(recipe(), recipe()))
    assert side.reasons.select("reason", "rows").rows() == [("near_duplicate", 2), ("not in the pool", 1)]
    assert side.rows.select("id", "reason", "detail").rows() == [
        ("a", "near_duplicate", "why"),
        ("b", "near_duplicate", "why"),
        ("c", "not in the pool", None),
    ]
