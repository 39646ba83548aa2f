"""A sensor that recovers lost retries.

The daemon handles a failed run once, when it reads the failure event. On SQLite that may happen just before the run
itself is marked as failed: then the run is not retried, though tagged to be, and its backfill waits for ever. The
sensor reports the failure again.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from am_assets.automation.previews import is_preview
from am_assets.orchestration.dagster_internals import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG

SECONDS = 30  # between ticks, and the time that the daemon has to retry by itself
OLDEST = timedelta(days=1)
REPORTED_TAG = "am/retry_told_again"


@dg.sensor(
    minimum_interval_seconds=SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts failed runs again whose retry got lost.",
)
def lost_retries(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    now = datetime.now(UTC)
    to_retry = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE],
        tags={WILL_RETRY_TAG: "true"},
        updated_after=now - OLDEST,
        updated_before=now - timedelta(seconds=SECONDS),
    )
    lost = [
        run for run in context.instance.get_runs(to_retry) if not {AUTO_RETRY_RUN_ID_TAG, REPORTED_TAG} & {*run.tags}
    ]
    for run in [] if is_preview(context) else lost:
        context.instance.add_run_tags(run.run_id, {REPORTED_TAG: "true"})
        context.instance.report_run_failed(run, "Due for a retry that did not start: reported to the daemon again.")
    return dg.SkipReason(f"{len(lost)} lost")
