"""How much of a text repeats itself, and how much of an answer stands in its prompt: shares of words, 0 to 1.

Words of many texts are hashed and laid end to end, and compared there, all texts at once. Every step is linear in the
text but for one sort, whatever the text holds.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

NGRAM = 8  # words
LONGEST_PHRASE = 16  # words; longer ones that come again are seen as n-grams
WORD = r"\S{1,16}"  # longer ones come in pieces, so that text without spaces can repeat itself too
PLAIN_WORD = r"[\p{L}\p{N}]{1,16}"  # without punctuation, for texts that only quote one another
ROW_SHIFT = np.uint64(44)  # of a 64-bit key the text's number stands above, its n-gram's hash below
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Words(NamedTuple):
    """The words of `texts` texts end to end: their hashes, and the number of the text each stands in."""

    hashes: np.ndarray  # uint64
    row: np.ndarray  # int64, ascending
    texts: int

    def per_text(self, rows: np.ndarray) -> np.ndarray:
        return np.bincount(rows, minlength=self.texts)


def words(texts: pl.Series, word: str = WORD) -> Words:
    """The lower-cased words of each text; a null has none."""
    found = texts.str.to_lowercase().str.extract_all(word)
    counts = found.list.len().fill_null(0).to_numpy()
    hashes = found.filter(counts > 0).explode().hash().to_numpy()
    return Words(hashes, np.repeat(np.arange(len(texts)), counts), len(texts))


def ngrams(of: Words, n: int) -> np.ndarray:
    """A uint64 key for each run of `n` words of one text; equal keys are equal runs in the same text."""
    last = len(of.hashes) - n + 1
    if last <= 0:
        return np.empty(0, np.uint64)
    gram = np.zeros(last, np.uint64)
    for at in range(n):
        gram = gram * MULTIPLIER + of.hashes[at : at + last]
    inside = of.row[:last] == of.row[n - 1 :]
    return (of.row[:last][inside].astype(np.uint64) << ROW_SHIFT) | (gram[inside] >> (np.uint64(64) - ROW_SHIFT))


def repetition(texts: pl.Series) -> pl.Series:
    """Share of each text's word 8-grams that occurred in it before; 0 for shorter texts. Float32."""
    return _repetition(words(texts))


def _repetition(of: Words) -> pl.Series:
    keys = np.sort(ngrams(of, NGRAM))
    again = keys[1:][keys[1:] == keys[:-1]]
    return _share(of, _rows(again), _rows(keys))


def consecutive(texts: pl.Series) -> pl.Series:
    """Share of each text's words that repeat the phrase right before them, once a phrase of up to 16 words has come at
    least three times in a row. Float32.

    The paper rejects "excessive consecutive repetition" and names neither n nor count; three times is ours: sums and
    emphasis say things twice.
    """
    return _consecutive(words(texts))


def _consecutive(of: Words) -> pl.Series:
    repeats = np.zeros(len(of.hashes), bool)
    for length in range(1, min(LONGEST_PHRASE, len(of.hashes) - 1) + 1):
        same = (of.hashes[length:] == of.hashes[:-length]) & (of.row[length:] == of.row[:-length])
        at = np.flatnonzero(same)
        starts = np.flatnonzero(np.diff(at, prepend=-2) != 1)  # of each stretch of places in `at`
        stretch = np.diff(starts, append=len(at))
        repeats[at[np.repeat(stretch >= 2 * length, stretch)] + length] = True
    return _share(of, of.row[repeats], of.row)


def prompt_share(answers: pl.Series, prompts: pl.Series) -> pl.Series:
    """Share of each answer's word 8-grams that stand in its prompt; a shorter answer is one gram. Float32.

    1 for an answer that only quotes: one that gives back the question, or a short one that the question already holds.
    Case, punctuation and the box around a final answer do not count.
    """
    said = words(answers.str.replace_all(r"\boxed", "", literal=True), PLAIN_WORD)
    asked = words(prompts, PLAIN_WORD)
    lengths = np.minimum(said.per_text(said.row), NGRAM)
    hits, grams = np.empty(0, np.int64), np.empty(0, np.int64)
    for n in range(1, NGRAM + 1):
        keys = ngrams(said, n)
        keys = keys[lengths[_rows(keys)] == n]
        grams = np.append(grams, _rows(keys))
        hits = np.append(hits, _rows(keys[np.isin(keys, ngrams(asked, n))]))
    return _share(said, hits, grams)


def _rows(keys: np.ndarray) -> np.ndarray:
    return (keys >> ROW_SHIFT).astype(np.int64)


def _share(of: Words, part: np.ndarray, whole: np.ndarray) -> pl.Series:
    """How many of each text's `whole` are its `part`, both given by the number of the text."""
    return pl.Series((of.per_text(part) / np.maximum(of.per_text(whole), 1)).astype(np.float32))


def measures(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """`repetition` and `consecutive` of each text, its words found once."""
    of = words(texts)
    return _repetition(of), _consecutive(of)
