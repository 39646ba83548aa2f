"""Similar pairs: each is found once, by whichever way they are searched, and a crowd does not blow them up."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from am_assets.selection import neighbors, search
from am_assets.storage.schemas import QuestionEmbeddings, SimilarPairs
from am_assets_tests.pairing import pairs_of

FLOOR = 0.8
TYPES = QuestionEmbeddings.create_empty().schema
Pairs = set[tuple[str, str]]
Find = Callable[..., pl.DataFrame]


@pytest.fixture(params=["exact", "graph"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "graph":
        monkeypatch.setattr(search, "EXACT_ROWS", 0)
        monkeypatch.setattr(search, "EXACT_PRODUCTS", 0)
    return request.param


@pytest.fixture
def find(tmp_path: Path) -> Find:
    """Pairs of a shard against itself and earlier ones, held to their schema and to what their audit says."""

    def pairs(own: pl.DataFrame, earlier: list[pl.DataFrame], floor: float = FLOOR) -> pl.DataFrame:
        others = {f"shard-{n}": frame for n, frame in enumerate(earlier)}
        table, audit = pairs_of({"own": own} | others, floor, tmp_path)
        assert table.equals(SimilarPairs.validate(table).sort("question_id", "other_id"))
        assert audit.listed == audit.pairs
        return table

    return pairs


def clustered(rows: int, seed: int, dimension: int = 32) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((max(rows // 6, 1), dimension))
    vectors = centres[random.integers(len(centres), size=rows)] + 0.4 * random.standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def shard(vectors: np.ndarray, ids: list[str]) -> pl.DataFrame:
    return QuestionEmbeddings.cast(pl.DataFrame({"question_id": ids, "vector": list(vectors)}, schema_overrides=TYPES))


def named(prefix: str, vectors: np.ndarray) -> pl.DataFrame:
    return shard(vectors, [f"{prefix}{n:05d}" for n in range(len(vectors))])


def brute_force(own: pl.DataFrame, earlier: list[pl.DataFrame], floor: float) -> Pairs:
    mine = dict(own.iter_rows())
    others = {key: vector for frame in reversed(earlier) for key, vector in frame.iter_rows() if key not in mine}
    inside = {(a, b) for a in mine for b in mine if a < b and np.dot(mine[a], mine[b]) >= floor}
    return inside | {(a, b) for a in mine for b in others if np.dot(mine[a], others[b]) >= floor}


def listed(pairs: pl.DataFrame) -> Pairs:
    return set(pairs.filter(pl.col("question_id") != pl.col("other_id")).select("question_id", "other_id").iter_rows())


def in_crowds(pairs: pl.DataFrame) -> set[str]:
    return set(pairs.filter(pl.col("question_id") == pl.col("other_id"))["question_id"])


def test_every_pair_at_or_above_the_floor_is_found(way: str, find: Find) -> None:
    own = named("b", clustered(400, 1))
    earlier = [named("a", clustered(500, 1)), named("c", clustered(200, 2))]
    pairs = find(own, earlier)
    assert listed(pairs) == brute_force(own, earlier, FLOOR)
    assert not in_crowds(pairs)
    assert pairs["cosine"].is_between(FLOOR, 1).all()


@given(st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_pair_is_lost_whatever_is_shared_crowded_or_reordered(find: Find, data: st.DataObject) -> None:
    vectors = clustered(40, data.draw(st.integers(0, 99)))
    draw_rows = st.lists(st.integers(0, 39), unique=True)
    own, *earlier = [
        shard(vectors[rows], [f"{row:02d}" for row in rows])
        for rows in data.draw(st.lists(draw_rows, min_size=1, max_size=4))
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "CROWD", data.draw(st.sampled_from([1, 2, 4, 256])))
        pairs = find(own, earlier)
        assert pairs.equals(find(own.reverse(), [frame.reverse() for frame in earlier]))
    expected, crowd = brute_force(own, earlier, FLOOR), in_crowds(pairs)
    assert listed(pairs) <= expected
    assert all(a in crowd and b in crowd for a, b in expected - listed(pairs))


def test_many_copies_of_one_vector_are_a_crowd_and_no_pairs(way: str, find: Find) -> None:
    copies = named("q", np.repeat(clustered(1, 5), 3_000, axis=0))
    pairs = find(copies, [])
    assert not listed(pairs)
    assert in_crowds(pairs) == set(copies["question_id"])


def test_a_crowd_of_near_copies_keeps_its_pairs_with_those_at_its_edge(way: str, find: Find) -> None:
    random = np.random.default_rng(0)
    middle = clustered(1, 5)
    crowd = middle + 0.02 * random.standard_normal((1_500, 32)).astype(np.float32)
    edge = middle + 0.12 * random.standard_normal((40, 32)).astype(np.float32)
    own, other = (
        named(name, part / np.linalg.norm(part, axis=1, keepdims=True)) for name, part in [("q", crowd), ("e", edge)]
    )
    pairs = find(own, [other])
    expected = brute_force(own, [other], FLOOR)
    standing = in_crowds(pairs)
    assert set(own["question_id"]) <= standing
    lost = [pair for pair in expected - listed(pairs) if not standing.issuperset(pair)]
    assert len(lost) <= (0 if way == "exact" else 0.0001 * pairs.height)  # a graph may miss a neighbour
    assert pairs.height <= search.CROWD * (own.height + other.height)


def test_a_few_copies_of_one_vector_are_all_pairs(way: str, find: Find) -> None:
    copies = named("q", np.repeat(clustered(3, 5), 20, axis=0))
    pairs = find(copies, [])
    assert listed(pairs) == brute_force(copies, [], FLOOR)
    assert (pairs["cosine"] == 1.0).sum() >= 3 * 20 * 19 // 2


def test_one_question_in_two_shards_is_no_pair(way: str, find: Find) -> None:
    vectors = clustered(30, 3)
    pairs = find(named("q", vectors), [named("q", vectors), named("q", vectors)])
    assert pairs.equals(find(named("q", vectors), []))


def test_a_pair_of_two_shards_starts_with_the_own_question(way: str, find: Find) -> None:
    vector = clustered(1, 3)
    assert find(shard(vector, ["z"]), [shard(vector, ["a"])]).rows() == [("z", "a", 1.0)]


def test_blocks_do_not_show_in_the_result(monkeypatch: pytest.MonkeyPatch, find: Find) -> None:
    own, earlier = named("q", clustered(200, 4)), [named("r", clustered(150, 4))]
    whole = find(own, earlier)
    monkeypatch.setattr(neighbors.cosines, "TILE", (7, 30))
    monkeypatch.setattr(neighbors.cosines, "AT_ONCE", 5)
    assert find(own, earlier).equals(whole)


def test_a_graph_on_disk_finds_what_it_found_when_it_was_built(way: str, find: Find, tmp_path: Path) -> None:
    own, earlier = named("b", clustered(300, 1)), [named("a", clustered(400, 1))]
    first, graphs = find(own, earlier), set(tmp_path.glob("*.hnsw"))
    assert len(graphs) == (2 if way == "graph" else 0)
    assert find(own, earlier).equals(first)
    assert set(tmp_path.iterdir()) == graphs
    find(named("b", clustered(300, 2)), earlier)
    assert len(set(tmp_path.iterdir())) == len(graphs)  # the graph of other vectors has taken the place of the old one


def test_a_graph_serves_whoever_shares_questions_with_its_shard(
    find: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EXACT_ROWS", 100)
    monkeypatch.setattr(search, "EXACT_PRODUCTS", 0)
    vectors = clustered(300, 1)
    earlier = [named("q", vectors[:200]), named("q", vectors)]
    find(named("q", vectors[:50]), earlier)
    graphs = set(tmp_path.glob("shard-*.hnsw"))
    assert len(graphs) == 2
    pairs = find(named("q", vectors[:90]), earlier)
    assert set(tmp_path.glob("shard-*.hnsw")) == graphs
    assert listed(pairs) == brute_force(named("q", vectors[:90]), earlier, FLOOR)


def test_shards_without_questions_have_no_pairs(way: str, find: Find) -> None:
    some, none = named("q", clustered(5, 0)), named("q", clustered(5, 0)).clear()
    assert find(none, [some]).is_empty()
    assert find(none, []).is_empty()
    assert find(some, [none]).equals(find(some, []))


def test_shards_of_two_models_are_refused(find: Find) -> None:
    with pytest.raises(ValueError, match="vectors of 8 and of 32 dimensions"):
        find(named("q", clustered(3, 0, 8)), [named("r", clustered(3, 0))])


@pytest.mark.parametrize("value", [0.0, float("nan"), 2.0])
def test_a_vector_that_is_no_direction_is_refused(find: Find, value: float) -> None:
    vectors = clustered(3, 0)
    vectors[1] = value
    with pytest.raises(ValueError, match="not of unit length, that of q00001 for one: materialize"):
        find(named("q", vectors), [])
