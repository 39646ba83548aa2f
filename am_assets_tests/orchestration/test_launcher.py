"""A run's process is told alive from dead by its number and its age."""

import os
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test

from am_assets.orchestration import launcher
from am_assets.orchestration.dagster_internals import LaunchRunContext
from am_assets.orchestration.launcher import WatchedRunLauncher
from am_assets.orchestration.run_names import run_names


def health(pid: int) -> WorkerStatus:
    with dg.DagsterInstance.ephemeral() as instance:
        watched = WatchedRunLauncher()
        watched.register_instance(instance)
        run = create_run_for_test(instance, job_name="any")
        instance.report_engine_event("Started process", run, EngineEventData.in_process(pid))
        return watched.check_run_worker_health(run).status


def test_a_run_whose_process_is_there_runs() -> None:
    assert health(os.getpid()) == WorkerStatus.RUNNING


def test_a_run_whose_process_is_gone_is_not_found() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert health(ended.pid) == WorkerStatus.NOT_FOUND


def test_a_process_not_waited_for_is_gone_too() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        ended.stdout.read()
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert health(ended.pid) == WorkerStatus.NOT_FOUND


def test_a_younger_process_of_the_same_number_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "CLOCK_SLACK_SECONDS", -1e9)
    assert health(os.getpid()) == WorkerStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("assets", "partition", "tags"),
    [
        (["raw_pool"], "gsm8k-3", {"am/asset": "raw_pool", "shard": "gsm8k-3"}),
        (["deduped_set"], "demo", {"am/asset": "deduped_set", "recipe": "demo"}),
        (["eval_scores"], "gpqa|demo", {"am/asset": "eval_scores", "recipe": "demo", "benchmark": "gpqa"}),
        (["rl_policy", "dedup_policy"], "demo", {"am/asset": "dedup_policy, rl_policy", "recipe": "demo"}),
        (["raw_pool", "deduped_set"], "demo", {"am/asset": "deduped_set, raw_pool"}),
        (["raw_pool"], None, {"am/asset": "raw_pool"}),
        (["of_somebody_else"], "demo", {}),
    ],
)
def test_a_run_is_named_by_its_assets_and_its_partition(assets: list[str], partition: str | None, tags: dict) -> None:
    assert run_names(assets, partition) == tags


def test_runs_of_the_ui_and_of_backfills_are_named_when_they_are_launched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dg.DefaultRunLauncher, "launch_run", lambda *_: None)
    with dg.DagsterInstance.ephemeral() as instance:
        watched = WatchedRunLauncher()
        watched.register_instance(instance)
        of = {"asset_selection": frozenset({dg.AssetKey("deduped_set")}), "tags": {"dagster/partition": "demo"}}
        run = create_run_for_test(instance, job_name="__ASSET_JOB", **of)
        watched.launch_run(LaunchRunContext(run, None))
        named = instance.get_run_by_id(run.run_id)
        assert named and named.tags["recipe"] == "demo" and named.tags["am/asset"] == "deduped_set"
