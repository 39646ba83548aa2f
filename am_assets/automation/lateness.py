"""Whether the schedule ran when it should have."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, InstigatorType, TickStatus
from dagster._utils.schedules import reverse_cron_string_iterator

from am_assets.automation.backfill import FILL
from am_assets.automation.incidents import Finding
from am_assets.automation.schedule import load_schedule
from am_assets.project import project

GRACE_SECONDS = 600  # within which a tick counts as in time


def lateness(instance: dg.DagsterInstance, now: float, ui: str) -> Iterator[Finding]:
    """Of the schedule that is switched on: a time that passed without a tick, or a tick that failed.

    A daemon that does not run can't tell; when it is back, this does. What watches over the daemon itself has to stand
    outside it: `dagster-daemon liveness-check`.
    """
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE):
        if state.instigator_name == FILL and state.is_running:
            wrong = _wrong(instance, state, now)
            link = f"{ui}/automation"
            yield Finding(f"schedule {FILL}", f"schedule {FILL}" + (" missed" if wrong else ""), wrong or "",
                          "error" if wrong else "recovered", link)  # fmt: skip


def _wrong(instance: dg.DagsterInstance, state: InstigatorState, now: float) -> str | None:
    schedule = load_schedule(project().data)
    due = next(reverse_cron_string_iterator(now - GRACE_SECONDS, schedule.cron, schedule.timezone))
    started = getattr(state.instigator_data, "start_timestamp", None) or 0
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
    if due.timestamp() > started and (not ticks or ticks[0].timestamp < due.timestamp()):
        last = datetime.fromtimestamp(ticks[0].timestamp, ZoneInfo(schedule.timezone)) if ticks else None
        ran = f"it last ran at {last:%Y-%m-%d %H:%M}" if last else "it never ran"
        return f"cron: {schedule.cron} ({schedule.timezone})\n{ran}: does the daemon run?"
    if ticks and ticks[0].status == TickStatus.FAILURE:
        error = ticks[0].error
        return f"its last look failed: {error.message.strip() if error else 'no reason is given'}"
    return None
