"""Repetition within a text, and overlap of an answer with its prompt, as shares of words in [0, 1].

The words of many texts are hashed, concatenated and compared at once. Every step but one sort is linear in the length
of the text, whatever its content.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

NGRAM = 8  # words
LONGEST_PHRASE = 16  # words; longer repeats are found as n-grams
WORD = r"\S{1,16}"  # longer ones are split, so that repetition is found in text without spaces too
PLAIN_WORD = r"[\p{L}\p{N}]{1,16}"  # without punctuation, to compare an answer with its prompt
ROW_SHIFT = np.uint64(44)  # of a 64-bit key: the index of the text above, the hash of the n-gram below
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Words(NamedTuple):
    """The words of `texts` texts, concatenated: their hashes, and the index of the text of each."""

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
    """A uint64 key for each word n-gram; equal keys are equal n-grams of the same text."""
    last = len(of.hashes) - n + 1
    if last <= 0:
        return np.empty(0, np.uint64)
    gram = np.zeros(last, np.uint64)
    for at in range(n):
        gram = gram * MULTIPLIER + of.hashes[at : at + last]
    inside = of.row[:last] == of.row[n - 1 :]
    return (of.row[:last][inside].astype(np.uint64) << ROW_SHIFT) | (gram[inside] >> (np.uint64(64) - ROW_SHIFT))


def repetition(texts: pl.Series) -> pl.Series:
    """The share of each text's word 8-grams that occurred earlier in it; 0 for shorter texts. Float32."""
    return _repetition(words(texts))


def _repetition(of: Words) -> pl.Series:
    keys = np.sort(ngrams(of, NGRAM))
    again = keys[1:][keys[1:] == keys[:-1]]
    return _share(of, _rows(again), _rows(keys))


def consecutive(texts: pl.Series) -> pl.Series:
    """The share of each text's words that repeat the phrase directly before them, counting phrases of up to 16 words
    that occur at least three times in a row. Float32.

    The paper rejects "excessive consecutive repetition" and names neither n nor count; three times is ours, as sums and
    emphasis repeat things twice.

    >>> consecutive(pl.Series(["no no no no", "fine as it is"])).to_list()
    [0.75, 0.0]
    """
    return _consecutive(words(texts))


def _consecutive(of: Words) -> pl.Series:
    repeats = np.zeros(len(of.hashes), bool)
    for length in range(1, min(LONGEST_PHRASE, len(of.hashes) - 1) + 1):
        same = (of.hashes[length:] == of.hashes[:-length]) & (of.row[length:] == of.row[:-length])
        at = np.flatnonzero(same)
        starts = np.flatnonzero(np.diff(at, prepend=-2) != 1)  # of each run of consecutive positions in `at`
        stretch = np.diff(starts, append=len(at))
        repeats[at[np.repeat(stretch >= 2 * length, stretch)] + length] = True
    return _share(of, of.row[repeats], of.row)


def prompt_share(answers: pl.Series, prompts: pl.Series) -> pl.Series:
    """The share of each answer's word 8-grams that occur in its prompt; a shorter answer is one n-gram. Float32.

    1 for an answer that only quotes: the question as a whole, or a short answer contained in it. Case, punctuation and
    the box around a final answer are ignored.
    """
    answered = words(answers.str.replace_all(r"\boxed", "", literal=True), PLAIN_WORD)
    asked = words(prompts, PLAIN_WORD)
    lengths = np.minimum(answered.per_text(answered.row), NGRAM)
    hits, grams = np.empty(0, np.int64), np.empty(0, np.int64)
    for n in range(1, NGRAM + 1):
        keys = ngrams(answered, n)
        keys = keys[lengths[_rows(keys)] == n]
        grams = np.append(grams, _rows(keys))
        hits = np.append(hits, _rows(keys[np.isin(keys, ngrams(asked, n))]))
    return _share(answered, hits, grams)


def _rows(keys: np.ndarray) -> np.ndarray:
    return (keys >> ROW_SHIFT).astype(np.int64)


def _share(of: Words, part: np.ndarray, whole: np.ndarray) -> pl.Series:
    """By text, the count of `part` divided by that of `whole`, both given as indices of texts. Float32."""
    return pl.Series((of.per_text(part) / np.maximum(of.per_text(whole), 1)).astype(np.float32))


def measures(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """`repetition` and `consecutive` of each text, tokenized once."""
    of = words(texts)
    return _repetition(of), _consecutive(of)
