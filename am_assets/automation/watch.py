"""The alert sensor: it reads the runs that finished since its last tick and delivers messages about new findings.

One sensor for both run statuses instead of Dagster's `run_status_sensor` and `run_failure_sensor`: those handle five
runs per tick (a backfill has hundreds), move on when an alert raises, and skip runs of `am apply`. Like them it follows
run statuses by storage id; checks are read from the events of each run. Position, open incidents and undelivered
messages are one value in the instance, so a crash loses nothing and repeats at most one message.
"""

import math
import time
from pathlib import Path
from typing import Literal

import dagster as dg

from am_assets.automation.alerts import Alerts, deliver, load_alerts
from am_assets.automation.findings import findings_of_run
from am_assets.automation.incidents import Finding, Ledger
from am_assets.automation.lateness import lateness
from am_assets.automation.previews import is_preview
from am_assets.project import Live
from am_assets.runtime.wording import counted

STORED = "am/alerts"
ENDINGS: list[Literal[dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS]] = [
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_SUCCESS,
]
RUNS_PER_TICK = 200
SECONDS = 10


def alerts(live: Live) -> dg.SensorDefinition:
    """The sensor `alerts`."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Tells people of failed checks and runs, exhausted budgets, missed schedules, and when these are over."
        ),
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        data, instance = live.now.data, context.instance
        rules = load_alerts(data)
        if is_preview(context):
            ledger = collect(data, instance, rules, time.time())
        else:
            ledger = collect_and_save(data, instance, rules, time.time())
            deliver(ledger, rules, lambda: save(instance, ledger), context.log.warning)
        return dg.SkipReason(
            f"open: {counted(len(ledger.wrong), 'incident')}; to be delivered: {counted(len(ledger.outbox), 'message')}"
        )

    return watch


def collect_and_save(data: Path, instance: dg.DagsterInstance, rules: Alerts, now: float) -> Ledger:
    """The ledger with the findings since the last tick, saved to the instance."""
    ledger = collect(data, instance, rules, now)
    save(instance, ledger)
    return ledger


def collect(data: Path, instance: dg.DagsterInstance, rules: Alerts, now: float) -> Ledger:
    """The ledger with the findings since the last tick, not saved. The first tick starts at the present."""
    ledger = load(instance)
    for ending in ENDINGS:
        if ending.value not in ledger.read:
            latest = instance.fetch_run_status_changes(ending, limit=1).records
            ledger.read[ending.value] = latest[0].storage_id if latest else 0
    for record in _ended(instance, ledger.read):
        run = instance.get_run_by_id(record.run_id)
        for finding in findings_of_run(instance, run, rules.ui) if run else ():
            _note(ledger, finding, rules)
        ledger.read[record.event_log_entry.get_dagster_event().event_type_value] = record.storage_id
    for finding in lateness(data, instance, now, rules.ui):
        _note(ledger, finding, rules)
    return ledger


def _ended(instance: dg.DagsterInstance, read: dict[str, int]) -> list[dg.EventLogRecord]:
    """The next runs that finished, in order; a status is not read beyond the last record fetched of the other."""
    fetched = [
        instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(event_type=ending, after_storage_id=read[ending.value]),
            limit=RUNS_PER_TICK,
            ascending=True,
        ).records
        for ending in ENDINGS
    ]
    horizon = min((records[-1].storage_id for records in fetched if len(records) == RUNS_PER_TICK), default=math.inf)
    ended = [record for records in fetched for record in records if record.storage_id <= horizon]
    return sorted(ended, key=lambda record: record.storage_id)


def _note(ledger: Ledger, finding: Finding, rules: Alerts) -> None:
    ledger.note(finding, list(rules.recipients(warning=finding.level == "warning")))


def load(instance: dg.DagsterInstance) -> Ledger:
    stored = instance.daemon_cursor_storage.get_cursor_values({STORED}).get(STORED)
    return Ledger.from_json(stored) if stored else Ledger()


def save(instance: dg.DagsterInstance, ledger: Ledger) -> None:
    instance.daemon_cursor_storage.set_cursor_values({STORED: ledger.to_json()})
