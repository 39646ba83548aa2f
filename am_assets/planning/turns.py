"""Applies of one project that are at work at the same time, on whatever machines: a partition has one run at a time,
and no apply replaces what one made that began later, with other config files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from am_assets.orchestration.dagster_internals import PARTITION_NAME_TAG
from am_assets.orchestration.planned import UNDER_WAY
from am_assets.orchestration.postgres import LEASE_TAG
from am_assets.orchestration.resources import RECIPES_TAG
from am_assets.orchestration.run_names import ASSET_TAG
from am_assets.planning.staleness import Partition
from am_assets.storage.shared.database import Database, DatabaseError
from am_assets.storage.shared.leases import alive, code, lease_of_process
from am_assets.storage.shared.snapshots import Snapshot
from am_assets.storage.shared.versions import APPLY_TAG, CODE_TAG, CONFIG_TAG

TURN = "select pg_try_advisory_lock(hashtextextended('am_assets run ' || %s, 0))"


class Turns:
    """Those of one apply. Applies are numbered by their leases, in the order in which they began."""

    def __init__(self, instance: dg.DagsterInstance, database: Database, planned: Snapshot):
        self.instance, self.database = instance, database
        self.planned = {CODE_TAG: code(), CONFIG_TAG: planned.version}
        self.number = lease_of_process(database).id
        self.began = instance.event_log_storage.get_maximum_record_id() or 0  # numbers begin anew with our tables

    @contextmanager
    def turn(self, at: Partition) -> Iterator[bool]:
        """Alone look for runs of a partition and begin one, in the block; False where another apply does."""
        with self.database.cursor(awaited=True) as cursor:
            cursor.execute(TURN, [f"{at[0].to_user_string()}.{at[1]}"])
            yield cursor.fetchone()[0]

    def other(self, at: Partition) -> dg.DagsterRun | None:
        """A run of a partition that has not ended."""
        wanted = {ASSET_TAG: at[0].to_user_string(), PARTITION_NAME_TAG: at[1]}
        found = self.instance.get_runs(dg.RunsFilter(tags=wanted, statuses=UNDER_WAY), limit=1)
        return found[0] if found else None

    def fits(self, run: dg.DagsterRun, tags: Mapping[str, str]) -> bool:
        """Whether a cluster carries out just what a run with these tags would."""
        return self._is_alike(run) and run.tags.get(RECIPES_TAG) == tags.get(RECIPES_TAG) and LEASE_TAG not in run.tags

    def is_left(self, run: dg.DagsterRun) -> bool:
        """Whether a run is that of an apply which is gone, as far as the database can be asked."""
        try:
            return APPLY_TAG in run.tags and not alive(self.database, int(run.tags[APPLY_TAG]))
        except DatabaseError:
            return False

    def is_outdated(self, run: dg.DagsterRun) -> bool:
        """Whether a run was planned with other files or code, by an apply that is gone, and is not being ended yet."""
        return run.status != dg.DagsterRunStatus.CANCELING and not self._is_alike(run) and self.is_left(run)

    def made_later(self, at: Partition) -> str:
        """Why a partition is left as it is, where an apply that began after this one made it, with other files or code;
        else empty."""
        record = self.instance.get_latest_data_version_record(at[0], False, at[1])
        run = self.instance.get_run_by_id(record.run_id) if record and record.storage_id > self.began else None
        if run is None or int(run.tags.get(APPLY_TAG, 0)) <= self.number or self._is_alike(run):
            return ""
        return (
            f"an apply that began later made it meanwhile, with other config files or code (run {run.run_id}), and it"
            " is left so: apply again to have it as the files are here now"
        )

    def _is_alike(self, run: dg.DagsterRun) -> bool:
        return all(run.tags.get(name) == value for name, value in self.planned.items())
