"""The report: a funnel that adds up, and what is counted beside it."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.vocabulary import CATEGORIES, QUESTION_DROPS, RESPONSE_DROPS, UNLABELLED
from am_assets.engines.plots import bar_chart_png, heatmap_png, histogram_png, intervals_png
from am_assets.evaluation import paper
from am_assets.evaluation.distributions import lengths, spread
from am_assets.evaluation.report import funnel, reward_curve, teacher_costs
from am_assets.storage.schemas import RecipeReport

Tables = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]


def tables(questions: list[tuple[int, str | None, str | None, list[str | None]]]) -> Tables:
    """The four tables of questions given as (copies, dedup drop, selection drop, fates of the responses)."""
    deduped, selected, verified = [], [], []
    for i, (copies, duplicate, unwanted, responses) in enumerate(questions):
        question = {"question_id": f"q{i}", "shard": "s"}
        deduped.append(question | {"copies": copies, "kept": duplicate is None, "drop_reason": duplicate})
        if duplicate is None:
            selected.append(question | {"kept": unwanted is None, "drop_reason": unwanted})
            for j, fate in enumerate(responses if unwanted is None else []):
                response = {"response_id": f"{i}-{j}", "teacher": "t", "origin": "distilled"}
                verified.append(question | response | {"kept": fate is None, "drop_reason": fate})
    question = {
        "question_id": pl.String,
        "shard": pl.String,
        "kept": pl.Boolean,
        "drop_reason": pl.Enum(QUESTION_DROPS),
    }
    response = dict.fromkeys(["response_id", "teacher", "origin"], pl.String)
    answered = question | {"drop_reason": pl.Enum(RESPONSE_DROPS)} | response
    candidates = pl.DataFrame(verified, schema=answered)
    sft = candidates.filter("kept").select("response_id", category=pl.lit("math"), difficulty=pl.lit("easy"))
    return (
        pl.DataFrame(deduped, schema=question | {"copies": pl.UInt32}),
        pl.DataFrame(selected, schema=question),
        candidates,
        sft,
    )


EXAMPLE = tables(
    [
        (3, None, None, [None, "wrong_answer"]),
        (1, None, None, []),
        (1, None, "contaminated", []),
        (2, "near_duplicate", None, []),
    ]
)


def test_the_funnel_follows_rows_to_the_dataset():
    report = RecipeReport.validate(funnel(*EXAMPLE))
    assert report.rows() == [
        ("pool", "in", 7),
        ("pool", "exact_duplicate", 3),
        ("pool", "kept", 4),
        ("dedup", "in", 4),
        ("dedup", "near_duplicate", 1),
        ("dedup", "kept", 3),
        ("selection", "in", 3),
        ("selection", "contaminated", 1),
        ("selection", "kept", 2),
        ("distillation", "in", 2),
        ("distillation", "questions without response", 1),
        ("distillation", "kept", 1),
        ("distillation", "responses", 2),
        ("verification", "in", 2),
        ("verification", "wrong_answer", 1),
        ("verification", "kept", 1),
        ("dataset", "in", 1),
        ("dataset", "kept", 1),
    ]


questions = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.none() | st.sampled_from(["defective", "exact_duplicate", "near_duplicate"]),
        st.none() | st.sampled_from(["contaminated", "unsuitable", "downsampled"]),
        st.lists(st.none() | st.sampled_from(RESPONSE_DROPS), max_size=3),
    ),
    max_size=8,
)


@given(questions)
def test_each_stage_adds_up_and_hands_on_what_it_kept(drawn):
    counts = {
        (stage, outcome): rows for stage, outcome, rows in RecipeReport.validate(funnel(*tables(drawn))).iter_rows()
    }
    for stage in dict.fromkeys(stage for stage, _ in counts):
        outcomes = {outcome: rows for (at, outcome), rows in counts.items() if at == stage and outcome != "responses"}
        assert outcomes.pop("in") == sum(outcomes.values())
    handed_on = ["pool", "dedup", "selection", "distillation"]
    assert all(counts[a, "kept"] == counts[b, "in"] for a, b in pairwise(handed_on))
    assert counts["distillation", "responses"] == counts["verification", "in"]
    assert counts["verification", "kept"] == counts["dataset", "in"]
    assert counts["pool", "in"] == sum(copies for copies, *_ in drawn)


def test_tables_of_different_runs_are_refused_by_name():
    deduped, selected, verified, sft = EXAMPLE
    with pytest.raises(ValueError, match="materialize selected_questions again"):
        funnel(deduped, selected.head(1), verified, sft)
    with pytest.raises(ValueError, match="materialize verified_set again"):
        funnel(deduped, selected.with_columns(kept=False), verified, sft)
    with pytest.raises(ValueError, match="materialize sft_dataset again"):
        funnel(deduped, selected, verified, sft.clear())


def test_costs_are_those_of_the_recipes_own_candidates():
    responses = pl.DataFrame(
        {"response_id": ["0-0", "0-1", "other"], "completion_tokens": [5, 7, 99], "cost": [0.5, 0.25, 9.0]}
    )
    assert teacher_costs(responses, EXAMPLE[2]).rows() == [("t", "distilled", 2, 1, 12, 0.75)]


def test_a_mix_lists_every_class_beside_the_papers_share():
    table = spread(EXAMPLE[3]["category"], paper.CATEGORY_ROWS, [*CATEGORIES, UNLABELLED])
    assert table["rows"].sum() == 1
    assert table.row(0) == ("math", 1, 1.0, pytest.approx(0.293, abs=0.001))
    assert table.filter(name="unlabelled")["paper"].to_list() == [None]


def test_lengths_fall_into_ranges_named_by_their_ends():
    table = lengths(pl.Series([31, 100, 101, 2_000]))
    assert table.select("name", "rows").rows() == [
        ("up to 100", 2),
        ("up to 300", 1),
        ("up to 1,000", 0),
        ("up to 3,000", 1),
    ]
    assert lengths(pl.Series([200_000]))["name"].to_list() == ["over 100,000"]
    assert lengths(pl.Series([], dtype=pl.UInt32)).is_empty()


def test_the_reward_curve_counts_what_nothing_but_the_reward_decides():
    verified = pl.DataFrame(
        {
            "evidence": ["reward", "reward", "reward", "math", "reward"],
            "drop_reason": [None, "low_reward", "truncated", None, "not_chosen"],
            "reward": [0.75, 0.5, 1.0, 1.0, None],
        },
        schema_overrides={"drop_reason": pl.Enum(RESPONSE_DROPS), "reward": pl.Float32},
    )
    curve = dict(reward_curve(verified))
    assert (curve[0.0], curve[0.5], curve[0.75], curve[1.0]) == (2, 2, 1, 0)
    assert reward_curve(verified.filter(evidence="math")) == []


def charts():
    table = pl.DataFrame({"a": ["x", "y"], "b": ["u.v", "w"], "n": [0.25, 0.75]})
    yield bar_chart_png(table, "a", "n", "Bars")
    yield heatmap_png(table, "a", "b", "n", "Fields")
    yield intervals_png(table.select(who="a", value="n", ci_low="n", ci_high="n"), "Intervals")
    yield histogram_png(table["n"], "Ranges")
    yield histogram_png(table["n"].clear(), "Nothing")


def test_a_chart_is_the_same_png_every_time():
    for once, again in zip(charts(), charts(), strict=True):
        assert once.startswith(b"\x89PNG") and once == again


def test_a_chart_of_a_column_that_is_not_there_says_which():
    with pytest.raises(ValueError, match="no column rate"):
        bar_chart_png(pl.DataFrame({"name": ["a"]}), "name", "rate", "Rates")
