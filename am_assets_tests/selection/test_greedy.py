"""The walk over questions that are alike: the same whether pairs are listed or follow from the vectors of a crowd."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.selection import cosines, greedy
from am_assets.selection.greedy import SimilarityGraph


def family(rows: int, seed: int, spread: float = 0.5) -> np.ndarray:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal(16) + spread * random.standard_normal((rows, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def similarity(vectors: np.ndarray, crowd: np.ndarray) -> SimilarityGraph:
    """All pairs, but for those between two of the crowd."""
    worse, better = np.nonzero(np.tril(np.ones((len(vectors), len(vectors))), -1))
    listed = ~(np.isin(worse, crowd) & np.isin(better, crowd))
    worse, better = worse[listed], better[listed]
    values = cosines.of_pairs(vectors, vectors, worse, better)
    return SimilarityGraph(len(vectors), worse, better, values, crowd, vectors[crowd])


def walk(vectors: np.ndarray, threshold: float) -> dict[int, int | None]:
    """Each question, best first, and the best that stayed near it."""
    fates: dict[int, int | None] = {}
    for question, vector in enumerate(vectors):
        kept = [other for other, by in fates.items() if by is None]
        near = [n for n in kept if cosines.exact(vectors[n : n + 1], vector[None]) >= np.float32(threshold)]
        fates[question] = near[0] if near else None
    return fates


@given(st.integers(1, 60), st.integers(0, 99), st.sampled_from([0.7, 0.8, 0.9, 0.97]), st.data())
@settings(max_examples=60)
def test_the_walk_is_the_same_whatever_part_of_the_questions_is_a_crowd(rows, seed, threshold, data) -> None:
    vectors = family(rows, seed)
    crowd = np.array(sorted(data.draw(st.sets(st.integers(0, rows - 1)))), dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(greedy, "BLOCK", data.draw(st.integers(1, 20)))
        patch.setattr(greedy, "KEPT_AT_ONCE", data.draw(st.integers(1, 9)))
        patch.setattr(greedy, "ROUNDS", data.draw(st.integers(0, 4)))
        known = similarity(vectors, crowd)
        stays = known.kept(threshold)
        gone, by, values = known.representatives(stays, threshold)
    expected = walk(vectors, threshold)
    assert stays.tolist() == [fate is None for fate in expected.values()]
    assert dict(zip(gone.tolist(), by.tolist(), strict=True)) == {a: b for a, b in expected.items() if b is not None}
    assert values.tolist() == cosines.of_pairs(vectors, vectors, gone, by).tolist()


def test_a_chain_as_long_as_the_pool_ends() -> None:
    count = 100_000
    chain = SimilarityGraph(
        count, np.arange(1, count), np.arange(count - 1), np.ones(count - 1, np.float32),
        np.empty(0, np.int64), np.empty((0, 0), np.float32),
    )  # fmt: skip
    assert chain.kept(0.9).tolist() == [True, False] * (count // 2)


def test_a_crowd_of_equal_vectors_leaves_its_best() -> None:
    vectors = np.repeat(family(1, 0), 5_000, axis=0)
    crowd = SimilarityGraph(5_000, *(np.empty(0, np.int64),) * 2, np.empty(0, np.float32), np.arange(5_000), vectors)
    stays = crowd.kept(0.99)
    gone, by, values = crowd.representatives(stays, 0.99)
    assert np.flatnonzero(stays).tolist() == [0]
    assert gone.tolist() == list(range(1, 5_000))
    assert set(by.tolist()) == {0} and set(values.tolist()) == {1.0}
