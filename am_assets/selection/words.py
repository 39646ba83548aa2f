"""Tokenization for decontamination: texts as words, as words with numbers masked, and as sets of numbers.

Words are 64-bit hash codes and all texts one array, so that a pool is processed by vectorized code. Codes are valid
within one process and never stored. N-grams are matched in `ngrams.py`.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

HASH_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no power of it is 0 modulo 2**64
SEED = 0
SIGN = "[-+*/=<>\u2212\u00d7\u00f7]"
# In scripts without spaces every character is a word. A sign belongs to the number or single letter after it, as 12 + 7
# and 12 - 7 differ; hyphens and dashes between words are punctuation.
SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}"
IN_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{SPACELESS}]]"
WORD = rf"[{SPACELESS}]|{SIGN}(?:\p{{N}}{IN_WORD}*|\p{{L}}\b)|{IN_WORD}+"
MASK = "#"
NUMBERS = """
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty thirty forty fifty sixty seventy eighty ninety hundred thousand
"""
# Without "one", which is mostly a pronoun.
SPELLED = dict(zip(NUMBERS.split(), [*range(2, 21), *range(30, 100, 10), 100, 1000], strict=True))


def words(text: pl.Expr) -> pl.Expr:
    """The words of a text as a list: NFKC-normalized, lower-cased, without punctuation."""
    plain = text.str.normalize("NFKC").str.to_lowercase()
    return plain.str.replace_all(rf"({SIGN})\s+", "$1").str.extract_all(WORD)


@dataclass(frozen=True)
class Words:
    """The words of `count` texts, concatenated: the 64-bit code of each word and the index of its text, ascending."""

    code: np.ndarray
    text: np.ndarray
    count: int

    def sizes(self) -> np.ndarray:
        """The number of words of each text."""
        return np.bincount(self.text, minlength=self.count)

    def whole(self) -> np.ndarray:
        """A code per text, equal for equal word sequences; 0 for a text without words."""
        sizes = self.sizes()
        place = np.arange(len(self.code)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        powers = np.cumprod(np.full(sizes.max(initial=0), HASH_BASE))
        sums = np.append(np.uint64(0), np.cumsum(self.code * powers[place]))
        ends = np.cumsum(sizes)
        return sums[ends] - sums[ends - sizes]

    def grams(self, length: int, at: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The n-grams of `length` words, or those that begin at the positions `at`: (position, code). None spans two
        texts."""
        last = len(self.code) - length
        at = np.arange(max(last + 1, 0)) if at is None else at[at <= last]
        at = at[self.text[at] == self.text[at + length - 1]]
        gram = np.full(len(at), length, dtype=np.uint64)
        for shift in range(length):
            gram = gram * HASH_BASE + self.code[at + shift]
        return at, gram


@dataclass(frozen=True)
class Texts:
    """Tokenized texts: their words, their words with numbers masked (`1,000 km` equals `85 km`), and a code for the set
    of numbers of each text, written in digits or words; 0 without any."""

    plain: Words
    masked: Words
    numbers: np.ndarray


def read(questions: pl.Series) -> Texts:
    """Tokenizes a column of strings without nulls; strings may be empty."""
    lists = questions.to_frame("text").select(words(pl.col("text"))).to_series()
    sizes = lists.list.len().to_numpy()
    text = np.repeat(np.arange(len(lists)), sizes)
    flat = lists.filter(lists.list.len() > 0).explode()
    code = flat.hash(SEED).to_numpy()
    digits, spelled = flat.str.contains(r"\p{N}").to_numpy(), np.isin(code, _codes(list(SPELLED)))
    masked = code.copy()
    masked[digits] = flat.filter(digits).str.replace_all(r"\p{N}+", MASK).hash(SEED).to_numpy()
    masked[spelled] = mask = _codes([MASK])[0]
    first = np.ones(len(text), dtype=bool)  # adjacent masked numbers collapse into one
    first[1:] = (masked[1:] != mask) | (masked[:-1] != mask) | (text[1:] != text[:-1])
    value = pl.concat(
        [
            flat.filter(digits).str.replace_all(r"\P{N}+", ""),
            flat.filter(spelled).replace_strict(SPELLED, return_dtype=pl.String),
        ]
    )
    numbers = _sets(np.append(text[digits], text[spelled]), value, len(lists))
    return Texts(Words(code, text, len(lists)), Words(masked[first], text[first], len(lists)), numbers)


def _codes(of: list[str]) -> np.ndarray:
    return pl.Series(of, dtype=pl.String).hash(SEED).to_numpy()


def _sets(text: np.ndarray, value: pl.Series, count: int) -> np.ndarray:
    """A code per text for its set of values, without 1, which is mostly a subscript."""
    held = pl.DataFrame({"text": text, "value": value}).filter(pl.col("value") != "1").unique(maintain_order=True)
    sums = np.zeros(count, dtype=np.uint64)
    np.add.at(sums, held["text"].to_numpy(), held["value"].hash(SEED).to_numpy())
    return sums


def names(texts: pl.Series) -> np.ndarray:
    """The codes of the words that are capitalized in every occurrence in `texts`: mostly names."""
    found = texts.str.extract_all(r"\p{L}+").explode().drop_nulls().unique(maintain_order=True)
    small = found.filter(~found.str.contains(r"^\p{Lu}"))
    capital = found.filter(found.str.contains(r"^\p{Lu}\p{Ll}+$")).str.to_lowercase()
    return capital.filter(~capital.is_in(small.implode())).hash(SEED).to_numpy()
