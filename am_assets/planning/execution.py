"""Materializing one partition in this process, and closing the run when it is interrupted."""

from collections.abc import Sequence
from uuid import uuid4

import dagster as dg

from am_assets.orchestration.assets import TABLE
from am_assets.orchestration.dagster_internals import RunFailureReason
from am_assets.orchestration.run_names import run_names


def run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, key: dg.AssetKey, partition: str, tags: dict[str, str]
) -> str:
    """Materialize one partition; the message of its error, empty on success.

    `KeyboardInterrupt` where the run was interrupted or canceled; the instance records it as canceled.
    """
    run_id, name = str(uuid4()), key.to_user_string()
    try:
        # The job of this asset alone: Dagster describes the job anew for each run, which takes longer the larger it is.
        job = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection={key})
        result = job.execute_in_process(
            run_config={"loggers": {"progress": {}}},
            instance=instance,
            asset_selection=[key],
            partition_key=partition,
            tags=run_names([name], TABLE[name].by, partition) | tags,
            raise_on_error=False,
            run_id=run_id,
        )
    except KeyboardInterrupt:  # between Dagster's own steps
        _report_canceled(instance, run_id)
        raise
    if result.success:
        return ""
    if _interrupted(result.all_events):
        _report_canceled(instance, run_id)
        raise KeyboardInterrupt
    failures = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    return innermost(failures) or f"run {run_id} failed; its log in the UI says why"


def _interrupted(events: Sequence[dg.DagsterEvent]) -> bool:
    last = events[-1] if events else None
    if last is None or last.event_type == dg.DagsterEventType.RUN_CANCELED:
        return True
    reason = last.job_failure_data.failure_reason if last.is_job_failure else None
    return reason == RunFailureReason.UNEXPECTED_TERMINATION


def _report_canceled(instance: dg.DagsterInstance, run_id: str) -> None:
    unfinished = instance.get_run_by_id(run_id)
    if unfinished and not unfinished.is_finished:
        instance.report_run_canceled(unfinished)


def innermost(failures: Sequence) -> str:
    """The messages of the innermost causes of serialized errors, one a line."""
    messages = []
    for error in failures:
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            messages.append(error.message.strip())
    return "\n".join(messages)
