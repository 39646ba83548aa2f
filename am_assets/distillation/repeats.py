"""Repetition within a text, and overlap of an answer with its prompt, as shares of words in [0, 1].

The words of many texts are hashed, concatenated and compared at once. Every step but one sort is linear in the length
of the text, whatever its content.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

NGRAM = 8  # words
LONGEST_PHRASE = 16  # words; longer repeats are found as n-grams
LONGEST_WORD = 16  # characters; longer ones are split, so that repetition is found in text without spaces too
PUNCTUATION = r"[^\p{L}\p{N}]+"
ROW_SHIFT = np.uint64(44)  # of a 64-bit key: the index of the text above, the hash of the n-gram below
MULTIPLIER = 0x9E3779B97F4A7C15
WIDE_SPACES = [space.encode() for space in map(chr, range(0x80, 0x3001)) if space.isspace()]
FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)  # masks of a little-endian number


class Words(NamedTuple):
    """The words of some texts, concatenated: their hashes, and how many each text has."""

    hashes: np.ndarray  # uint64
    counts: np.ndarray  # int64

    def ends(self) -> np.ndarray:
        return np.cumsum(self.counts)

    def rows(self) -> np.ndarray:
        """The index of the text of each word."""
        return np.repeat(np.arange(len(self.counts), dtype=np.uint64), self.counts)


def words(texts: pl.Series) -> Words:
    """The lower-cased words of each text, which are what stands between spaces; a null has none.

    Equal words have equal hashes. They are found by bytes, at five times the speed of a regular expression.
    """
    _, offsets, buffer = (texts.fill_null("").str.to_lowercase() + "\n").rechunk().to_arrow().buffers()
    lines = np.frombuffer(offsets, np.int64)[: len(texts) + 1]  # where each text begins
    data = np.zeros(lines[-1] + 8, np.uint8)
    data[: lines[-1]] = np.frombuffer(buffer, np.uint8, lines[-1]) if lines[-1] else 0
    edges = np.flatnonzero(np.diff(_inside(data[: lines[-1]]), prepend=False))
    starts, ends = _short(data, edges[::2], edges[1::2])
    return Words(_hashes(data, starts, ends - starts), np.diff(np.searchsorted(starts, lines)))


def _inside(data: np.ndarray) -> np.ndarray:
    """Which bytes are not of a space; each text ends with one."""
    inside: np.ndarray = (data - np.uint8(9) > 4) & (data != 32)
    wide = np.flatnonzero(data >= min(WIDE_SPACES)[0])
    for size in (2, 3):
        spaces = [int.from_bytes(space) for space in WIDE_SPACES if len(space) == size]
        numbers = sum(data[wide + at].astype(np.int64) << 8 * (size - 1 - at) for at in range(size))
        found = wide[np.isin(numbers, spaces)]
        for at in range(size):
            inside[found + at] = False
    return inside


def _short(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where words begin and end, those split that have more than LONGEST_WORD characters."""
    long = np.flatnonzero(ends - starts > LONGEST_WORD)
    if not len(long):
        return starts, ends
    sizes = (ends - starts)[long]
    at = np.arange(sizes.sum()) + np.repeat(starts[long] - np.cumsum(sizes) + sizes, sizes)
    at = at[data[at] & 0xC0 != 0x80]  # where characters of UTF-8 begin
    first = np.searchsorted(at, starts[long])
    place = np.arange(len(at)) - np.repeat(first, np.diff(first, append=len(at)))
    cuts = at[(place > 0) & (place % LONGEST_WORD == 0)]
    return np.sort(np.append(starts, cuts)), np.sort(np.append(ends, cuts))


def _hashes(data: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """A hash of each word, eight bytes after the other; `data` has as many behind the last one."""
    eight = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))
    hashes = sizes.astype(np.uint64)
    for at in range(0, sizes.max(initial=0), 8):
        longer = np.flatnonzero(sizes > at) if at else slice(None)
        some = eight[starts[longer] + at] & FIRST_BYTES[np.minimum(sizes[longer] - at, 8)]
        mixed = (hashes[longer] ^ some) * np.uint64(MULTIPLIER)
        hashes[longer] = mixed ^ (mixed >> np.uint64(32))
    return hashes


def ngrams(of: Words, n: int) -> np.ndarray:
    """A uint64 key for each word n-gram, in their order; equal keys are equal n-grams of the same text."""
    last = len(of.hashes) - n + 1
    if last <= 0:
        return np.empty(0, np.uint64)
    rows = of.rows()
    keys = (rows[:last] << ROW_SHIFT) | (_rolled(of.hashes, n) >> (np.uint64(64) - ROW_SHIFT))
    inside: np.ndarray = keys[rows[:last] == rows[n - 1 :]]
    return inside


def _rolled(hashes: np.ndarray, n: int) -> np.ndarray:
    """A hash of each n adjacent ones, from those of its two halves, which overlap where n is odd."""
    if n == 1:
        return hashes
    half = (n + 1) // 2
    halves = _rolled(hashes, half)
    rolled: np.ndarray = halves[: half - n] * np.uint64(pow(MULTIPLIER, n - half, 2**64)) + halves[n - half :]
    return rolled


def repetition(texts: pl.Series) -> pl.Series:
    """The share of each text's word 8-grams that occurred earlier in it; 0 for shorter texts. Float32."""
    return _repetition(words(texts))


def _repetition(of: Words) -> pl.Series:
    grams = np.maximum(of.counts - NGRAM + 1, 0)
    keys = np.sort(ngrams(of, NGRAM))
    again = np.flatnonzero(keys[1:] == keys[:-1])
    return _share(np.searchsorted(again, np.cumsum(grams) - 1), grams)


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
    own = of.hashes ^ (of.rows() * np.uint64(MULTIPLIER))  # no word of one text is one of the next
    half = own.astype(np.uint32)  # compared in half the time
    for length in range(1, min(LONGEST_PHRASE, len(own) - 1) + 1):
        at = np.flatnonzero(half[length:] == half[:-length])
        at = at[own[at] == own[at + length]]
        starts = np.flatnonzero(np.diff(at, prepend=-2) != 1)  # of each run of consecutive positions in `at`
        stretch = np.diff(starts, append=len(at))
        repeats[at[np.repeat(stretch >= 2 * length, stretch)] + length] = True
    return _share(np.searchsorted(np.flatnonzero(repeats), of.ends()), of.counts)


def prompt_share(answers: pl.Series, prompts: pl.Series) -> pl.Series:
    """The share of each answer's word 8-grams that occur in its prompt; a shorter answer is one n-gram. Float32.

    1 for an answer that only quotes: the question as a whole, or a short answer contained in it. Case, punctuation and
    the box around a final answer are ignored.
    """
    plain = pl.col("text").str.to_lowercase().str.replace_all(PUNCTUATION, " ")
    answered, asked = (
        words(texts.to_frame("text").select(plain).to_series())
        for texts in (answers.str.replace_all(r"\boxed", "", literal=True), prompts)
    )
    lengths = np.minimum(answered.counts, NGRAM)
    hits, grams = np.zeros((2, len(lengths)), np.int64)
    for n in range(1, NGRAM + 1):
        keys = ngrams(answered, n)
        keys = keys[lengths[_rows(keys)] == n]
        grams += np.bincount(_rows(keys), minlength=len(lengths))
        hits += np.bincount(_rows(keys[np.isin(keys, ngrams(asked, n))]), minlength=len(lengths))
    return _ratio(hits, grams)


def _rows(keys: np.ndarray) -> np.ndarray:
    return (keys >> ROW_SHIFT).astype(np.int64)


def _share(until: np.ndarray, whole: np.ndarray) -> pl.Series:
    """By text, how many there are of a part, given as their sum up to its end, divided by `whole`. Float32."""
    return _ratio(np.diff(until, prepend=0), whole)


def _ratio(part: np.ndarray, whole: np.ndarray) -> pl.Series:
    return pl.Series((part / np.maximum(whole, 1)).astype(np.float32))


def measures(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """`repetition` and `consecutive` of each text, tokenized once."""
    of = words(texts)
    return _repetition(of), _consecutive(of)
