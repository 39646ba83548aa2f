"""What a query string asks of the rows of a recipe: facets, a search, an order, a page. Pure: frames in, frames out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import polars as pl

FACETS = {
    "source": "Source",
    "category": "Category",
    "difficulty": "Difficulty",
    "teacher": "Teacher",
    "evidence": "Decided by",
    "verdict": "Verdict",
    "reason": "Kept, or dropped as",
    "license": "Licence",
    "length": "Characters of the response",
    "score": "Reward",
}
SORTS = {
    "": "as stored",
    "response_chars": "shortest response first",
    "-response_chars": "longest response first",
    "question_chars": "shortest question first",
    "-question_chars": "longest question first",
    "reward": "lowest reward first",
    "-reward": "highest reward first",
}
WITHIN = {"questions": "in questions", "answers": "in answers"}
NONE = "(none)"  # the value of a row without one, here and in the query
PAGE = 50  # rows
MOST_VALUES = 12  # of a facet that are shown before it is unfolded
MOST_CHARS = 200  # of what is searched for


@dataclass(frozen=True)
class Asked:
    """`chosen`: the values asked for by facet; `find`: words to find in questions or answers, "" for none."""

    recipe: str
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    find: str = ""
    within: str = "questions"
    sort: str = ""
    page: int = 1

    @property
    def rest(self) -> bool:
        """Whether it asks for any but the first rows as they are stored."""
        return bool(self.chosen or self.find or self.sort or self.page > 1)

    def query(self, **changes: Any) -> str:
        """As a query string, with some fields changed; defaults are left out."""
        asked = replace(self, **changes)
        pairs = [("recipe", asked.recipe), *((name, value) for name, of in asked.chosen.items() for value in of)]
        pairs += [("find", asked.find), ("within", asked.within)] if asked.find else []
        pairs += [("sort", asked.sort)] if asked.sort else []
        pairs += [("page", str(asked.page))] if asked.page > 1 else []
        return urlencode(pairs)

    def toggled(self, facet: str, value: str) -> str:
        """The query with a value of a facet chosen, or no longer, from its first page."""
        now = self.chosen.get(facet, ())
        values = tuple(one for one in now if one != value) if value in now else (*now, value)
        chosen = {**self.chosen, facet: values}
        return self.query(chosen={name: of for name, of in chosen.items() if of}, page=1)


def asked_of(pairs: Sequence[tuple[str, str]], recipes: Sequence[str]) -> Asked:
    """What a query string asks for; what it does not know, or cannot be, is left out.

    >>> asked_of([("category", "math"), ("page", "2")], ["demo"]).chosen
    {'category': ('math',)}
    """
    last = dict(pairs)
    chosen: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if name in FACETS and value not in chosen.get(name, ()):
            chosen[name] = (*chosen.get(name, ()), value)
    page = last.get("page", "1")
    return Asked(
        recipe=last["recipe"] if last.get("recipe") in recipes else recipes[0],
        chosen=chosen,
        find=last.get("find", "").strip()[:MOST_CHARS],
        within=last["within"] if last.get("within") in WITHIN else "questions",
        sort=last["sort"] if last.get("sort") in SORTS else "",
        page=min(max(int(page), 1), 10**6) if page.isascii() and page.isdecimal() and len(page) < 8 else 1,
    )


def matching(rows: pl.DataFrame, chosen: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """The rows with one of the chosen values of each facet."""
    return rows.filter(_holds(rows, name, values) for name, values in chosen.items()) if chosen else rows


def _holds(rows: pl.DataFrame, name: str, values: Sequence[str]) -> pl.Expr:
    """Values that no row has are compared with none: those of an enum would be an error."""
    known = [value for value in rows[name].unique().drop_nulls().cast(pl.String) if value in values]
    same = pl.lit(False) if not known else pl.col(name).is_in(pl.Series(known, dtype=rows.schema[name]).implode())
    return (same | pl.col(name).is_null()) if NONE in values else same.fill_null(False)


def ordered(rows: pl.DataFrame, sort: str) -> pl.DataFrame:
    """Rows in the order of SORTS; those without a value come last."""
    name = sort.removeprefix("-")
    return rows.sort(name, descending=sort != name, nulls_last=True, maintain_order=True) if sort else rows


def counts(rows: pl.DataFrame, chosen: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, int]]]:
    """By facet its values and how many rows have them under the other facets, most first; chosen ones are always there.
    Facets with a single value and none chosen are left out."""
    found = {}
    for name in FACETS:
        others = matching(rows, {other: values for other, values in chosen.items() if other != name})
        by_value = others[name].value_counts().cast({name: pl.String}).with_columns(pl.col(name).fill_null(NONE))
        values = dict(by_value.sort(["count", name], descending=[True, False]).rows())
        listed = list(({**values, **{one: 0 for one in chosen.get(name, ()) if one not in values}}).items())
        if len(listed) > 1 or name in chosen:
            found[name] = listed
    return found


def beside(rows: pl.DataFrame, question_id: str, response_id: str | None) -> tuple[int | None, int, list[dict | None]]:
    """Where a row stands among `rows` (from 0; None where it does not), how many there are, and the rows before and
    after it."""
    same = pl.col("question_id") == question_id
    if response_id is not None:
        same &= pl.col("response_id") == response_id
    at = rows.select(same.arg_max() if rows.height else None, found=same.any()) if rows.height else None
    if at is None or not at["found"].item():
        return None, rows.height, [None, None]
    index = int(at.to_series(0).item())
    ids = rows.select("question_id", "response_id")
    ends = [ids.row(place, named=True) if 0 <= place < rows.height else None for place in (index - 1, index + 1)]
    return index, rows.height, ends
