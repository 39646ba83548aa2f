"""Two recipes' stored sets are read and compared, of whatever version they are."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets.config.recipe import Recipe
from am_assets.orchestration.schemas import TABLES
from am_assets.planning.diff.asking import diff

BASE = {"teacher": {"model": "m"}, "training": {"student": "s"}}
RECIPES = {
    "plain": Recipe.model_validate(BASE),
    "strict": Recipe.model_validate(BASE | {"dedup": {"threshold": 0.9}, "sampling": {"drop": ["url"]}}),
}


def write(folder: Path, asset: str, partition: str, rows: dict, without: tuple[str, ...] = ()) -> None:
    schema = TABLES[asset].create_empty().schema
    table = pl.DataFrame(rows, {name: schema[name] for name in rows})
    empty = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in rows]
    (folder / asset).mkdir(exist_ok=True)
    table.with_columns(empty).select(*schema).drop(without).write_parquet(folder / asset / f"{partition}.parquet")


@pytest.mark.parametrize(
    ("without", "causes"),
    [((), ["dedup.threshold"]), (("decided_by",), ["dedup.threshold", "sampling.drop"])],
    ids=["this version", "an earlier version"],
)
def test_the_stored_field_is_the_cause_and_without_it_every_field_that_differs(
    tmp_path: Path, without: tuple[str, ...], causes: list[str]
) -> None:
    dropped = {"kept": [False], "drop_reason": ["near_duplicate"], "decided_by": ["dedup.threshold"]}
    write(tmp_path, "raw_pool", "a", {"question_id": ["q"], "question": ["What is 2 + 2?"]})
    write(tmp_path, "selected_questions", "plain", {"question_id": ["q"], "kept": [True]}, without)
    write(tmp_path, "selected_questions", "strict", {"question_id": [], "kept": []}, without)
    write(tmp_path, "deduped_set", "plain", {"question_id": ["q"], "kept": [True]}, without)
    write(tmp_path, "deduped_set", "strict", {"question_id": ["q"], **dropped}, without)
    found = diff(SimpleNamespace(assets=tmp_path, recipe=RECIPES.get), "plain", "strict", rows=1)
    plain, strict = found.questions.sides
    assert plain.reasons.rows() == [("near_duplicate", 1, causes)]
    assert strict.reasons.is_empty()
    assert found.texts == {"q": "What is 2 + 2?"}
