"""A budget of several machines: what each of them may have spent at most stands in a database, so that the sum never
exceeds it.

Before a request starts, what its stream spent and may spend for all in flight is recorded; once none is, what it spent.
So what a killed process had in flight counts as spent, at its upper bound.
"""

import uuid
from contextlib import suppress

from am_assets.engines.llm.money import Budget
from am_assets.storage.shared.database import Database, DatabaseError

# One transaction: its first statement is the turn of whoever draws.
DRAW = """select from am_assets.budget for update;
          insert into am_assets.spending
          select %(id)s, %(wanted)s from am_assets.budget
          where settled + %(wanted)s + (select coalesce(sum(drawn), 0) from am_assets.spending where id <> %(id)s)
                <= %(dollars)s
          on conflict (id) do update set drawn = excluded.drawn
          returning drawn"""
SETTLE = """with ours as (delete from am_assets.spending where id = %(id)s returning id)
            update am_assets.budget set settled = settled + %(spent)s where exists (select from ours)"""
SPENT = "select settled + (select coalesce(sum(drawn), 0) from am_assets.spending) from am_assets.budget"


class SharedBudget(Budget):
    """The share of one stream of requests in a budget of `dollars` that all machines have together."""

    def __init__(self, database: Database, dollars: float, within: Budget | None = None):
        super().__init__(dollars, within)
        self._session = database.session()
        self._id = str(uuid.uuid4())
        self._settled = 0.0  # of `spent`
        self._drawn = 0.0  # that the database keeps for this stream

    def reached(self, more: float) -> str | None:
        wanted = self.spent - self._settled + more
        if more and wanted > self._drawn:
            try:
                drawn = self._session.again(DRAW, {"id": self._id, "wanted": wanted, "dollars": self.dollars})
            except DatabaseError as error:
                return f"What all machines spent is not known: {error}"
            if drawn is None:
                return (
                    f"budget_usd ${self.dollars:.4f} of cluster.yaml is reached: with what is in flight on all machines"
                    f" the next request, of up to ${more:.4f}, may exceed it"
                )
            self._drawn = wanted
        return self.within.reached(more) if self.within else None

    def settle(self) -> None:
        if self._drawn:
            with suppress(DatabaseError):  # what was drawn stays drawn
                self._session.again(SETTLE, {"id": self._id, "spent": self.spent - self._settled})
                self._settled, self._drawn = self.spent, 0.0
        self._session.close()
        super().settle()


def spent_by_all(database: Database) -> float:
    """Dollars that all machines spent, with what may be in flight at its upper bounds."""
    with database.cursor() as cursor:
        cursor.execute(SPENT)
        dollars: float = cursor.fetchone()[0]
        return dollars
