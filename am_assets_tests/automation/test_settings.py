"""The instance settings that ship with the project, as Dagster reads them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.instance.config import PoolGranularity
from dagster._core.op_concurrency_limits_counter import GlobalOpConcurrencyLimitsCounter
from dagster._core.storage.dagster_run import DagsterRunStatus, RunOpConcurrency, RunsFilter

from am_assets.orchestration.instance import BUNDLED

POOLS = {
    "question_labels": "judge", "question_embeddings": "gpu", "responses": "teacher", "code_verdicts": "sandbox",
    "reward_scores": "judge", "sft_checkpoint": "gpu", "benchmark_responses": "gpu", "benchmark_verdicts": "sandbox",
    "touched_items": "gpu",
}  # fmt: skip


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    shutil.copyfile(BUNDLED, tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def test_what_is_expensive_names_its_pool() -> None:
    from am_assets.definitions import build_definitions
    from am_assets.project import project

    assets = build_definitions(project()).assets or []
    named = {asset.key.to_user_string(): asset.op.pool for asset in assets if asset.op.pool}
    assert named == POOLS


def test_a_second_run_of_a_pool_waits_and_one_of_another_does_not(instance: dg.DagsterInstance) -> None:
    def run(pool: str, status: DagsterRunStatus) -> dg.DagsterRun:
        needs = RunOpConcurrency(root_key_counts={pool: 1}, has_unconstrained_root_nodes=False, all_pools={pool})
        run = dg.DagsterRun(job_name="job", status=status, run_op_concurrency=needs)
        return instance.add_run(run)

    run("teacher", DagsterRunStatus.STARTED)
    second, other = run("teacher", DagsterRunStatus.NOT_STARTED), run("gpu", DagsterRunStatus.NOT_STARTED)
    storage = instance.event_log_storage
    for pool in ("teacher", "gpu"):
        storage.initialize_concurrency_limit_to_default(pool)
    config = instance.get_concurrency_config()
    assert config.pool_config.pool_granularity == PoolGranularity.RUN
    counter = GlobalOpConcurrencyLimitsCounter(
        instance,
        [second, other],
        instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.STARTED])),
        storage.get_concurrency_keys(),
        storage.get_pool_limits(),
        pool_granularity=config.pool_config.pool_granularity,
    )
    assert counter.is_blocked(second)
    assert not counter.is_blocked(other)


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        (RunFailureReason.UNEXPECTED_TERMINATION, True),
        (RunFailureReason.START_TIMEOUT, True),
        (RunFailureReason.RUN_EXCEPTION, True),
        (RunFailureReason.STEP_FAILURE, False),
    ],
)
def test_a_run_is_tried_again_for_the_machine_and_not_for_its_data(
    instance: dg.DagsterInstance, reason: RunFailureReason, again: bool
) -> None:
    run = instance.add_run(dg.DagsterRun(job_name="job", status=DagsterRunStatus.FAILURE))
    assert auto_reexecution_should_retry_run(instance, run, reason) == again


def test_a_new_instance_gets_the_settings_before_dagster_starts_and_keeps_its_edits(tmp_path: Path) -> None:
    home = tmp_path / "project" / "instance"
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-m", "am_assets.orchestration.instance"],
            env=os.environ | {"DAGSTER_HOME": str(home)},
            check=True,
        )
        assert (home / "dagster.yaml").read_text().startswith(BUNDLED.read_text())
        with (home / "dagster.yaml").open("a") as settings:
            settings.write("# mine\n")
    assert (home / "dagster.yaml").read_text() == BUNDLED.read_text() + "# mine\n# mine\n"
