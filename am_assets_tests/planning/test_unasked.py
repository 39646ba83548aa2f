"""A run that is for some recipes: the teacher is asked for nothing that only others want."""

import dagster as dg
import polars as pl
import pytest

from am_assets_tests.desk import ASKED, Desk
from am_assets_tests.scripted import Teacher, answer

SHARD = "asked"
QUESTION = ASKED[0][0]
KEY = dg.AssetKey("responses")


@pytest.fixture
def teacher():
    teacher = Teacher(lambda *_: answer("<think>Nine and four.</think> <answer>13</answer>"))
    yield teacher
    teacher.stop()


@pytest.fixture
def desk(tmp_path, monkeypatch: pytest.MonkeyPatch, teacher: Teacher) -> Desk:
    """A shard of which `plain` wants one answer and `other` that one and two more."""
    monkeypatch.setenv("AM_DATA", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "instance"))
    monkeypatch.setenv("TEST_MODEL_KEY", "none")
    monkeypatch.delenv("AM_SOURCES", raising=False)
    desk = Desk(tmp_path)
    desk.write_project(teacher.url)
    return desk


def requests(pool: pl.DataFrame) -> pl.DataFrame:
    from am_assets.config.recipe import TeacherPolicy
    from am_assets.distillation.prompts import requests_table

    policy = TeacherPolicy(model="openai/smollm2", max_tokens=24, temperature=0)
    selected = pool.select("question_id", "question", has_reference=True, has_tests=False, samples=3)
    recipes = pl.when(pl.col("sample_index") == 0).then(pl.lit("other,plain")).otherwise(pl.lit("other"))
    return requests_table(selected, policy).with_columns(recipes=recipes.str.split(","))


def test_only_what_the_recipes_of_the_run_want_is_asked_and_the_rest_is_not_forgotten(desk: Desk, teacher) -> None:
    plan = desk.open(None, None)
    from am_assets.distillation.prompts import unasked
    from am_assets.storage.stored import StoredTables

    assert plan._run(dg.AssetKey("raw_pool"), SHARD, {}) == ""
    store = StoredTables(desk.folder / "assets")
    (desk.folder / "assets" / "teacher_requests").mkdir()
    table = requests(store.read("raw_pool", SHARD))
    table.write_parquet(desk.folder / "assets" / "teacher_requests" / f"{SHARD}.parquet")

    def left(*names: str) -> str | None:
        plan.records.refresh(KEY)
        return unasked(plan.records.made(KEY)[SHARD].metadata, names)

    def run(**tags: str) -> tuple[int, int]:
        """Requests that arrived, and answers in the table."""
        before = len(teacher.asked)
        assert plan._run(KEY, SHARD, {"am/recipes": tags["recipes"]} if tags else {}) == ""
        return len(teacher.asked) - before, store.read("responses", SHARD).height

    assert run(recipes="plain") == (1, 1)
    assert left("plain") is None
    assert left("plain", "other") == "2 requests of recipe other not asked yet"
    assert run(recipes="plain") == (0, 1)
    assert run(recipes="plain,other") == (2, 3)
    assert left("plain", "other") is None
    assert run(recipes="plain") == (0, 3)  # what others had answered stays
    assert left("plain", "other") is None
    assert run() == (0, 3)
