"""Missed and failed ticks of the schedule."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg

from am_assets.automation.backfill import FILL
from am_assets.automation.incidents import Finding
from am_assets.automation.schedule import load_schedule
from am_assets.orchestration.dagster_internals import (
    InstigatorState,
    InstigatorType,
    TickStatus,
    reverse_cron_string_iterator,
)

GRACE_SECONDS = 600  # a tick this much late is on time


def lateness(data: Path, instance: dg.DagsterInstance, now: float, ui: str) -> Iterator[Finding]:
    """A finding for the schedule, if it is running: whether a due tick is missing or the last one failed.

    The sensor runs in the daemon, so ticks missed while that was down are reported when it is back. Supervision of the
    daemon itself has to be outside it: `dagster-daemon liveness-check`.
    """
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        if state.instigator_name == FILL and state.is_running:
            yield _state_of(data, instance, state, now, f"{ui}/automation")


def _state_of(data: Path, instance: dg.DagsterInstance, state: InstigatorState, now: float, link: str) -> Finding:
    about = f"schedule {FILL}"
    schedule = load_schedule(data)
    due = next(reverse_cron_string_iterator(now - GRACE_SECONDS, schedule.cron, schedule.timezone)).timestamp()
    started = getattr(state.instigator_data, "start_timestamp", None) or 0
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    if due > started and (not ticks or ticks[0].timestamp < due):
        last = datetime.fromtimestamp(ticks[0].timestamp, ZoneInfo(schedule.timezone)) if ticks else None
        ran = f"it last ran at {last:%Y-%m-%d %H:%M}" if last else "it never ran"
        words = f"cron: {schedule.cron} ({schedule.timezone})\n{ran}: does the daemon run?"
        return Finding(about, f"{about} missed", words, link=link)
    if ticks and ticks[0].status == TickStatus.FAILURE:
        error = ticks[0].error
        return Finding(about, f"{about} failed", error.message.strip() if error else "", link=link)
    return Finding(about, about, level="recovered", link=link)
