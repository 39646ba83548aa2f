"""Findings of a finished run: checks that passed or failed, partitions that failed or recovered."""

from collections.abc import Iterator
from urllib.parse import quote

import dagster as dg

from am_assets.automation.incidents import Finding
from am_assets.orchestration.dagster_internals import PARTITION_NAME_TAG, WILL_RETRY_TAG
from am_assets.planning.execution import innermost

MAX_CHARS = 1_500  # of an error
READ = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
OVER_BUDGET = "The budget of $"  # beginning of the message in `engines/llm/money.py`


def findings_of_run(instance: dg.DagsterInstance, run: dg.DagsterRun, ui: str) -> Iterator[Finding]:
    """Findings of each check and step of the run, in order.

    A failed run that Dagster retries has none yet, and one stopped by a failed blocking check is one finding, not two.
    """
    failures = []
    for entry in instance.all_logs(run.run_id, of_type=READ):
        event = entry.get_dagster_event()
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            yield _of_check(event.asset_check_evaluation_data, ui)
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            yield _recovered(str(event.step_key), run.tags.get(PARTITION_NAME_TAG), ui)
        else:
            failures.append(event)
    if run.status == dg.DagsterRunStatus.SUCCESS and not run.asset_selection:
        yield _recovered(run.job_name, None, ui)
    retried = run.tags.get(WILL_RETRY_TAG) == "true" and run.remote_job_origin
    if run.status == dg.DagsterRunStatus.FAILURE and not retried:
        yield from _failures(run, failures, ui)


def _of_check(evaluation: dg.AssetCheckEvaluation, ui: str) -> Finding:
    asset, partition = evaluation.asset_key.to_user_string(), evaluation.partition
    error = evaluation.severity == dg.AssetCheckSeverity.ERROR
    figures = [f"{name}: {_shown(value.value)}" for name, value in evaluation.metadata.items()]
    return Finding(
        about=f"check {evaluation.check_name} of {asset}[{partition}]",
        title=f"{asset}[{partition}]: check {evaluation.check_name}" + ("" if evaluation.passed else " failed"),
        words=_said(asset, partition, *figures),
        level="recovered" if evaluation.passed else "error" if error else "warning",
        link=_page(ui, asset, partition),
    )


def _recovered(asset: str, partition: str | None, ui: str) -> Finding:
    name = _name(asset, partition)
    return Finding(f"run of {name}", name, level="recovered", link=_page(ui, asset, partition))


def _page(ui: str, asset: str, partition: str | None) -> str:
    """The page of a partition in the UI."""
    return f"{ui}/assets/{asset}?view=partitions&partition={quote(partition or '', safe='')}"


def _failures(run: dg.DagsterRun, events: list[dg.DagsterEvent], ui: str) -> Iterator[Finding]:
    partition = run.tags.get(PARTITION_NAME_TAG)

    def link(asset: str) -> str:
        log = f"{ui}/runs/{run.run_id}"
        return f"{_page(ui, asset, partition)}\n{log}" if partition else log

    steps = [event for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    for event in steps:
        error = event.step_failure_data.error
        if error is not None and _is_failed_check(error):
            continue
        asset = str(event.step_key)
        name = _name(asset, partition)
        message = innermost([error])[:MAX_CHARS]
        title = f"{name}: budget reached" if OVER_BUDGET in message else f"{name} failed"
        yield Finding(f"run of {name}", title, _said(asset, partition, message), link=link(asset))
    if not steps:  # the process died, or never started
        message = (events[-1].message or "")[:MAX_CHARS] if events else ""
        for asset in sorted(key.to_user_string() for key in run.asset_selection or []) or [run.job_name]:
            name = _name(asset, partition)
            yield Finding(f"run of {name}", f"{name} failed", _said(asset, partition, message), link=link(asset))


def _said(asset: str, partition: str | None, *lines: str) -> str:
    return "\n".join([f"asset: {asset}", *([f"partition: {partition}"] if partition else []), *lines])


def _name(asset: str, partition: str | None) -> str:
    """The name of a step, which is that of its asset, with the partition if there is one."""
    return f"{asset}[{partition}]" if partition else asset


def _is_failed_check(error) -> bool:
    return error.cls_name == "DagsterAssetCheckFailedError" or (
        error.cause is not None and _is_failed_check(error.cause)
    )


def _shown(value: object) -> str:
    """A figure in words: mappings as `a 3, b 4` and lists as `a, b`, as people read them."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())[:MAX_CHARS]
    if isinstance(value, list | tuple | set):
        return ", ".join(map(_shown, value))[:MAX_CHARS]
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:MAX_CHARS]
