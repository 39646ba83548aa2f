"""Deduplication: one of each kind stays, and it is the best one."""

from typing import get_args

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.config.recipe import DedupPolicy, PriorityRule
from am_assets.selection import dedup as module
from am_assets.storage.schemas import DedupedSet, SimilarPairs

POLICY = DedupPolicy(threshold=0.9)
NO_CROWD = pl.DataFrame(schema={"question_id": pl.String, "vector": pl.List(pl.Float32)})
PLAIN = {
    "shard": "one", "source": "src", "copies": 1, "defect": None, "has_check": False, "published": False,
    "difficulty": "medium", "complete": True, "language": "en", "source_rank": 1,
    "license": "mit",
}  # fmt: skip
TYPES = {"question_id": pl.String, "defect": pl.String, "has_check": pl.Boolean, "published": pl.Boolean,
         "complete": pl.Boolean, "source_rank": pl.Int32, "copies": pl.UInt32}  # fmt: skip


def pool(*rows: dict) -> pl.DataFrame:
    full = [{"question_id": "", **PLAIN, **row} for row in rows]
    return pl.DataFrame(full, schema={name: TYPES.get(name, pl.String) for name in ["question_id", *PLAIN]})


def alike(*pairs: tuple[str, str, float]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema=SimilarPairs.create_empty().schema, orient="row")


def dedup(questions: pl.DataFrame, pairs: pl.DataFrame, policy: DedupPolicy = POLICY) -> pl.DataFrame:
    table, _ = module.dedup(questions, pairs.lazy(), NO_CROWD, policy, [])
    return DedupedSet.validate(table)


def fates(questions: pl.DataFrame, pairs: pl.DataFrame, policy: DedupPolicy = POLICY) -> dict[str, tuple]:
    table = dedup(questions, pairs, policy)
    cosines = pl.col("cosine").cast(pl.Float64).round(4)
    return {row[0]: row[1:] for row in table.select("question_id", "drop_reason", "representative", cosines).rows()}


def test_of_two_alike_the_one_with_a_check_stays() -> None:
    questions = pool({"question_id": "a"}, {"question_id": "b", "has_check": True})
    assert fates(questions, alike(("a", "b", 0.95))) == {"a": ("near_duplicate", "b", 0.95), "b": (None, None, None)}


def test_each_rule_of_priority_decides_where_those_before_it_tie() -> None:
    better = {
        "has_check": True, "published": True, "difficulty": "very_hard", "complete": True, "language": "en",
        "source_rank": 0, "license": "cc0-1.0",
    }  # fmt: skip
    worse = {
        "has_check": False, "published": False, "difficulty": "unlabelled", "complete": False, "language": "de",
        "source_rank": 5, "license": "cc-by-nc-4.0",
    }  # fmt: skip
    for first in get_args(PriorityRule):
        rules = [first, *(rule for rule in get_args(PriorityRule) if rule != first)]
        questions = pool(
            {"question_id": "a", **better, first: worse[first]}, {"question_id": "b", **worse, first: better[first]}
        )
        policy = DedupPolicy(threshold=0.9, priority=rules)
        assert fates(questions, alike(("a", "b", 0.95)), policy)["b"] == (None, None, None)


def test_the_licence_that_restricts_least_is_preferred_on_request_and_none_comes_last() -> None:
    licenses = [None, "my own", "cc-by-nc-4.0", "gpl-3.0", "mit"]
    questions = pool(*({"question_id": str(n), "license": name} for n, name in enumerate(licenses)))
    pairs = alike(*((str(a), str(b), 0.95) for a in range(5) for b in range(a + 1, 5)))
    assert "license" not in POLICY.priority
    assert fates(questions, pairs)["0"] == (None, None, None)
    policy = DedupPolicy(threshold=0.9, priority=["license", "has_check"])
    assert {rest[1] for rest in fates(questions, pairs, policy).values()} == {None, "4"}
    for worst in range(4):
        left = questions.filter(pl.col("question_id").cast(pl.Int64) <= worst)
        near = pairs.filter(pl.col("other_id").cast(pl.Int64) <= worst)
        assert fates(left, near, policy)[str(worst)] == (None, None, None)


def test_harder_is_preferred_and_unlabelled_comes_last() -> None:
    levels = ["unlabelled", "very_easy", "easy", "medium", "hard", "very_hard"]
    questions = pool(*({"question_id": level, "difficulty": level} for level in levels))
    pairs = [(low, high, 0.95) for n, low in enumerate(levels) for high in levels[n + 1 :]]
    assert {rest[1] for rest in fates(questions, alike(*pairs)).values()} == {None, "very_hard"}


def test_of_a_chain_only_the_middle_goes() -> None:
    questions = pool(*({"question_id": name} for name in "abc"))
    result = fates(questions, alike(("a", "b", 0.95), ("b", "c", 0.95)))
    assert result == {"a": (None, None, None), "b": ("near_duplicate", "a", 0.95), "c": (None, None, None)}


def test_the_threshold_itself_is_alike_enough() -> None:
    questions = pool({"question_id": "a"}, {"question_id": "b"})
    pairs = alike(("a", "b", 0.95))  # 0.95 as float32 lies under 0.95 as float64
    assert fates(questions, pairs, DedupPolicy(threshold=0.95))["b"][0] == "near_duplicate"
    assert fates(questions, pairs, DedupPolicy(threshold=0.9501))["b"][0] is None


def test_a_pair_whose_member_left_the_pool_counts_for_nothing() -> None:
    assert fates(pool({"question_id": "b"}), alike(("a", "b", 0.99))) == {"b": (None, None, None)}


def test_a_defective_question_goes_with_its_defect_and_stands_for_nobody() -> None:
    questions = pool({"question_id": "a", "defect": "oversized", "has_check": True}, {"question_id": "b"})
    table = dedup(questions, alike(("a", "b", 0.99)), POLICY)
    assert table.select("drop_reason", "detail", "representative").rows() == [
        ("defective", "oversized", None),
        (None, None, None),
    ]


def test_one_question_in_two_shards_stays_once_where_it_is_best() -> None:
    questions = pool({"question_id": "a", "shard": "one"}, {"question_id": "a", "shard": "two", "published": True})
    table = dedup(questions, alike(), POLICY)
    shown = table.select("shard", "drop_reason", "representative", "cosine").rows()
    assert shown == [("one", "exact_duplicate", "a", 1.0), ("two", None, None, None)]


def test_a_dropped_question_names_the_field_that_decided_and_a_defective_or_kept_one_names_none() -> None:
    questions = pool(
        {"question_id": "a", "has_check": True}, {"question_id": "a", "shard": "two"},
        {"question_id": "b"}, {"question_id": "c", "defect": "oversized"},
    )  # fmt: skip
    table = dedup(questions, alike(("a", "b", 0.95)), POLICY)
    assert dict(table.select("drop_reason", "decided_by").rows()) == {
        None: None, "exact_duplicate": "dedup.priority", "near_duplicate": "dedup.threshold", "defective": None,
    }  # fmt: skip


def test_copies_of_a_question_that_went_point_to_what_stayed() -> None:
    questions = pool({"question_id": "a"}, {"question_id": "b"}, {"question_id": "b", "shard": "two"})
    table = dedup(questions, alike(("a", "b", 0.95)), POLICY).filter(~pl.col("kept"))
    assert table["representative"].to_list() == ["a", "a"]


def test_a_thousand_questions_all_alike_leave_one() -> None:
    names = [f"q{n:04d}" for n in range(1_000)]
    first, second = np.triu_indices(1_000, 1)
    pairs = pl.DataFrame({"question_id": names, "at": range(1_000)})
    pairs = pl.DataFrame(
        {"question_id": pairs["question_id"].gather(first), "other_id": pairs["question_id"].gather(second)}
    ).with_columns(cosine=pl.lit(1.0, pl.Float32))
    table = dedup(pool(*({"question_id": name} for name in names)), pairs, POLICY)
    assert table.filter("kept")["question_id"].to_list() == ["q0000"]
    assert table.filter(~pl.col("kept"))["representative"].unique().to_list() == ["q0000"]


def test_the_curve_tells_what_each_threshold_would_keep() -> None:
    questions = pool(*({"question_id": name} for name in "abc"))
    pairs = alike(("a", "b", 0.95), ("b", "c", 0.85))
    thresholds = [0.8, 0.9, 1.0]
    _, curve = module.dedup(questions, pairs.lazy(), NO_CROWD, POLICY, thresholds)
    kept = [dedup(questions, pairs, DedupPolicy(threshold=threshold))["kept"].sum() for threshold in thresholds]
    assert curve.rows() == [(0.8, 2), (0.9, 2), (1.0, 3)] == list(zip(thresholds, kept, strict=True))


def test_the_curve_starts_at_the_floor_and_ends_at_equal_vectors() -> None:
    assert module.curve(0.9) == [0.9, 0.92, 0.94, 0.96, 0.98, 1.0]


def test_an_empty_pool_is_an_empty_set() -> None:
    assert dedup(pool(), alike(("a", "b", 0.99))).is_empty()


NAMES = [f"q{n}" for n in range(12)]
some_pools = st.lists(
    st.fixed_dictionaries(
        {
            "question_id": st.sampled_from(NAMES),
            "shard": st.sampled_from(["one", "two"]),
            "defect": st.sampled_from([None, None, None, "empty"]),
            "has_check": st.booleans(),
            "published": st.booleans(),
            "difficulty": st.sampled_from(["easy", "hard", "unlabelled"]),
            "complete": st.booleans(),
            "language": st.sampled_from(["en", "zh", "und"]),
            "source_rank": st.sampled_from([-3, 0, 70_000]),
            "license": st.sampled_from(["mit", "cc-by-nc-4.0", None]),
        }
    ),
    max_size=16,
    unique_by=lambda row: (row["question_id"], row["shard"]),
)
some_pairs = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] < pair[1]),
    st.sampled_from([0.8, 0.85, 0.9, 0.95, 1.0]),
).map(lambda cosines: alike(*((a, b, cosine) for (a, b), cosine in cosines.items())))


def naive(rows: list[dict], pairs: pl.DataFrame, policy: DedupPolicy) -> dict[str, str | None]:
    """The walk as one would tell it: each question in order of priority, against all that stayed so far."""
    harder = ["very_hard", "hard", "medium", "easy", "very_easy", "unlabelled"]

    def priority(row: dict) -> list:
        languages = [*policy.languages, row["language"]]
        value = {
            **row,
            "difficulty": harder.index(row["difficulty"]),
            "language": min(languages.index(row["language"]), len(policy.languages)),
            "license": ["mit", "cc-by-nc-4.0", None].index(row["license"]),
        }
        return [not value[rule] if isinstance(value[rule], bool) else value[rule] for rule in policy.priority]

    cosine = {frozenset(pair[:2]): pair[2] for pair in pairs.iter_rows()}
    limit = float(np.float32(policy.threshold))
    stays, standing = [], {}
    for row in sorted(rows, key=lambda row: (priority(row), row["question_id"], row["shard"])):
        name = row["question_id"]
        if row["defect"] is None and name not in standing:
            near = [kept for kept in stays if cosine.get(frozenset([kept, name]), 0) >= limit]
            standing[name] = near[0] if near else None
            stays += [] if near else [name]
    return standing


@given(
    some_pools,
    some_pairs,
    st.permutations(get_args(PriorityRule)),
    st.randoms(),
)
@settings(max_examples=50)
def test_the_fast_walk_is_the_naive_walk_in_any_order_of_rows(rows, pairs, priority, random) -> None:
    policy = DedupPolicy(threshold=0.9, priority=priority, languages=["zh", "en"])
    table = dedup(pool(*rows), pairs, policy)
    expected = naive(rows, pairs, policy)
    assert set(table.filter("kept")["question_id"]) == {name for name, standing in expected.items() if standing is None}
    near = table.filter(drop_reason="near_duplicate")
    assert {row["question_id"]: row["representative"] for row in near.iter_rows(named=True)} == {
        name: standing for name, standing in expected.items() if standing is not None
    }
    shuffled = random.sample(rows, len(rows))
    assert table.equals(
        dedup(pool(*shuffled), pairs.sample(fraction=1, shuffle=True, seed=random.randrange(99)), policy)
    )


@given(some_pools, some_pairs, st.sampled_from([0.8, 0.85, 0.9, 0.95, 1.0]))
@settings(max_examples=50)
def test_what_stays_is_apart_and_what_goes_is_near_to_what_stays(rows, pairs, threshold) -> None:
    table = dedup(pool(*rows), pairs, DedupPolicy(threshold=threshold))
    assert table.height == len(rows)
    stays = set(table.filter("kept")["question_id"])
    near = pairs.filter(pl.col("cosine") >= pl.lit(threshold, pl.Float32))
    assert near.filter(pl.col("question_id").is_in(list(stays)) & pl.col("other_id").is_in(list(stays))).is_empty()
    gone = table.filter(pl.col("drop_reason").is_in(["near_duplicate", "exact_duplicate"]))
    assert set(gone["representative"]) <= stays
    assert (gone["cosine"] >= pl.select(pl.lit(threshold, pl.Float32)).item()).all()
    assert table.filter("kept")["question_id"].is_unique().all()
