"""All questions that touch each item of a benchmark, by every measure of overlap, as far as they fit.

What a question touches most is in `overlap.py`, and is what decontamination decides by. Here stand the others too:
which of them a training set holds, and from where on that counts, is decided later, over whatever rows were released. A
list of the strongest alone would be full of questions that decontamination drops, so the strongest of each band of
values are kept: `KEPT` for each item, measure and 0.05 of value.
"""

import numpy as np
import polars as pl

from am_assets.storage.schemas import BenchmarkHits

MEASURES = ("same_text", "same_template", "ngram_8", "ngram_13", "wording", "cosine", "reworded")
KEPT = 128
STEPS, BAND = 1_000, 50  # values are told apart, and told to be of one band, in thousandths
QUESTIONS = 2**32  # more than a shard has


class Hits:
    """Gathers the hits of one shard, slice by slice; `floor` is the least cosine or wording of a hit."""

    def __init__(self, items: pl.Series, floor: float):
        self.items, self.floor = items, floor
        self.questions: list[pl.Series] = []
        self.first = 0  # number of questions before the present slice
        self.found = {measure: (np.empty(0, np.int64), np.empty(0, np.float32)) for measure in MEASURES}

    def begin(self, questions: pl.Series) -> None:
        """From now on question numbers are those of this slice."""
        self.first += len(self.questions[-1]) if self.questions else 0
        self.questions.append(questions)

    def add(self, measure: str, questions: np.ndarray, items: np.ndarray, values: np.ndarray) -> None:
        """Note pairs of question and item numbers with their values in [0, 1]."""
        if len(questions):
            keys, known = self.found[measure]
            keys = np.append(keys, _keys(questions + self.first, items, values))
            order = strongest(keys)
            self.found[measure] = keys[order], np.append(known, values.astype(np.float32))[order]

    def table(self) -> pl.DataFrame:
        """BenchmarkHits of the shard, sorted."""
        ids = pl.concat([pl.Series("question_id", [], pl.String), *self.questions])
        parts = [
            pl.DataFrame(
                {
                    "item_id": self.items.gather((keys // QUESTIONS) // (STEPS + 1)),
                    "question_id": ids.gather(keys % QUESTIONS),
                    "measure": pl.repeat(measure, len(keys), dtype=pl.String, eager=True),
                    "value": pl.Series(values, dtype=pl.Float32),
                }
            )
            for measure, (keys, values) in self.found.items()
        ]
        return BenchmarkHits.cast(pl.concat(parts)).sort("item_id", "measure", "question_id")


def few(questions: np.ndarray, items: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The numbers of those pairs that alone can be kept of them."""
    return strongest(_keys(questions, items, values))


def _keys(questions: np.ndarray, items: np.ndarray, values: np.ndarray) -> np.ndarray:
    """One number a pair, in the order in which pairs are preferred: by item, the largest value, the first question."""
    weaker = STEPS - np.rint(np.asarray(values, np.float64) * STEPS).astype(np.int64).clip(0, STEPS)
    return (items.astype(np.int64) * (STEPS + 1) + weaker) * QUESTIONS + questions


def strongest(keys: np.ndarray) -> np.ndarray:
    """The places of the first `KEPT` of each item and band, in order of the keys."""
    order = np.argsort(keys, kind="stable")
    item, weaker = np.divmod(keys[order] // QUESTIONS, STEPS + 1)
    group = item * (STEPS + 1) + (STEPS - weaker) // BAND
    begins = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    rank = np.arange(len(keys)) - np.repeat(begins, np.diff(np.append(begins, len(keys))))
    return order[rank < KEPT]
