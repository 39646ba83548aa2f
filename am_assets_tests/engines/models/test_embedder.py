"""Vectors: unit length, the same whatever is embedded beside them, and apart where the texts are apart."""

import numpy as np
import polars as pl
import pytest

from am_assets.engines.models import embedder

TEXTS = [
    "Ann has 20 pears and eats 6. How many pears are left?",
    "Anna has 20 pears and eats 6 of them. How many pears does she have left?",
    "Why do leaves turn yellow in autumn?",
    "法国的首都是哪里?",
    "ما هي عاصمة فرنسا؟",
    "🍐🍐 - 🍐 = ?",
    "Sort a list. " * 80_000,
]
MODELS = {"static": 256, "minilm": 384}


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def vectors(model: str) -> np.ndarray:
    return embedder.embed(TEXTS, model)


def test_vectors_have_unit_length_for_any_script_and_for_a_megabyte(model: str, vectors: np.ndarray) -> None:
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), MODELS[model])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_paraphrase_is_nearer_than_another_question(vectors: np.ndarray) -> None:
    assert vectors[0] @ vectors[1] > 0.85 > 0.5 > vectors[0] @ vectors[2]


def test_a_vector_does_not_depend_on_its_neighbours(model: str, vectors: np.ndarray) -> None:
    backwards = embedder.embed(TEXTS[::-1], model)[::-1]
    alone = np.concatenate([embedder.embed([text], model) for text in TEXTS])
    assert vectors.tobytes() == backwards.tobytes() == alone.tobytes()


def test_no_texts_are_no_vectors_of_the_same_dimension(model: str) -> None:
    assert embedder.embed([], model).shape == (0, MODELS[model])


def test_a_text_without_a_known_token_is_near_to_itself_alone() -> None:
    assert not embedder._load("static").tokenizer.encode("", add_special_tokens=False).ids
    empty, again, other = embedder.embed(["", "", TEXTS[2]], "static")
    assert empty.tobytes() == again.tobytes()
    assert abs(empty @ other) < 0.5


def test_a_model_that_fails_names_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = np.array([[1, 0], [np.nan, 0]], dtype=np.float32)
    monkeypatch.setattr(embedder, "_load", lambda model: None)
    monkeypatch.setattr(embedder, "_mean_of_tokens", lambda encoder, texts: broken)
    texts = pl.DataFrame({"key": ["q1", "q2"], "text": ["sound", "cursed"]})
    with pytest.raises(ValueError, match="static: the vector of q2 is not finite: 'cursed'"):
        list(embedder.embed_batches(texts, "static"))


def test_batches_keep_keys_beside_their_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedder, "FIRST_SLICE", 3)
    monkeypatch.setattr(embedder, "MAX_SLICE", 3)
    monkeypatch.setattr(embedder, "SLICE_SECONDS", 1e9)
    texts = pl.DataFrame({"key": [f"k{n}" for n in range(len(TEXTS))], "text": TEXTS})
    batches = list(embedder.embed_batches(texts, "static"))
    assert [batch.height for batch in batches] == [3, 3, 1]
    table = pl.concat(batches)
    assert table.schema == {"key": pl.String, "vector": pl.List(pl.Float32)}
    assert table["key"].to_list() == texts["key"].to_list()
    assert embedder.to_matrix(table["vector"]).tobytes() == embedder.embed(TEXTS, "static").tobytes()


def test_a_batch_is_half_a_second_of_work_whatever_the_model() -> None:
    assert embedder._next_slice(64, 1.0) == 32
    assert embedder._next_slice(64, 0.25) == 128
    assert embedder._next_slice(64, 0.0) == 512
    assert embedder._next_slice(16_384, 0.001) == embedder.MAX_SLICE
    assert embedder._next_slice(1, 60.0) == 1


def test_vectors_of_two_dimensions_make_no_matrix() -> None:
    with pytest.raises(ValueError, match=r"\[2, 3\] dimensions"):
        embedder.to_matrix(pl.Series([[1.0, 0.0], [1.0, 0.0, 0.0]]))
