"""The sensor that tells people: it reads what runs have ended since it last looked, and delivers what is news.

One sensor over both run statuses and not Dagster's `run_status_sensor` and `run_failure_sensor`: those take five runs a
look (a backfill has hundreds), move on where an alert raises, and pass by runs of `am apply`. Like them it follows run
statuses by their storage id, and reads the checks from each run's own events. How far it has read, what is wrong and
what is not delivered yet are one value in the instance, so a crash at any moment loses nothing and repeats at most the
message that was under way.
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

STORED = "am/alerts"
ENDINGS: list[Literal[dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS]] = [
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_SUCCESS,
]
RUNS_A_LOOK = 200
SECONDS = 10


def alerts(live: Live) -> dg.SensorDefinition:
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
            ledger = take_in(data, instance, rules, time.time())
        else:
            ledger = look(data, instance, rules, time.time())
            deliver(ledger, rules, lambda: save(instance, ledger), context.log.warning)
        return dg.SkipReason(
            f"{len(ledger.wrong)} incidents are open, {len(ledger.outbox)} messages wait for delivery."
        )

    return watch


def look(data: Path, instance: dg.DagsterInstance, rules: Alerts, now: float) -> Ledger:
    """The ledger, stored, with all that ended since the last look taken in."""
    ledger = take_in(data, instance, rules, now)
    save(instance, ledger)
    return ledger


def take_in(data: Path, instance: dg.DagsterInstance, rules: Alerts, now: float) -> Ledger:
    """The ledger with all that ended since the last look, not stored yet. The first look begins at the present."""
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
    """The next runs that ended, in the order they did; none of one status past what was fetched of the other."""
    fetched = [
        instance.fetch_run_status_changes(
            dg.RunStatusChangeRecordsFilter(event_type=ending, after_storage_id=read[ending.value]),
            limit=RUNS_A_LOOK,
            ascending=True,
        ).records
        for ending in ENDINGS
    ]
    horizon = min((records[-1].storage_id for records in fetched if len(records) == RUNS_A_LOOK), default=math.inf)
    ended = [record for records in fetched for record in records if record.storage_id <= horizon]
    return sorted(ended, key=lambda record: record.storage_id)


def _note(ledger: Ledger, finding: Finding, rules: Alerts) -> None:
    ledger.note(finding, list(rules.recipients(warning=finding.level == "warning")))


def load(instance: dg.DagsterInstance) -> Ledger:
    stored = instance.daemon_cursor_storage.get_cursor_values({STORED}).get(STORED)
    return Ledger.from_json(stored) if stored else Ledger()


def save(instance: dg.DagsterInstance, ledger: Ledger) -> None:
    instance.daemon_cursor_storage.set_cursor_values({STORED: ledger.to_json()})
