"""A recipe's page: what it says, what it never runs, and the same bytes for the same findings."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.evaluation.examples import one_of_each, sampled
from am_assets.evaluation.page import CUT, page, summary_png
from am_assets.evaluation.svg import PRINTED, curve_svg, sankey_svg
from am_assets_tests.evaluation.findings import HOSTILE, findings, without_results

FOUND = findings()
PAGE = page("demo", FOUND)
HARMLESS = {
    "html", "head", "meta", "title", "link", "style", "body", "header", "nav", "main", "footer", "section", "article",
    "h1", "h2", "h3", "div", "p", "small", "strong", "code", "a", "ul", "li", "dl", "dt", "dd", "table", "thead",
    "tbody", "tr", "th", "td", "i", "b", "wbr", "span", "details", "summary", "pre", "svg", "path", "rect", "text",
    "polyline", "circle",
}  # fmt: skip


class Seen(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def assert_harmless(html: str) -> None:
    seen = Seen(html)
    assert seen.tags <= HARMLESS
    for name, value in seen.attributes:
        assert not name.startswith("on")
        assert name not in {"href", "src"} or re.match(r"#|data:,$", value or ""), (name, value)


def test_the_page_says_what_came_in_what_is_released_and_why_the_rest_went() -> None:
    text = Seen(PAGE).text
    assert "66 rows in → 47 rows released" in text
    for reason in ("exact_duplicate", "near_duplicate", "contaminated", "no response", "wrong_answer", "low_reward"):
        assert reason in text
    assert "44.0%" in text and "29.9% to 58.1%" in text
    assert "$0.66" in text


def test_the_scores_say_what_was_gained_and_what_is_left_of_it_without_touched_questions() -> None:
    text = Seen(PAGE).text
    assert "held_out: 50 questions x 1 sample" in text
    assert "Trained is better than untrained by 34.0 points (95 % interval " in text
    assert "touch 10 of these questions; of the others: trained is better than untrained by 42.5 points" in text
    assert "Trained, untouched items" in text and "55.0% (" in text
    rows = pl.concat([FOUND.scores.filter(pl.col("student") != "untrained")])
    alone = rows.filter(pl.col("student") == "trained")
    assert "can't be told apart" not in Seen(page("demo", replace(FOUND, scores=alone))).text


def test_the_papers_figures_stand_beside_ours_and_are_named_as_such() -> None:
    ours, theirs = PAGE.split("Published by the paper")
    assert "AM-Distill-Qwen-32B" in theirs and "AM-Distill-Qwen-32B" not in ours
    assert "not measured here" in theirs and "29.3%" in ours


def test_twenty_rows_drawn_by_their_ids_are_shown_with_think_and_answer_folded() -> None:
    assert len(FOUND.kept) == 20
    assert PAGE.count("<summary>Think") == PAGE.count("<summary>Answer") == 20
    assert "<details open" not in PAGE
    rows = FOUND.released
    assert sampled(rows) == sampled(rows.sample(fraction=1, shuffle=True, seed=1))


def test_one_row_is_shown_for_each_reason_in_the_order_of_the_rules() -> None:
    assert [row["drop_reason"] for row in FOUND.dropped_responses] == [
        "truncated", "repetitive", "wrong_answer", "failed_tests", "unverifiable", "low_reward",
    ]  # fmt: skip
    dropped = pl.DataFrame({"id": ["b1", "a2", "c0"], "drop_reason": ["x", "x", None]})
    assert one_of_each(dropped, "id")["id"].to_list() == ["a2"]


def test_texts_with_a_key_are_shown_of_no_dropped_row_whatever_rule_dropped_it() -> None:
    texts = {row["drop_reason"]: (row["question"], row["response"]) for row in FOUND.dropped_responses}
    assert texts["repetitive"] == ("not shown: secret",) * 2
    assert HOSTILE in texts["truncated"][0] and HOSTILE in texts["truncated"][1]


def test_what_models_wrote_stays_text() -> None:
    assert_harmless(PAGE)
    assert HOSTILE in Seen(PAGE).text
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in PAGE


@settings(max_examples=30)
@given(st.text(min_size=1))
def test_no_text_whatever_it_is_becomes_markup(text: str) -> None:
    row = FOUND.kept[0] | {"question": text, "think": text, "answer": text, "teacher": text, "source": text}
    funnel = FOUND.funnel.with_columns(outcome=pl.col("outcome").replace("near_duplicate", text))
    assert_harmless(page("demo", replace(FOUND, kept=[row], funnel=funnel)))


def test_a_long_trace_is_cut_at_the_stated_length() -> None:
    row = FOUND.kept[0] | {"think": "x" * CUT + "y", "answer": "short"}
    html = page("demo", replace(FOUND, kept=[row]))
    assert "2,001 characters, the first 2,000 shown" in html and "xy" not in html


def test_a_long_name_may_break_at_its_joints_and_is_escaped_all_the_same() -> None:
    assert '<th scope="row">some/<wbr>teacher</th>' in PAGE
    assert '<th scope="row">&lt;i&gt;open&lt;/<wbr>i&gt; questions</th>' in PAGE


def test_a_recipe_without_answers_and_scores_has_a_page_that_says_what_is_missing() -> None:
    text = Seen(page("demo", without_results(FOUND))).text
    assert "66 rows in → 0 rows released" in text
    assert "No scores yet" in text and "No responses yet" in text and "No reward curve" in text


def test_the_same_findings_give_the_same_bytes() -> None:
    assert page("demo", findings()) == PAGE
    assert summary_png("demo", findings()) == summary_png("demo", FOUND)


def test_the_flow_is_as_wide_as_its_rows() -> None:
    heights = re.findall(r'class="node"[^>]* height="([0-9.]+)"', sankey_svg(FOUND.funnel))
    entered = FOUND.funnel.filter(outcome="in")["rows"].to_list()
    assert [float(height) for height in heights] == pytest.approx([220 * rows / 66 for rows in entered], abs=0.06)


def test_a_picture_brings_its_own_ground_and_colours_and_the_page_gives_its_own() -> None:
    assert '<rect class="ground" width="100%" height="100%"/>' in sankey_svg(FOUND.funnel, "demo", PRINTED)
    assert "ground" not in sankey_svg(FOUND.funnel) and "<style>" not in sankey_svg(FOUND.funnel)


def test_a_curve_without_a_mark_has_none() -> None:
    assert 'class="mark"' in curve_svg([(0, 1), (1, 0)], "x", "y", 0.5)
    assert 'class="mark"' not in curve_svg([(0, 1), (1, 0)], "x", "y")
