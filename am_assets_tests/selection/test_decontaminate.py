"""Benchmark overlap: what is shared with an item is counted, and the recipe says when it is too much."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.config.recipe import Decontamination
from am_assets.selection import overlap as measuring
from am_assets.selection.decontaminate import contaminated
from am_assets.selection.overlap import Items, benchmark_overlap
from am_assets.storage.schemas import BenchmarkOverlap

FLOOR = 0.6
LONG = "A farmer keeps nine brown hens and each of them lays two eggs every day of the week"
ITEMS = {
    "long": LONG + ".",
    "short": "Name the smallest odd prime number.",
    "sum": "What is 12 + 7?",
    "tiny": "Add both.",
    "han": "小明有十二个苹果、他吃了三个。还剩几个苹果?",
}


def measure(
    questions: list[str], items: dict[str, str] = ITEMS, cosines: dict[int, float] | None = None
) -> pl.DataFrame:
    """Overlap by text; question n lies at the given cosine to the first item, and is else at right angles to all."""
    pool = pl.DataFrame({"question_id": [f"q{n:02d}" for n in range(len(questions))], "question": questions})
    pool = pool.cast(pl.String)
    ours = np.zeros((len(questions), len(items) + 1), dtype=np.float32)
    ours[:, -1] = 1
    for number, cosine in (cosines or {}).items():
        ours[number, [0, -1]] = cosine, np.sqrt(1 - cosine**2)
    vectors = pool.select("question_id", vector=pl.Series(ours.tolist(), dtype=pl.List(pl.Float32)))
    bench = pl.DataFrame({"item_id": list(items), "question": list(items.values())})
    overlap = benchmark_overlap(
        pool, vectors, Items(bench, np.eye(len(items), len(items) + 1, dtype=np.float32)), FLOOR
    )
    return BenchmarkOverlap.validate(overlap)


def of(question: str, items: dict[str, str] = ITEMS) -> dict | None:
    return next(measure([question], items).iter_rows(named=True), None)


def test_a_question_that_shares_nothing_is_not_listed() -> None:
    assert of("Why do leaves turn yellow in autumn?") is None


def test_case_and_punctuation_do_not_hide_an_item() -> None:
    found = of(LONG.upper().replace(" ", ", ") + "!!!")
    assert (found["same_text"], found["same_template"], found["text_item"]) == (True, True, "long")
    assert (found["ngram_8"], found["ngram_13"], found["wording"]) == (1, 1, 1)
    assert {found[name] for name in ("ngram_8_item", "ngram_13_item", "wording_item")} == {"long"}


def test_an_item_inside_a_longer_question_is_found_by_its_ngrams() -> None:
    found = of(f"Here is a riddle for you: {LONG}, so how many eggs is that?")
    assert not found["same_text"]
    assert (found["ngram_8"], found["ngram_13"]) == (1, 1)


def test_a_gram_repeated_in_the_question_counts_once() -> None:
    assert of(f"{LONG}. {LONG}.")["ngram_13"] == 1


def test_grams_do_not_reach_from_one_question_into_the_next() -> None:
    words = LONG.split()
    assert measure([" ".join(words[:7]), " ".join(words[7:12])]).is_empty()


def test_an_item_shorter_than_n_counts_as_one_gram() -> None:
    found = of("My teacher said: name the smallest odd prime number, please.")
    assert (found["ngram_8"], found["ngram_13"], found["ngram_13_item"]) == (1, 1, "short")


def test_an_item_of_two_words_is_found_by_equal_text_only() -> None:
    assert of("Take 3 and 4 and add both of them.") is None
    assert of("add both")["text_item"] == "tiny"


def test_sums_share_a_template_and_only_the_same_sum_is_the_same_text() -> None:
    found = measure(["what is 12+7", "What is 31 + 5?", "What is 12 - 7?"])
    assert found.select("question_id", "same_text", "same_template", "ngram_8").rows() == [
        ("q00", True, True, 1),
        ("q01", False, True, 0),
    ]


def test_the_item_sharing_most_is_named() -> None:
    head, tail = " ".join(LONG.split()[:9]), " ".join(LONG.split()[2:])
    assert of(tail, {"a": f"{LONG}, {head}", "b": tail, "c": tail})["ngram_8_item"] == "b"


def test_scripts_without_spaces_are_matched_by_character() -> None:
    found = of("请看 小明有十二个苹果、他吃了三个。还剩几个苹果?谢谢")
    assert found["ngram_13"] == 1
    assert of("小明有十二个苹果 他吃了三个 还剩几个苹果")["same_text"]


@pytest.mark.parametrize("question", ["🍐🍐🍐", "…?!", "كم بيضة في الأسبوع؟", ""])
def test_a_question_of_other_signs_matches_nothing(question: str) -> None:
    assert of(question, {**ITEMS, "emoji": "🙂 🙂 🙂 🙂"}) is None


def test_a_megabyte_is_searched_to_its_end() -> None:
    assert of("filler words and more " * 50_000 + LONG)["ngram_13"] == 1


def test_cosine_lists_a_question_from_the_floor_on_and_names_the_nearest_item() -> None:
    overlap = measure(["one", "two", "three"], cosines={0: 0.7, 1: 0.6, 2: 0.59})
    assert overlap.select("question_id", "item_id").rows() == [("q00", "long"), ("q01", "long")]
    assert overlap["cosine"].to_list() == pytest.approx([0.7, 0.6])


@pytest.mark.parametrize(
    ("question", "same"),
    [
        ("Of 3 hens, each lays 20 eggs", True),
        ("Twenty eggs from each of three hens: 3 and 20", True),
        ("Of 3 hens, each lays 21 eggs", False),
        ("Of 3 hens, each lays 20 eggs in 5 days", False),
        ("Of some hens, each lays eggs", False),
    ],
)
def test_numbers_are_compared_as_a_set_in_digits_or_in_words(question: str, same: bool) -> None:
    found = measure([question], {"hens": "Each of three hens lays 20 eggs."}, cosines={0: 0.8})
    assert found["same_numbers"].to_list() == [same]


def test_texts_without_numbers_have_none_in_common() -> None:
    found = measure(["Which bird is red?"], {"bird": "What colour has a bird?"}, cosines={0: 0.8})
    assert found["same_numbers"].to_list() == [False]


@pytest.mark.parametrize("question", ["Ann has 1,250 pears", "ANN has seven pears!", "Ann has 2 pears"])
def test_a_number_of_any_size_or_spelling_leaves_the_template(question: str) -> None:
    assert of(question, {"pears": "Ann has 12 pears."})["same_template"]


def test_names_do_not_count_for_the_wording() -> None:
    item = "Ann keeps 9 hens. Every day Ann sells the eggs of her hens at a market near the old town hall."
    other = item.replace("Ann", "Bo").replace("9", "14")
    assert of(other, {"hens": item, "more": "every farm keeps hens"})["wording"] == 1


def test_an_item_of_names_alone_has_no_wording() -> None:
    assert of("Ada Bea Cleo", {"names": "Ada Bea Cleo"})["wording"] == 0


def test_slices_do_not_show_in_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [LONG, "what is 12 + 7", "nothing", *ITEMS.values()]
    whole = measure(questions)
    monkeypatch.setattr(measuring, "SLICE", 2)
    monkeypatch.setattr(measuring, "BLOCK", 3)
    assert measure(questions).equals(whole)


def test_what_is_missing_is_said() -> None:
    assert measure([]).is_empty()
    with pytest.raises(ValueError, match="no items"):
        measure(["one"], {})
    pool = pl.DataFrame({"question_id": ["q1"], "question": ["one"]})
    vectors = pl.DataFrame({"question_id": ["q1"], "vector": [[1.0, 0.0]]})
    items = pl.DataFrame({"item_id": ["i"], "question": ["two"]})
    with pytest.raises(ValueError, match="q1 for one: materialize question_embeddings"):
        benchmark_overlap(pool, vectors.clear(), Items(items, np.eye(1, 2)), FLOOR)
    with pytest.raises(ValueError, match="2 dimensions, item vectors 3"):
        benchmark_overlap(pool, vectors, Items(items, np.eye(1, 3)), FLOOR)


some_texts = st.lists(st.lists(st.sampled_from("abcd"), max_size=24).map(" ".join), min_size=1, max_size=4)


@given(some_texts, some_texts, st.sampled_from([8, 13]))
@settings(max_examples=60)
def test_shares_are_those_of_plain_sets(questions: list[str], items: list[str], n: int) -> None:
    def grams(text: str, length: int) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}

    def share(question: str) -> float:
        lengths = [(item, min(n, len(item.split()))) for item in items]
        sets = [(grams(item, size), grams(question, size)) for item, size in lengths if size >= 4]
        return max((len(item & held) / len(item) for item, held in sets), default=0)

    named = {f"i{number}": text for number, text in enumerate(items)}
    listed = dict(measure(questions, named).select("question_id", f"ngram_{n}").rows())
    measured = [listed.get(f"q{at:02d}", 0) for at in range(len(questions))]
    assert measured == pytest.approx([share(text) for text in questions], abs=1e-4)


def overlap(**columns: object) -> pl.DataFrame:
    row = {
        "question_id": "q", "item_id": "near", "cosine": 0.1, "same_numbers": False, "same_text": False,
        "same_template": False, "text_item": "text", "ngram_8": 0.0, "ngram_8_item": "eight", "ngram_13": 0.0,
        "ngram_13_item": "thirteen", "wording": 0.0, "wording_item": "words", "same": None, "same_swapped": None,
        "benchmark": "bench", **columns,
    }  # fmt: skip
    return pl.DataFrame([row], dict(BenchmarkOverlap.create_empty().schema) | {"benchmark": pl.String})


@pytest.mark.parametrize(
    ("measured", "rules", "detail"),
    [
        ({"same_text": True}, {}, "text of bench/text"),
        ({"same_text": True}, {"same_text": False}, None),
        ({"same_template": True}, {}, "text but for numbers of bench/text"),
        ({"same_template": True}, {"same_template": False}, None),
        ({"ngram_13": 0.5}, {}, "0.5 of the 13-grams of bench/thirteen"),
        ({"ngram_13": 0.4}, {}, None),
        ({"ngram_13": 0.01}, {"ngram_share": 0}, "0.01 of the 13-grams of bench/thirteen"),
        ({}, {"ngram_share": 0}, None),
        ({"ngram_8": 1.0}, {}, None),
        ({"ngram_8": 1.0}, {"ngram": 8}, "1.0 of the 8-grams of bench/eight"),
        ({"wording": 0.7}, {}, "0.7 of the wording of bench/words"),
        ({"wording": 0.69}, {}, None),
        ({"wording": 1.0}, {"wording": None}, None),
        ({"cosine": 0.9}, {}, "cosine 0.9 to bench/near"),
        ({"cosine": 0.89}, {}, None),
        ({"cosine": 1.0, "same_text": True}, {}, "text of bench/text"),
        ({"cosine": 0.75, "same_numbers": True}, {}, "same numbers and cosine 0.75 as bench/near"),
        ({"cosine": 0.74, "same_numbers": True}, {}, None),
        ({"cosine": 0.8, "same_numbers": True}, {"reworded": None}, None),
    ],
)
def test_each_rule_says_what_it_found(measured: dict, rules: dict, detail: str | None) -> None:
    found = contaminated(overlap(**measured), Decontamination(**rules))
    assert found.select("question_id", "detail").rows() == ([("q", detail)] if detail else [])


@pytest.mark.parametrize(
    ("measured", "rules", "field"),
    [
        ({"ngram_13": 0.71}, {}, "ngram_share"),
        ({"wording": 0.8}, {}, "wording"),
        ({"cosine": 0.95}, {}, "cosine"),
        ({"cosine": 0.8, "same_numbers": True}, {}, "reworded"),
        ({"cosine": 0.8, "same": True, "same_swapped": True}, {"confirmed": "both"}, "confirmed"),
        ({"same_text": True}, {}, "same_text"),
        ({"same_text": True}, {"same_text": False, "cosine": 0.1}, "cosine"),
        ({"same_template": True, "wording": 0.8}, {}, "same_template"),
    ],
)
def test_each_rule_names_the_field_that_decided(measured: dict, rules: dict, field: str) -> None:
    found = contaminated(overlap(**measured), Decontamination(**rules))
    assert found["decided_by"].to_list() == [f"sampling.decontamination.{field}"]
    assert field in Decontamination.model_fields


def test_a_question_found_in_two_benchmarks_is_listed_once() -> None:
    both = pl.concat([overlap(same_text=True, benchmark="b"), overlap(same_text=True, benchmark="a")])
    assert contaminated(both, Decontamination()).select("question_id", "detail").rows() == [("q", "text of a/text")]


shares = st.fixed_dictionaries({name: st.floats(0, 1) for name in ("cosine", "ngram_share", "wording", "reworded")})
measures = st.fixed_dictionaries({name: st.floats(0, 1) for name in ("cosine", "ngram_13", "wording")})


@given(shares, shares, st.lists(measures, max_size=9))
@settings(max_examples=50)
def test_a_stricter_recipe_finds_all_that_a_laxer_one_finds(one: dict, other: dict, measured: list[dict]) -> None:
    rows = [overlap(question_id=f"q{n}", **row) for n, row in enumerate(measured)]
    table = pl.concat([overlap().clear(), *rows])
    lax = Decontamination(**{name: max(one[name], other[name]) for name in one})
    strict = Decontamination(**{name: min(one[name], other[name]) for name in one})
    assert set(contaminated(table, lax)["question_id"]) <= set(contaminated(table, strict)["question_id"])
