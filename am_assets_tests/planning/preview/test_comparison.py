"""Two versions of what is kept, held against each other."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from am_assets.planning.preview.comparison import BY, compare

GROUPS = {"source": ["b", "a"], "category": ["others", "math"], "difficulty": ["hard", "very_easy"]}
kept = st.dictionaries(st.integers(0, 20).map(str), st.tuples(*map(st.sampled_from, GROUPS.values())), max_size=12)
NO_FATES = pl.DataFrame(schema={"id": pl.String, "reason": pl.String})


def rows(table: dict[str, tuple[str, ...]]) -> pl.DataFrame:
    lines = [(name, *groups) for name, groups in table.items()]
    return pl.DataFrame(lines, dict.fromkeys(["id", *BY], pl.String), orient="row")


@given(kept, kept)
def test_in_every_group_what_was_there_and_came_and_did_not_go_is_what_is_there(before, after) -> None:
    groups = compare(rows(before), rows(after), NO_FATES, "id", "gone").groups
    assert (groups["before"] + groups["gained"] - groups["lost"]).equals(groups["after"].alias("before"))
    for by in ["all", *BY]:
        of = groups.filter(by=by)
        assert (of["before"].sum(), of["after"].sum()) == (len(before), len(after))


@given(kept, kept)
def test_every_lost_row_has_one_reason(before, after) -> None:
    lost = set(before) - set(after)
    fates = pl.DataFrame({"id": [*sorted(lost)[::2]] * 2}, schema={"id": pl.String}).with_columns(reason=pl.lit("url"))
    reasons = dict(compare(rows(before), rows(after), fates, "id", "gone").reasons.rows())
    assert reasons == {k: n for k, n in {"url": len(sorted(lost)[::2]), "gone": len(sorted(lost)[1::2])}.items() if n}


def test_a_row_that_another_source_now_stands_for_is_lost_by_the_one_and_gained_by_the_other() -> None:
    compared = compare(rows({"q": ("a", "math", "hard")}), rows({"q": ("b", "math", "hard")}), NO_FATES, "id", "gone")
    assert compared.groups.filter(by="source").rows() == [("source", "a", 1, 0, 0, 1), ("source", "b", 0, 1, 1, 0)]
    assert compared.groups.filter(by="all").rows() == [("all", "all", 1, 1, 0, 0)]
    assert compared.reasons.is_empty()


def test_difficulties_stand_in_their_own_order() -> None:
    table = rows({"1": ("a", "math", "very_hard"), "2": ("a", "math", "easy"), "3": ("a", "math", "unlabelled")})
    shown = compare(table, table, NO_FATES, "id", "gone").groups.filter(by="difficulty")["group"].to_list()
    assert shown == ["easy", "very_hard", "unlabelled"]
