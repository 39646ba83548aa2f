"""A project from Python: what is stored as lazy frames, settings, verdicts, and files as they would be read."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from am_assets import open_project
from am_assets.config.files import ConfigError
from am_assets.datasets.sources import load_sources, read_shard
from am_assets.notebook import BY_BOTH, TABLES, Opened
from am_assets.storage.stored import settings

ROWS = [
    {"question": "What is 1 + 1?", "reference_answer": "2", "answer": "2"},
    {"question": "What is 2 + 3?", "reference_answer": "5", "answer": "6"},
    {"question": "Why?", "answer": "Because."},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pool is stored, in two shards, and one policy of its recipe as it was before an edit."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (folder / "sources.yaml").write_text("own: {location: rows.jsonl, adapter: jsonl, rank: 1, shards: 2}\n")
    here = open_project(folder)
    (folder / "assets" / "raw_pool").mkdir(parents=True)
    for shard in ("own-0", "own-1"):
        pool = read_shard(load_sources(folder / "sources.yaml"), shard, folder)
        pool.write_parquet(folder / "assets" / "raw_pool" / f"{shard}.parquet")
    before = here.recipe("default").model_copy(
        update={"dedup": here.recipe("default").dedup.model_copy(update={"threshold": 0.9})}
    )
    (folder / "assets" / "dedup_policy").mkdir()
    settings(before, "dedup").write_parquet(folder / "assets" / "dedup_policy" / "default.parquet")
    return folder


@pytest.fixture
def here(folder: Path) -> Opened:
    return open_project(folder)


def test_a_table_is_a_lazy_frame_over_its_partitions(here: Opened) -> None:
    pool = here.table("raw_pool")
    assert isinstance(pool, pl.LazyFrame)
    assert sorted(pool.collect()["question"]) == sorted(row["question"] for row in ROWS)
    assert set(here.table("raw_pool", "own-1").select("partition").collect()["partition"]) == {"own-1"}
    assert here.tables().filter(pl.col("table") == "raw_pool")["partition"].to_list() == ["own-0", "own-1"]
    assert here.columns("raw_pool")["copies"] == "input rows with this question"
    assert not [column for name in TABLES for column, means in here.columns(name).items() if not means]


def test_tables_by_recipe_and_benchmark_have_partitions_of_both(here: Opened, folder: Path) -> None:
    from am_assets.orchestration.assets import TABLE

    assert {name for name, table in TABLE.items() if table.by == "recipe_benchmarks"} == {*BY_BOTH}
    for name in ("eval_scores", "sft_dataset"):
        (folder / "assets" / name / "first").mkdir(parents=True)
        pl.DataFrame({"score": [1.0]}).write_parquet(folder / "assets" / name / "first" / "default.parquet")
    assert here.table("eval_scores", "first/default").collect()["partition"].to_list() == ["first/default"]
    assert here.partitions("sft_dataset") == []  # files of a release are no partitions


@pytest.mark.parametrize(
    ("name", "partitions", "says"),
    [
        ("raw_pol", (), "did you mean raw_pool"),
        ("raw_pool", ("other",), "no partition other; stored: own-0, own-1"),
        ("verified_set", (), "am apply -s verified_set"),
    ],
)
def test_what_is_not_there_is_said(here: Opened, name: str, partitions: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        here.table(name, *partitions)


def test_policies_are_those_of_the_last_decision_and_recipes_those_of_the_file(here: Opened) -> None:
    assert here.recipes == ["default"]
    assert (here.policies("default").dedup.threshold, here.recipe("default").dedup.threshold) == (0.9, 0.95)


def test_verdicts_come_in_order_as_a_frame(here: Opened) -> None:
    told = here.verify(pl.DataFrame(ROWS))
    assert told["verdict"].to_list() == ["pass", "fail", "unverifiable"] and told["line"].to_list() == [1, 2, 3]
    renamed = [{"a": row["answer"], "gold": row.get("reference_answer")} for row in ROWS[:2]]
    told = here.verify(renamed, {"answer": "a", "reference": "gold"}, recipe="default")
    assert told["verdict"].to_list() == ["pass", "fail"]


def test_a_file_is_read_as_it_would_enter_the_pool(here: Opened) -> None:
    assert here.read("rows.jsonl", limit=2)["reference_answer"].to_list() == ["2", "5"]
    with pytest.raises(ConfigError, match="no row has `gold`"):
        here.read("rows.jsonl", adapter="jsonl", columns={"reference_answer": "gold"})


def test_it_imports_neither_dagster_nor_torch(folder: Path) -> None:
    code = (
        "import sys, am_assets\n"
        f"am_assets.open_project({str(folder)!r}).table('raw_pool').collect()\n"
        "print([name for name in ('dagster', 'torch', 'litellm', 'transformers') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr
