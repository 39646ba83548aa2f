"""Claims of processes on several machines: rows of keys, disjoint within a namespace, that live no longer than a lease.

claims = SharedClaims(database)
with claims.claimed("labels", wanted) as mine:
    ...  # nobody else measures these, as long as `claims.lost()` is None
"""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from am_assets.storage.shared.database import Database, DatabaseError
from am_assets.storage.shared.leases import Lease, lease_of_process, remove_dead

# The statements are one transaction, in which the second sees what others claimed before its turn came.
CLAIM = """select pg_advisory_xact_lock(hashtextextended('am_assets ' || %(namespace)s, 0));
           insert into am_assets.claims (namespace, keys, lease)
           select %(namespace)s, coalesce(array_agg(key), '{}'), %(lease)s
           from (select unnest(%(keys)s::text[]) key
                 except select unnest(keys) from am_assets.claims where namespace = %(namespace)s) free
           returning id, keys"""
OPTIONS = "-c lock_timeout=600000"  # the turn of one who claims a million keys takes its time


class SharedClaims:
    """Claims under the lease of this process."""

    def __init__(self, database: Database):
        self.database = database
        self._lease: Lease | None = None  # of the last claim

    @contextmanager
    def claimed(self, namespace: str, keys: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Claim those of `keys` (a column `key`) that no living process holds, until the block ends; yields them."""
        lease = self._lease = lease_of_process(self.database)
        with self.database.cursor(OPTIONS, awaited=True) as cursor:
            remove_dead(cursor)
            wanted = keys["key"].unique().to_list()
            cursor.execute(CLAIM, {"namespace": namespace, "keys": wanted, "lease": lease.id})
            claim, free = cursor.fetchone()
        mine = pl.DataFrame({"key": free}, schema={"key": pl.String})
        try:
            yield keys.select("key").join(mine, on="key", how="semi", maintain_order="left")
        finally:
            self._release(claim, lease)

    def lost(self) -> str | None:
        """Why what was claimed last may be another's by now; None while it is held."""
        return self._lease.lost() if self._lease else None

    def _release(self, claim: int, lease: Lease) -> None:
        try:
            with self.database.cursor() as cursor:
                cursor.execute("delete from am_assets.claims where id = %s", [claim])
        except DatabaseError:
            lease.end()  # or this process would wait for itself
