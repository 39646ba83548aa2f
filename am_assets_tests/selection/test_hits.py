"""All questions that touch an item, by each measure, against comparing all with all; and how many of them are kept."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.touched import Touched
from am_assets.evaluation.touched import touched, touching
from am_assets.selection import hits as module
from am_assets.selection import overlap
from am_assets.selection.hits import Hits
from am_assets.selection.overlap import Items, benchmark_overlap
from am_assets.storage.schemas import BenchmarkHits

LONG = "A farmer keeps nine brown hens and each of them lays two eggs every day of the week"
ITEMS = pl.DataFrame(
    {
        "item_id": ["hens", "again", "sum"],
        "question": [LONG, f"{LONG}. How many eggs are that in all?", "What is 12 plus 7 minus 3?"],
    }
)
QUESTIONS = [
    LONG.upper(),
    f"Say: {LONG}, so how many?",
    "What is 12 plus 7 minus 3?",
    "What is 30 plus 8 minus 5?",
    "Why do leaves turn yellow in autumn?",
]


def of(questions: list[str], floor: float = 0.6, cosines: np.ndarray | None = None) -> pl.DataFrame:
    """BenchmarkHits of the questions q0, q1, …; `cosines` are those to the items, 0 without any."""
    pool = pl.DataFrame({"question_id": [f"q{at}" for at in range(len(questions))], "question": questions})
    ours = np.zeros((len(questions), 4)) if cosines is None else np.pad(cosines, ((0, 0), (0, 1)))
    ours[:, 3] = np.sqrt(np.clip(1 - (ours**2).sum(axis=1), 0, 1))
    vectors = pool.select("question_id", vector=pl.Series(ours.tolist(), dtype=pl.List(pl.Float32)))
    items = Items(ITEMS, np.eye(3, 4, dtype=np.float32))
    hits = Hits(items.ids, floor)
    benchmark_overlap(pool, vectors, items, floor, hits)
    return BenchmarkHits.validate(hits.table())


def pairs(table: pl.DataFrame, measure: str) -> set[tuple[str, str]]:
    return set(table.filter(measure=measure).select("question_id", "item_id").rows())


def test_a_question_touches_every_item_that_it_is_like_and_not_the_nearest_alone() -> None:
    table = of(QUESTIONS)
    assert pairs(table, "same_text") == {("q0", "hens"), ("q2", "sum")}
    assert pairs(table, "same_template") == {("q0", "hens"), ("q2", "sum"), ("q3", "sum")}
    assert pairs(table, "ngram_8") == {*((q, item) for q in ("q0", "q1") for item in ("hens", "again")), ("q2", "sum")}
    shares = {row["item_id"]: row["value"] for row in table.filter(question_id="q0", measure="ngram_8").to_dicts()}
    assert shares["hens"] == 1 and 0 < shares["again"] < 1
    assert table.filter(question_id="q4").is_empty()


def test_cosines_reach_down_to_the_floor_and_those_with_the_same_numbers_are_told_apart() -> None:
    cosines = np.array([[0.7, 0.69, 0], [0.6, 0.59, 0], [0, 0, 0.65], [0, 0, 0.65], [0.1, 0, 0]])
    table = of(QUESTIONS, cosines=cosines)
    assert pairs(table, "cosine") == {("q0", "hens"), ("q0", "again"), ("q1", "hens"), ("q2", "sum"), ("q3", "sum")}
    assert pairs(table, "reworded") == pairs(table, "cosine") - {("q3", "sum")}
    assert table.filter(measure="cosine", question_id="q0")["value"].to_list() == pytest.approx([0.69, 0.7])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1000)), max_size=60), st.integers(1, 7))
def test_of_each_item_and_band_the_strongest_are_kept_in_whatever_slices_they_come(found, slices) -> None:
    items = pl.Series("item_id", [f"i{at}" for at in range(4)])
    numbers = np.arange(len(found))
    at, values = (np.array([one[side] for one in found], dtype=np.int64) for side in (0, 1))
    gathered = Hits(items, 0)
    for part in np.array_split(numbers, slices):
        gathered.begin(pl.Series("question_id", [f"q{n:03d}" for n in part], pl.String))
        gathered.add("cosine", part - part[:1].sum(), at[part], values[part] / 1000)
    ranked = pl.DataFrame({"item": at, "thousandths": values, "question": numbers}).sort(
        "item", "thousandths", "question", descending=[False, True, False]
    )
    best = ranked.filter(pl.int_range(pl.len()).over("item", pl.col("thousandths") // 50) < 2)
    expected = {(f"i{item}", f"q{question:03d}") for item, _, question in best.rows()}
    assert {*gathered.table().select("item_id", "question_id").rows()} == expected


@pytest.fixture(autouse=True)
def few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)


def test_what_decontamination_drops_does_not_hide_what_lies_below() -> None:
    """However many questions are near an item, of those a little farther away some are there too."""
    cosines = np.zeros((40, 3))
    cosines[:, 0] = np.linspace(0.99, 0.61, 40)
    values = of([f"Question {at}" for at in range(40)], cosines=cosines).filter(measure="cosine", item_id="hens")
    assert values.height == 2 * 8
    assert values["value"].min() < 0.65 and values["value"].max() > 0.98


def test_slices_of_a_shard_count_on(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of(QUESTIONS, cosines=np.full((5, 3), 0.57), floor=0.5)
    monkeypatch.setattr(overlap, "SLICE", 2)
    assert of(QUESTIONS, cosines=np.full((5, 3), 0.57), floor=0.5).equals(whole)


OFF = {**dict.fromkeys(("same_text", "same_template"), False),
       **dict.fromkeys(("ngram_share", "wording", "cosine", "reworded"))}  # fmt: skip
CUTS = {
    "nothing": ({}, set()),
    "same text": ({"same_text": True}, {"hens"}),
    "same but for numbers": ({"same_template": True}, {"hens", "sum"}),
    "any shared ngram": ({"ngram_share": 0}, {"hens", "again"}),
    "all ngrams": ({"ngram": 13, "ngram_share": 1}, {"hens"}),
    "wording": ({"wording": 0.9}, {"hens"}),
    "cosine": ({"cosine": 0.7}, {"again"}),
    "a lower cosine": ({"cosine": 0.6}, {"hens", "again"}),
    "a cosine with the same numbers": ({"reworded": 0.65}, {"again"}),
}


@pytest.mark.parametrize(("cuts", "items"), CUTS.values(), ids=CUTS)
def test_the_cuts_of_a_recipe_say_which_items_its_rows_touch(cuts: dict, items: set[str]) -> None:
    cosines = np.array([[0.6, 0.7, 0], *[[0.0] * 3] * 4])
    strongest = touching(of(QUESTIONS, cosines=cosines).lazy(), pl.LazyFrame({"question_id": ["q0", "q3", "unknown"]}))
    assert {*touched(strongest, Touched(**{**OFF, **cuts}))} == items


def test_what_was_not_released_touches_nothing() -> None:
    hits = of(QUESTIONS).lazy()
    assert touching(hits, pl.LazyFrame({"question_id": ["q4"]})).is_empty()
    strongest = touching(hits, pl.LazyFrame({"question_id": ["q0", "q1", "q2", "q3"]}))
    assert strongest.filter(item_id="hens", measure="ngram_8")["question_id"].to_list() == ["q0"]
    assert strongest.filter(item_id="sum", measure="same_template")["question_id"].to_list() == ["q2"]
