"""Language identification with the bundled model of py3langid, vectorized over many texts.

The model is a byte automaton, some states of which emit a feature, and a linear classifier of log feature counts. Here
all texts of a block advance by one byte per step, and one sparse product scores the block. Results equal those of
py3langid.

    >>> languages(pl.Series(["How many apples are left?", "12 + 7"])).to_list()
    ['en', 'und']
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple
from unicodedata import normalize

import numpy as np
import polars as pl

HEAD_CHARS = 300
UNDETERMINED = "und"
MIN_CONFIDENCE = 0.35  # without it one in twenty questions of MATH is not classified as English
BLOCK = 2048  # texts; about 20 MB of memory
THREADS = os.cpu_count() or 1
TOO_CLOSE = 1e-3  # difference of probabilities, far above rounding errors


class _Model(NamedTuple):
    """The automaton is `next_state[row[state] + byte]`; `feature[state]` is -1 where the state emits none."""

    next_state: np.ndarray
    row: np.ndarray
    feature: np.ndarray
    weights: np.ndarray  # (features, labels), float32


def languages(texts: pl.Series) -> pl.Series:
    """ISO 639-1 codes, from the first `HEAD_CHARS` of each text; `und` without letters or below `MIN_CONFIDENCE`."""
    heads = texts.str.slice(0, HEAD_CHARS)
    lettered = heads.str.contains(r"\p{L}").fill_null(False)
    candidates = heads.filter(lettered)
    found = np.full(len(texts), UNDETERMINED, dtype=object)
    if len(candidates):
        _model()  # once, not in every thread
        blocks = [candidates[start : start + BLOCK] for start in range(0, len(candidates), BLOCK)]
        with ThreadPoolExecutor(min(THREADS, len(blocks))) as pool:
            found[lettered.to_numpy()] = np.concatenate(list(pool.map(_classified, blocks)))
    return pl.Series(texts.name, found.tolist(), dtype=pl.String)


def _classified(block: pl.Series) -> np.ndarray:
    """The result of `classify` for each text; it is called itself where rounding errors could decide."""
    identifier, texts = _identifier(), block.to_list()
    data = [_encoded(text) for text in texts]
    chances = _chances(data)
    best = chances.argmax(axis=1)
    first, second = -np.partition(-chances, 1, axis=1)[:, :2].T
    labels = np.array([*identifier.nb_classes, UNDETERMINED], dtype=object)
    found = labels[np.where(first < MIN_CONFIDENCE, len(labels) - 1, best)]
    for at in np.flatnonzero((first - second < TOO_CLOSE) | (abs(first - MIN_CONFIDENCE) < TOO_CLOSE)).tolist():
        found[at] = identifier.classify(texts[at])[0]
    return found


def _encoded(text: str) -> bytes:
    return normalize("NFC", text.lower() if text.isupper() else text).encode()


def _chances(data: list[bytes]) -> np.ndarray:
    """Probabilities of shape (texts, labels). A row depends on its text alone, not on the rest of the block."""
    identifier = _identifier()
    scores = _log_counts(data) @ _model().weights
    seen = scores.any(axis=1, keepdims=True)
    scores = np.where(seen, scores + identifier.nb_pc, 0)  # no feature: uniform
    scores /= np.sqrt(np.maximum([len(text) for text in data], 1))[:, None]
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    for kept, alias in identifier._alias_pairs:  # one language in two scripts
        chances[:, kept] += chances[:, alias]
        chances[:, alias] = 0
    result: np.ndarray = chances
    return result


def _log_counts(data: list[bytes]) -> Any:
    """log(1 + count) of each feature in each text, sparse, of shape (texts, features)."""
    from scipy.sparse import csr_array

    model = _model()
    width = len(model.weights)
    text, feature = _features(data)
    cells, counts = np.unique(text * width + feature, return_counts=True)
    starts = np.searchsorted(cells, np.arange(len(data) + 1) * width)
    return csr_array((np.log1p(counts.astype(np.float32)), cells % width, starts), shape=(len(data), width))


def _features(data: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Text index and feature of every emission: two int64 arrays. At least one text must not be empty."""
    model = _model()
    lengths = np.array([len(text) for text in data])
    longest_first = np.argsort(-lengths, kind="stable")  # so that unfinished texts are a prefix
    starts = (np.cumsum(lengths) - lengths)[longest_first]
    reading = len(data) - np.searchsorted(np.sort(lengths), np.arange(lengths.max()), side="right")
    letters = np.frombuffer(b"".join(data), dtype=np.uint8)
    state = np.zeros(len(data), dtype=np.intp)
    seen = []
    for step, count in enumerate(reading.tolist()):
        state = model.next_state[model.row[state[:count]] + letters[starts[:count] + step]].astype(np.intp)
        seen.append(state)
    named = model.feature[np.concatenate(seen)]
    text = np.concatenate([longest_first[:count] for count in reading.tolist()])
    return text[named >= 0], named[named >= 0]


@cache
def _model() -> _Model:
    model = _identifier()
    return _Model(
        np.array(model.tk_nextmove, dtype=np.uint32),
        np.array(model.tk_row, dtype=np.intp) << 8,
        np.array(model.tk_output, dtype=np.int64),
        np.ascontiguousarray(model.nb_ptc, dtype=np.float32),
    )


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=MIN_CONFIDENCE)
    identifier.set_languages([label for label in identifier.nb_classes if len(label) == 2])
    return identifier
