"""What a newcomer finds at every asset: group, kinds, owner, description, its columns, and where they come from."""

from pathlib import Path

import dagster as dg
import pytest

from am_assets.definitions import build_definitions
from am_assets.orchestration.lineage import COMPUTED, lineage
from am_assets.orchestration.schemas import TABLES
from am_assets.project import project

GRAPH = build_definitions(project()).resolve_asset_graph()
NAMES = sorted(key.to_user_string() for key in GRAPH.get_all_asset_keys())
GROUPS = {"recipe", "pool", "selection", "distillation", "verification", "training", "evaluation", "experiments"}
FROM_NO_TABLE = {  # instruments, partitions, names of the table's own
    "benchmark_responses.student", "code_verdicts.sandbox", "deduped_set.shard", "math_verdicts.judge",
    "question_labels.label_model", "recipe_report.stage", "reward_scores.judge",
    "experiment_report.variant", "experiment_report.part", "experiment_report.name",
}  # fmt: skip
# What is told beside a table, on the page of a report and on the card of a release; or what has to be made before it.
BESIDE = {
    "touched_items": {"sft_checkpoint"},
    "recipe_report": {"evaluation_policy", "training_log", "eval_scores", "responses", "raw_pool"},
    "sft_dataset": {"dedup_policy", "sampling_policy", "teacher_policy", "verification_policy", "release_policy"},
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_asset_says_what_it_is_and_whose(name: str) -> None:
    node = GRAPH.get(dg.AssetKey(name))
    assert node.group_name in GROUPS
    assert "polars" in node.kinds and len(node.kinds & {"policy", "evidence", "decision"}) == 1
    assert node.owners and all(owner.startswith("team:") for owner in node.owners)
    assert len(node.description or "") > 40
    (place,) = node.metadata["dagster/code_references"].code_references
    modules = {"recipe": {"policies.py"}, "evaluation": {"evaluation.py", "scores.py"}}
    folder, module = Path(place.file_path).parts[-2:]
    assert folder == "assets" and module in modules.get(node.group_name, {f"{node.group_name}.py"})


@pytest.mark.parametrize("name", NAMES)
def test_every_asset_shows_the_columns_of_its_schema(name: str) -> None:
    schema = GRAPH.get(dg.AssetKey(name)).metadata["dagster/column_schema"]
    assert [column.name for column in schema.columns] == TABLES[name].column_names()
    keys = [column.name for column in schema.columns if "primary key" in column.constraints.other]
    assert keys == TABLES[name].primary_key()


@pytest.mark.parametrize("name", NAMES)
def test_columns_come_from_columns_that_the_tables_above_have(name: str) -> None:
    node = GRAPH.get(dg.AssetKey(name))
    above = {key.to_user_string() for key in node.parent_keys}
    origins = node.metadata["dagster/column_lineage"].deps_by_column
    assert list(origins) == TABLES[name].column_names()
    for column, deps in origins.items():
        for dep in deps:
            table = dep.asset_key.to_user_string()
            assert table in above, (column, table)
            assert dep.column_name in TABLES[table].column_names(), (column, table, dep.column_name)


@pytest.mark.parametrize("name", NAMES)
def test_every_table_above_that_is_read_gives_some_column(name: str) -> None:
    node = GRAPH.get(dg.AssetKey(name))
    above = {key.to_user_string() for key in node.parent_keys}
    named = {table for places in lineage(name, above).values() for table, _ in places}
    assert above - named == BESIDE.get(name, set())


def test_a_column_that_comes_from_no_table_is_a_known_one() -> None:
    found = {
        f"{name}.{column}"
        for name in NAMES
        if (above := {key.to_user_string() for key in GRAPH.get(dg.AssetKey(name)).parent_keys})
        for column, places in lineage(name, above).items()
        if not places
    }
    assert found == FROM_NO_TABLE


def test_the_lineage_names_no_column_that_is_gone() -> None:
    for name, computed in COMPUTED.items():
        columns = [column for group in computed for column in group.split()]
        assert len(columns) == len(set(columns)), name
        assert set(columns) <= set(TABLES[name].column_names()), name


def test_a_computed_column_and_one_of_the_same_name_come_from_where_they_should() -> None:
    origins = lineage("question_features", ["raw_pool"])
    assert origins["words"] == [("raw_pool", "question")]
    assert origins["question_id"] == [("raw_pool", "question_id")]
    assert lineage("benchmark_responses", ["sft_checkpoint"])["student"] == []
