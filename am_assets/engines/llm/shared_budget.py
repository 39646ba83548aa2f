"""A budget of several machines: what each of them may have spent at most stands in a database, so that the sum never
exceeds it. There is that of a project, and one of each apply whose runs are on other machines.

Before a request starts, what its stream spent and may spend for all in flight is recorded; once none is, what it spent.
So what a killed process had in flight counts as spent, at its upper bound.
"""

import uuid
from contextlib import suppress

from am_assets.engines.llm.money import Budget
from am_assets.storage.shared.database import Database, DatabaseError

# One transaction: its first statement is the turn of whoever draws.
ALL = "all"  # the name of the project's
FIRST = "insert into am_assets.budgets values (%(name)s, 0) on conflict do nothing"
# One transaction: its second statement is the turn of whoever draws.
DRAW = f"""{FIRST};
          select from am_assets.budgets where name = %(name)s for update;
          insert into am_assets.draws
          select %(id)s, name, %(wanted)s from am_assets.budgets
          where name = %(name)s and settled + %(wanted)s
                + (select coalesce(sum(drawn), 0) from am_assets.draws where budget = %(name)s and id <> %(id)s)
                <= %(dollars)s
          on conflict (id) do update set drawn = excluded.drawn
          returning drawn"""
SETTLE = """with ours as (delete from am_assets.draws where id = %(id)s returning budget)
            update am_assets.budgets set settled = settled + %(spent)s where name in (select budget from ours)"""
SPENT = """select (select coalesce(sum(settled), 0) from am_assets.budgets where name = %(name)s)
                  + (select coalesce(sum(drawn), 0) from am_assets.draws where budget = %(name)s)"""


class SharedBudget(Budget):
    """The share of one stream of requests in a budget of `dollars` that all machines have together.

    `name` is that of an apply, the project's by default.
    """

    def __init__(self, database: Database, dollars: float, within: Budget | None = None, name: str = ALL):
        super().__init__(dollars, within)
        self.name = name
        self._session = database.session()
        self._id = str(uuid.uuid4())
        self._settled = 0.0  # of `spent`
        self._drawn = 0.0  # that the database keeps for this stream

    def reached(self, more: float) -> str | None:
        wanted = self.spent - self._settled + more
        if more and wanted > self._drawn:
            try:
                drawn = self._session.again(DRAW, self._named() | {"wanted": wanted, "dollars": self.dollars})
            except DatabaseError as error:
                return f"What all machines spent is not known: {error}"
            if drawn is None:
                which = f"budget_usd ${self.dollars:.4f} of cluster.yaml"
                return (
                    f"{which if self.name == ALL else f'The budget of ${self.dollars:.4f}'} is reached: with what is in"
                    f" flight on all machines the next request, of up to ${more:.4f}, may exceed it"
                )
            self._drawn = wanted
        return self.within.reached(more) if self.within else None

    def settle(self) -> None:
        if self._drawn:
            with suppress(DatabaseError):  # what was drawn stays drawn
                self._session.again(SETTLE, self._named() | {"spent": self.spent - self._settled})
                self._settled, self._drawn = self.spent, 0.0
        self._session.close()
        super().settle()

    def _named(self) -> dict[str, str]:
        return {"id": self._id, "name": self.name}


def spent_by_all(database: Database, name: str = ALL) -> float:
    """Dollars that all machines spent of a budget, with what may be in flight at its upper bounds."""
    with database.cursor() as cursor:
        cursor.execute(SPENT, {"name": name})
        dollars: float = cursor.fetchone()[0]
        return dollars
