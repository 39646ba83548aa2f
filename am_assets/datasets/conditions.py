"""`where:` of a source: a condition in SQL on the raw columns of its rows."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import polars as pl

from am_assets.datasets.locate import SourceError
from am_assets.datasets.values import Fault

BATCH_ROWS = 2_000
Numbered = tuple[int, dict[str, Any] | Fault]


class Condition:
    """The rows of which it is true are kept; `left_out` counts the others, `met` has the columns that any row had.

    >>> Condition("score > 3 AND ARRAY_CONTAINS(correct, true)").columns
    ['score', 'correct']
    """

    def __init__(self, sql: str):
        try:
            self.expression = pl.sql_expr(sql)
        except pl.exceptions.PolarsError as error:
            raise ValueError(f"{sql!r} is no condition in SQL: {error}") from None
        self.sql = sql
        self.columns = list(dict.fromkeys(self.expression.meta.root_names()))
        self.left_out = 0
        self.met: set[str] = set()

    def kept(self, rows: Iterator[Numbered], file: str) -> Iterator[Numbered]:
        """Those of the rows of a file of which the condition is true, and those that could not be read. `SourceError`
        where it can't be decided of the values there, or is of several rows together."""
        while batch := list(islice(rows, BATCH_ROWS)):
            records = [record for _, record in batch if isinstance(record, dict)]
            holds = iter(self._holds(records, f"{file}:{batch[0][0]}"))
            for line, record in batch:
                if not isinstance(record, dict) or next(holds):
                    yield line, record
                else:
                    self.left_out += 1

    def _holds(self, records: list[dict[str, Any]], where: str) -> list[bool | None]:
        self.met |= {name for name in self.columns for record in records if name in record}
        values = {name: [record.get(name) for record in records] for name in self.columns}
        try:
            found = pl.DataFrame(values, strict=False).select(self.expression).to_series()
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise SourceError(f"{where}: where: {self.sql!r} can't be decided here: {error}") from None
        if found.dtype not in (pl.Boolean, pl.Null) or len(found) != len(records):
            raise SourceError(f"{where}: where: {self.sql!r} is no condition on a row, true or false")
        return found.to_list()
