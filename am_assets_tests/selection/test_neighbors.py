"""Similar pairs: all of them, each once, by whichever way they are searched."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.schema import QuestionEmbeddings, SimilarPairs
from am_assets.selection import neighbors
from am_assets.selection.neighbors import similar_pairs

FLOOR = 0.8
TYPES = QuestionEmbeddings.create_empty().schema
WAYS = {"exact": 20_000, "index": 0}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(neighbors, "EXACT_ROWS", WAYS[request.param])
    return request.param


def clustered(rows: int, seed: int, dimension: int = 32) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(rows // 6, 1), dimension))
    vectors = centres[random.integers(len(centres), size=rows)] + 0.4 * random.standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def shard(vectors: np.ndarray, ids: list[str]) -> pl.DataFrame:
    return QuestionEmbeddings.cast(pl.DataFrame({"question_id": ids, "vector": list(vectors)}, schema_overrides=TYPES))


def named(prefix: str, vectors: np.ndarray) -> pl.DataFrame:
    return shard(vectors, [f"{prefix}{n:05d}" for n in range(len(vectors))])


def brute_force(own: pl.DataFrame, earlier: list[pl.DataFrame], floor: float) -> set[tuple[str, str]]:
    mine = dict(own.iter_rows())
    others = {key: vector for frame in reversed(earlier) for key, vector in frame.iter_rows() if key not in mine}
    inside = {(a, b) for a in mine for b in mine if a < b and np.dot(mine[a], mine[b]) >= floor}
    return inside | {(a, b) for a in mine for b in others if np.dot(mine[a], others[b]) >= floor}


def found(pairs: pl.DataFrame) -> set[tuple[str, str]]:
    assert pairs.equals(SimilarPairs.validate(pairs).sort("question_id", "other_id"))
    return set(pairs.select("question_id", "other_id").iter_rows())


def test_every_pair_at_or_above_the_floor_is_found(way: str) -> None:
    own = named("b", clustered(400, 1))
    earlier = [named("a", clustered(300, 1)), named("c", clustered(200, 2))]
    pairs = similar_pairs(own, earlier, FLOOR)
    assert found(pairs) == brute_force(own, earlier, FLOOR)
    assert pairs["cosine"].is_between(FLOOR, 1).all()


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_pairs_are_those_of_brute_force_with_shared_questions_and_any_row_order(data: st.DataObject) -> None:
    vectors = clustered(40, data.draw(st.integers(0, 99)))
    draw_rows = st.lists(st.integers(0, 39), unique=True)
    shards = [
        shard(vectors[rows], [f"{row:02d}" for row in rows])
        for rows in data.draw(st.lists(draw_rows, min_size=1, max_size=4))
    ]
    own, *earlier = shards
    pairs = similar_pairs(own, earlier, FLOOR)
    assert found(pairs) == brute_force(own, earlier, FLOOR)
    assert pairs.equals(similar_pairs(own.reverse(), [frame.reverse() for frame in earlier], FLOOR))


def test_a_thousand_copies_of_one_vector_are_all_pairs(way: str) -> None:
    copies = named("q", np.repeat(clustered(1, 5), 1_000, axis=0))
    pairs = similar_pairs(copies, [], FLOOR)
    assert pairs.height == 1_000 * 999 // 2
    assert pairs["cosine"].unique().to_list() == [1.0]


def test_a_crowd_of_near_copies_is_found_however_long_the_lists_must_grow(way: str) -> None:
    random = np.random.default_rng(0)
    crowd = clustered(1, 5) + 0.01 * random.standard_normal((1_500, 32)).astype(np.float32)
    crowd /= np.linalg.norm(crowd, axis=1, keepdims=True)
    assert similar_pairs(named("q", crowd), [], 0.9).height == 1_500 * 1_499 // 2


def test_one_question_in_two_shards_is_no_pair(way: str) -> None:
    vectors = clustered(30, 3)
    pairs = similar_pairs(named("q", vectors), [named("q", vectors), named("q", vectors)], FLOOR)
    assert pairs.equals(similar_pairs(named("q", vectors), [], FLOOR))


def test_a_pair_of_two_shards_starts_with_the_own_question(way: str) -> None:
    vector = clustered(1, 3)
    pairs = similar_pairs(shard(vector, ["z"]), [shard(vector, ["a"])], FLOOR)
    assert pairs.rows() == [("z", "a", 1.0)]


def test_tiles_do_not_show_in_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    own, earlier = named("q", clustered(200, 4)), [named("r", clustered(150, 4))]
    whole = similar_pairs(own, earlier, FLOOR)
    monkeypatch.setattr(neighbors, "TILE", (7, 11))
    monkeypatch.setattr(neighbors, "MOST_CHECKED", 5)
    assert similar_pairs(own, earlier, FLOOR).equals(whole)


def test_shards_without_questions_have_no_pairs(way: str) -> None:
    some, none = named("q", clustered(5, 0)), named("q", clustered(5, 0)).clear()
    assert similar_pairs(none, [some], FLOOR).is_empty()
    assert similar_pairs(none, [], FLOOR).is_empty()
    assert similar_pairs(some, [none], FLOOR).equals(similar_pairs(some, [], FLOOR))


def test_shards_of_two_models_are_refused() -> None:
    with pytest.raises(ValueError, match="vectors of 8 and of 32 dimensions"):
        similar_pairs(named("q", clustered(3, 0, 8)), [named("r", clustered(3, 0))], FLOOR)
