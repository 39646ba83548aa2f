"""A run that says it will be retried and is not: the daemon is told once more, and once only."""

from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG
from dagster._core.test_utils import create_run_for_test

from am_assets.automation import retries


def failures(instance: dg.DagsterInstance, **tags: str) -> int:
    """How often a failed run with these tags is told of, after two looks."""
    marks = {name: value for name, value in tags.items() if value}
    run = create_run_for_test(instance, job_name="any", tags={WILL_RETRY_TAG: "true", **marks})
    instance.report_run_failed(run)
    instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true"})
    for _ in range(2):
        with dg.build_sensor_context(instance, last_sensor_start_time=1.0) as context:
            retries.lost_retries(context)
        instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true"})
    return len(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE))


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retries, "timedelta", lambda seconds: timedelta(seconds=-seconds))  # as if it were later
    with dg.instance_for_test() as opened:
        yield opened


def test_a_forgotten_run_is_told_of_once_more_and_no_more(instance: dg.DagsterInstance) -> None:
    assert failures(instance) == 2


def test_a_run_that_was_retried_is_left_alone(instance: dg.DagsterInstance) -> None:
    assert failures(instance, **{AUTO_RETRY_RUN_ID_TAG: "another"}) == 1


def test_a_preview_counts_forgotten_runs_and_tells_nobody(instance: dg.DagsterInstance) -> None:
    run = create_run_for_test(instance, job_name="any", tags={WILL_RETRY_TAG: "true"})
    instance.report_run_failed(run)
    instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "true"})
    for _ in range(2):
        with dg.build_sensor_context(instance) as context:
            assert retries.lost_retries(context).skip_message == "1 lost"
    assert len(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)) == 1
