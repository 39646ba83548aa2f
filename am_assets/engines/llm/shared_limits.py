"""The state of a provider's limits in a database, for streams on several machines: the same rules over a row.

A slot of a process that died is free once it was silent for `limits.SILENCE_SECONDS`.
"""

from am_assets.engines.llm.limits import HEAD, STREAM, StateUnreachable
from am_assets.storage.shared.database import Database, DatabaseError

STREAMS = 60  # at the same time; further ones are not seen by the others. The row stays in one page
NOTHING = b"\0" * (HEAD.size + STREAMS * STREAM.size)
# A lost second of it does no harm, and a flush would take most of the time.
OPTIONS = "-c synchronous_commit=off"
# One statement, as a second one could see the row of an account that was new to the first, without a lock. The time is
# read once the lock is held, so that no heartbeat of others is in the future.
LOCK = """begin;
          with locked as materialized (select state from am_assets.limits where account = %(account)s for update)
          select state, extract(epoch from clock_timestamp())::float8 from locked"""
FIRST = "insert into am_assets.limits values (%(account)s, %(nothing)s) on conflict do nothing; commit"
STORE = "update am_assets.limits set state = %s where account = %s; commit"


class SharedState:
    """A row that is locked for the block. All times are of the database's clock."""

    def __init__(self, database: Database, account: str):
        self.account = account
        self.data = bytearray(NOTHING)
        self._before = NOTHING
        self._now = 0.0
        self._session = database.session(OPTIONS)

    def __enter__(self) -> None:
        try:
            with self._session.cursor() as cursor:
                while True:
                    cursor.execute(LOCK, {"account": self.account})
                    if found := cursor.fetchone():
                        break
                    cursor.execute(FIRST, {"account": self.account, "nothing": NOTHING})
        except DatabaseError as error:
            raise StateUnreachable(str(error)) from None
        state, self._now = found
        self._before = bytes(state)
        self.data[:] = self._before

    def __exit__(self, *_: object) -> None:
        try:
            with self._session.cursor() as cursor:
                if self.data == self._before:
                    cursor.execute("rollback")
                else:
                    cursor.execute(STORE, [bytes(self.data), self.account])
        except DatabaseError as error:
            raise StateUnreachable(str(error)) from None

    def now(self) -> float:
        return self._now

    def lives(self, pid: int) -> bool:
        return True  # on some other machine; silence tells

    def close(self) -> None:
        self._session.close()
