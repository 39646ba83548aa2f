"""Words of a text as decontamination sees them, and the word n-grams that questions share with benchmark items.

How texts are compared belongs here; whether a shared gram is contamination does not (`decontaminate.py`).
"""

import numpy as np
import polars as pl

NGRAMS = (8, 13)
SHORTEST_ITEM = 4  # words; a shorter item, taken as one gram, would be found in half the pool
HASH_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no power of it vanishes modulo 2**64
UNKNOWN = np.uint64(0)
SEED = 0

SIGN = "[-+*/=<>\u2212\u00d7\u00f7]"
# Scripts written without spaces count a character as a word. A sign belongs to the number or the single letter after
# it: 12 + 7 and 12 - 7 are different sums, while hyphens and dashes between words are punctuation.
SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}"
IN_WORD = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{SPACELESS}]]"
WORD = rf"[{SPACELESS}]|{SIGN}(?:\p{{N}}{IN_WORD}*|\p{{L}}\b)|{IN_WORD}+"


def words(text: pl.Expr) -> pl.Expr:
    """The words of a text as a list: compatibility forms and case are gone, and so is punctuation."""
    plain = text.str.normalize("NFKC").str.to_lowercase()
    return plain.str.replace_all(rf"({SIGN})\s+", "$1").str.extract_all(WORD)


class ItemGrams:
    """The n-grams of benchmark items, made once and held against any number of questions.

    An item of fewer words than n counts as one gram of its own length, if it has `SHORTEST_ITEM` words: otherwise a
    short item could never be found. `items`: item_id, words. Grams are compared by a 64-bit hash of their words.
    """

    def __init__(self, items: pl.DataFrame):
        self.vocabulary = items.select(word=pl.col("words").explode()).drop_nulls().unique(maintain_order=True)
        random = np.random.default_rng(SEED)
        self.codes = np.append(random.integers(2**64, size=self.vocabulary.height, dtype=np.uint64), UNKNOWN)
        self.grams: dict[int, pl.DataFrame] = {}  # by length in words: item_id, gram, n
        owner, code = self._encode(items)
        sizes = items["words"].list.len().to_numpy()
        for length in range(SHORTEST_ITEM, max(NGRAMS) + 1):
            item, gram = _cut(owner, code, length)
            grams = pl.DataFrame(
                {"item_id": items["item_id"].gather(item), "gram": gram, "whole": sizes[item] == length}
            )
            parts = [grams.filter("whole" if length < n else length == n).with_columns(n=pl.lit(n)) for n in NGRAMS]
            self.grams[length] = pl.concat(parts).drop("whole").unique(maintain_order=True)

    def shared(self, questions: pl.DataFrame) -> pl.DataFrame:
        """question_id, n, item_id, count: the item that shares most distinct n-grams, and how many.

        `questions`: question_id, words. What shares nothing is left out; of equals the first item is named.
        """
        owner, code = self._encode(questions)
        hits = []
        for length, grams in self.grams.items():
            question, gram = _cut(owner, code, length)
            near = np.isin(gram, grams["gram"].to_numpy())
            mine = pl.DataFrame({"question_id": questions["question_id"].gather(question[near]), "gram": gram[near]})
            hits.append(mine.unique().join(grams, on="gram"))
        counts = pl.concat(hits).group_by("question_id", "n", "item_id").agg(count=pl.len())
        best = counts.sort("question_id", "n", "count", "item_id", descending=[False, False, True, False])
        return best.unique(["question_id", "n"], keep="first", maintain_order=True)

    def _encode(self, texts: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """All words of all texts in a row: which text each belongs to, and its code, `UNKNOWN` where no item has it."""
        flat = texts.select(owner=pl.int_range(pl.len(), dtype=pl.Int64), word="words").explode("word")
        flat = flat.join(self.vocabulary.with_row_index("at"), on="word", how="left", maintain_order="left")
        return flat["owner"].to_numpy(), self.codes[flat["at"].fill_null(self.vocabulary.height).to_numpy()]


def _cut(owner: np.ndarray, code: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Every run of `length` known words within one text: the text it lies in and its hash."""
    count = max(len(code) - length + 1, 0)
    gram = np.zeros(count, dtype=np.uint64)
    whole = owner[:count] == owner[length - 1 :][:count]
    for shift in range(length):
        word = code[shift : shift + count]
        gram = gram * HASH_BASE + word
        whole &= word != UNKNOWN
    return owner[:count][whole], gram[whole]
