"""Runs are told apart by the tags that say what they are of, whoever launched them."""

from pathlib import Path

import dagster as dg
import pytest

from am_assets.definitions import build_definitions
from am_assets.orchestration.run_names import run_names
from am_assets.project import load_project
from am_assets_tests.desk import Desk


@pytest.mark.parametrize(
    ("assets", "by", "partition", "tags"),
    [
        (["raw_pool"], "shards", "gsm8k-3", {"am/asset": "raw_pool", "shard": "gsm8k-3"}),
        (["deduped_set"], "recipes", "demo", {"am/asset": "deduped_set", "recipe": "demo"}),
        (
            ["eval_scores"],
            "recipe_benchmarks",
            "gpqa|demo",
            {"am/asset": "eval_scores", "recipe": "demo", "benchmark": "gpqa"},
        ),
        (["rl_policy", "dedup_policy"], "recipes", "demo", {"am/asset": "dedup_policy, rl_policy", "recipe": "demo"}),
        (["a", "b", "c", "d"], "shards", "aime", {"am/asset": "4 assets", "shard": "aime"}),
    ],
)
def test_a_run_is_named_by_its_assets_and_its_partition(assets: list[str], by: str, partition: str, tags: dict) -> None:
    assert run_names(assets, by, partition) == tags


def test_a_run_that_was_launched_by_clicks_names_itself_when_it_begins(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_project("http://127.0.0.1:1/v1")
    job = build_definitions(load_project(tmp_path, tmp_path / "sources.yaml")).resolve_implicit_global_asset_job_def()
    clicked = [dg.AssetKey("dedup_policy"), dg.AssetKey("rl_policy")]
    with desk.instance() as instance:
        ran = job.execute_in_process(asset_selection=clicked, partition_key="plain", instance=instance)
        tags = instance.get_run_by_id(ran.run_id).tags
    assert (tags["am/asset"], tags["recipe"]) == ("dedup_policy, rl_policy", "plain")
