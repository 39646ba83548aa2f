"""Figures of a verified set: what they count, what they leave out, how far they moved."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.vocabulary import RESPONSE_DROPS, VERDICTS
from am_assets.verification.figures import drift, fates, figures, pass_rates, screened

told = st.sampled_from(VERDICTS)


def verified(
    *rows: tuple[str, str, str | None], kept: bool = True, repetitive: bool = False, screens: tuple[str, ...] = ()
) -> pl.DataFrame:
    """Of (source, verdict, second verdict)."""
    names = {"source": pl.String, "verdict": pl.Enum(VERDICTS), "second_verdict": pl.Enum(VERDICTS)}
    table = pl.DataFrame(rows, names, orient="row")
    return table.with_columns(
        kept=pl.lit(kept), repetitive=pl.lit(repetitive), screens=pl.lit(screens, pl.List(pl.String))
    )


def test_pass_rates_leave_out_what_could_not_be_told():
    rows = [("a", "pass"), ("a", "fail"), ("a", "unverifiable"), ("b", "unverifiable")]
    table = verified(*((source, verdict, None) for source, verdict in rows))
    assert pass_rates(table, ["source"]).rows() == [("a", 3, 1, 0.5, pytest.approx(1 / 3)), ("b", 1, 0, None, 1.0)]
    assert pass_rates(table, []).rows() == [(4, 1, 0.5, 0.5)]
    assert pass_rates(verified(), []).rows() == [(0, 0, None, None)]


def test_disagreement_is_counted_where_both_could_tell():
    rows = [("pass", "fail"), ("fail", "fail"), ("pass", "unverifiable"), ("unverifiable", "fail"), ("pass", None)]
    assert figures(verified(*(("a", *row) for row in rows)))["disagreement"] == 0.5
    assert figures(verified(("a", "pass", None)))["disagreement"] is None


def test_nothing_has_no_figures():
    assert set(figures(verified()).values()) == {None}


@given(st.lists(st.tuples(st.sampled_from("ab"), told, st.none() | told), max_size=8), st.booleans())
def test_figures_are_shares_and_a_set_does_not_drift_from_itself(rows, kept):
    found = figures(verified(*rows, kept=kept, repetitive=not kept))
    assert all(share is None or 0 <= share <= 1 for share in found.values())
    assert set(drift(found, found).values()) <= {0}
    if rows:
        assert (found["kept_share"], found["repetitive_share"]) == (float(kept), float(not kept))
        assert pass_rates(verified(*rows), ["source"])["responses"].sum() == len(rows)


def test_a_row_counts_once_however_much_is_found_in_it_and_each_screen_for_itself():
    row = ("a", "pass", None)
    table = pl.concat(
        [verified(row, screens=("secret", "refusal")), verified(row, row), verified(row, screens=("refusal",))]
    )
    assert figures(table)["screened_share"] == 0.5
    assert screened(table) == {"refusal": 0.5, "secret": 0.25}
    assert screened(verified(row)) == screened(verified()) == {}


def test_drift_speaks_of_what_is_known_of_both():
    before = {"pass_rate": 0.5, "disagreement": None, "gone": 0.3}
    now = {"pass_rate": 0.25, "disagreement": 0.1, "new": 1.0}
    assert drift(before, now) == {"pass_rate": -0.25}


def test_fates_count_the_kept_and_then_each_reason_in_the_order_of_the_rules():
    reasons = pl.Series(["low_reward", None, "truncated", None], dtype=pl.Enum(RESPONSE_DROPS))
    assert fates(reasons.to_frame("drop_reason")).rows() == [("kept", 2), ("truncated", 1), ("low_reward", 1)]
