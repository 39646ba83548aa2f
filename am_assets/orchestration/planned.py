"""The config files of runs on a cluster: a snapshot is held before the first run that is planned with it."""

from pathlib import Path

import dagster as dg

from am_assets.orchestration.dagster_internals import IN_PROGRESS_RUN_STATUSES
from am_assets.storage.shared import snapshots
from am_assets.storage.shared.snapshots import Snapshot
from am_assets.storage.shared.versions import CONFIG_TAG

UNDER_WAY = [*IN_PROGRESS_RUN_STATUSES, dg.DagsterRunStatus.NOT_STARTED]


def hold(instance: dg.DagsterInstance, data: Path, planned: Snapshot) -> None:
    """Hold the config files that runs are to read; those of old plans are removed, if no run needs them."""
    snapshots.keep(data, planned)
    if old := {*snapshots.old(data)}:
        live = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        snapshots.remove(data, old - {run.tags.get(CONFIG_TAG, "") for run in live})
