"""Retries that got lost.

The daemon looks at a failed run once, when it sees the event of its failure. On SQLite that may be in the moment before
the run itself is marked as failed: then nobody starts it again, though it says it will be retried, and the backfill it
belongs to waits for ever. This sensor tells the daemon once more.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from am_assets.automation.previews import is_preview
from am_assets.orchestration.dagster_internals import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG

SECONDS = 30  # between two looks, and how long the daemon has to do it by itself
OLDEST = timedelta(days=1)
TOLD_TAG = "am/retry_told_again"


@dg.sensor(
    minimum_interval_seconds=SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A run that is to be retried and was forgotten is started again.",
)
def lost_retries(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    now = datetime.now(UTC)
    to_retry = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE],
        tags={WILL_RETRY_TAG: "true"},
        updated_after=now - OLDEST,
        updated_before=now - timedelta(seconds=SECONDS),
    )
    lost = [run for run in context.instance.get_runs(to_retry) if not {AUTO_RETRY_RUN_ID_TAG, TOLD_TAG} & {*run.tags}]
    for run in [] if is_preview(context) else lost:
        context.instance.add_run_tags(run.run_id, {TOLD_TAG: "true"})
        context.instance.report_run_failed(run, "To be retried, and not yet: the daemon is told once more.")
    return dg.SkipReason(f"{len(lost)} lost")
