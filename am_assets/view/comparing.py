"""Two recipes side by side: the fields that differ, and the rows that only one of them keeps, with why."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from am_assets.planning.diff.asking import diff
from am_assets.planning.diff.difference import Difference
from am_assets.view.filters import PAGE
from am_assets.view.shelf import WIDTH, Shelf


def page(shelf: Shelf, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the template shows: `fields` that differ, `sets` (what is compared, how many both keep, the sides) and the
    rows of the side and reason that the query names, a page of them."""
    names = [name for name in (asked.get("one"), asked.get("other")) if name in shelf.recipes]
    one, other = names if len(names) == 2 else shelf.recipes[:2]
    stamp = tuple(
        (shelf.here.assets / "verified_set" / f"{name}.parquet").stat().st_mtime_ns
        if name in shelf.store.partitions("verified_set")
        else None
        for name in (one, other)
    )
    found = shelf.lists.get(("diff", one, other, stamp), lambda: diff(shelf.here, one, other, 0))
    sets = [one_set for one_set in (found.responses, found.questions) if one_set]
    what, kept_by, reason = (asked.get(name, "") for name in ("what", "kept_by", "reason"))
    at = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 6 else 1
    rows = _rows(sets, what, kept_by, reason)
    shown = rows.slice((max(at, 1) - 1) * PAGE, PAGE)
    return {
        "one": one, "other": other, "fields": found.fields, "sets": sets, "chosen": (what, kept_by, reason),
        "rows": _with_texts(shelf, shown), "count": rows.height, "at": max(at, 1),
    }  # fmt: skip


def _rows(sets: list[Difference], what: str, kept_by: str, reason: str) -> pl.DataFrame:
    side = next((side for one in sets for side in one.sides if (one.what, side.kept_by) == (what, kept_by)), None)
    if side is None:
        return pl.DataFrame(schema={"id": pl.String, "question_id": pl.String})
    return side.rows.filter(pl.col("reason") == reason) if reason else side.rows


def _with_texts(shelf: Shelf, shown: pl.DataFrame) -> list[dict[str, Any]]:
    from am_assets.view.table import beginnings

    texts = beginnings(shelf.store, shelf.store.partitions("raw_pool"), shown["question_id"], WIDTH)
    return [{**row, "text": texts.get(row["question_id"], "")} for row in shown.to_dicts()]
