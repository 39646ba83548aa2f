"""Benchmark overlap: how similar each question is to the items of a benchmark, and to which item.

Four measures, since each misses what another finds: equal text, with and without numbers; the share of an item's word
n-grams that the question contains (`ngrams.py`); the same for its wording (word 3-grams, numbers masked, names left
out); embedding cosine, and whether the nearest item has the same numbers. Measurements only: `decontaminate.py` applies
the thresholds.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from am_assets.engines.models.embedder import to_matrix
from am_assets.selection import cosines
from am_assets.selection.ngrams import ItemGrams
from am_assets.selection.words import Texts, Words, names, read
from am_assets.storage.schemas import BenchmarkOverlap

VERSION = "1"  # raise when what is measured changes
NGRAMS = (8, 13)
WORDING = 3  # words per n-gram: few, so that most survive a moved sentence or a changed word
LEAST_WORDING = 15  # smallest denominator of the share: the few 3-grams of a short item match by chance
SLICE = 20_000  # questions whose words and vectors are in memory at once
BLOCK = 4_096  # questions compared with all items at once
BY_SHARD = pl.Schema({"key": pl.String(), "rows": pl.List(pl.Struct(BenchmarkOverlap.create_empty().schema))})


@dataclass(frozen=True)
class Items:
    """A benchmark with its indexes: BenchmarkQuestions in the order of `vectors` (items by dimension)."""

    table: pl.DataFrame
    vectors: np.ndarray

    def __post_init__(self) -> None:
        if self.table.is_empty():
            raise ValueError("the benchmark has no items: there is nothing to decontaminate against")

    @cached_property
    def ids(self) -> pl.Series:
        return self.table["item_id"]

    @cached_property
    def texts(self) -> Texts:
        return read(self.table["question"])

    @cached_property
    def grams(self) -> dict[str, ItemGrams]:
        grams = {f"ngram_{n}": ItemGrams(self.texts.plain, n) for n in NGRAMS}
        return grams | {"wording": ItemGrams(self.texts.masked, WORDING, LEAST_WORDING, names(self.table["question"]))}


def benchmark_overlap(questions: pl.DataFrame, vectors: pl.DataFrame, items: Items, floor: float) -> pl.DataFrame:
    """BenchmarkOverlap of the `questions` (question_id, question) that are similar to any of `items`, without opinions.

    `vectors` are the QuestionEmbeddings of the questions. A question is listed if it has the text of an item, shares an
    n-gram, or has a cosine or wording share at or above `floor`. `ValueError` for a question without a vector and for
    different dimensions.

    >>> benchmark_overlap(questions, vectors, Items(benchmark_questions, item_vectors), floor=0.5)
    """
    if questions.is_empty():
        return BenchmarkOverlap.create_empty()
    near = pl.any_horizontal(pl.col("cosine", "wording") >= pl.lit(floor, pl.Float32))
    shares = pl.any_horizontal(pl.col(f"ngram_{n}") > 0 for n in NGRAMS)
    listed = near | shares | pl.col("same_template")
    parts = [_measured(part, vectors, items).filter(listed) for part in questions.iter_slices(SLICE)]
    unknown = pl.lit(None, pl.Boolean)
    return BenchmarkOverlap.cast(pl.concat(parts).with_columns(same=unknown, same_swapped=unknown)).sort("question_id")


def concat_shards(shards: pl.Series) -> pl.DataFrame:
    """The BenchmarkOverlap tables of the shards (a list of rows each) as one; the first row of a question counts."""
    rows = shards.filter(shards.list.len() > 0).explode().struct.unnest()
    return rows.unique("question_id", keep="first", maintain_order=True).sort("question_id")


def _measured(questions: pl.DataFrame, vectors: pl.DataFrame, items: Items) -> pl.DataFrame:
    nearest = _nearest(questions, vectors, items)
    return nearest.drop("at").hstack(_in_text(questions, items, nearest["at"].to_numpy()))


def _in_text(questions: pl.DataFrame, items: Items, nearest: np.ndarray) -> pl.DataFrame:
    """The measures that compare words, a row per question in their order: equal text, shared n-grams, and whether the
    numbers are those of item `nearest[i]`."""
    texts = read(questions["question"])
    same, like = _equal(texts.plain, items.texts.plain), _equal(texts.masked, items.texts.masked)
    columns = {
        "same_numbers": pl.Series((texts.numbers == items.texts.numbers[nearest]) & (texts.numbers > 0)),
        "same_text": same.is_not_null(),
        "same_template": like.is_not_null(),
        "text_item": items.ids.gather(same.zip_with(same.is_not_null(), like)),
    }
    for name, grams in items.grams.items():
        share, item = grams.shares(texts.masked if name == "wording" else texts.plain)
        found = pl.Series(item).set(pl.Series(share == 0), None)
        columns |= {name: pl.Series(share), f"{name}_item": items.ids.gather(found)}
    return pl.DataFrame(columns)


def _equal(texts: Words, items: Words) -> pl.Series:
    """The index of the first item with the same words as a text; null for none and for a text without words."""
    known = pl.DataFrame({"code": items.whole(), "at": np.arange(items.count)}).filter(pl.Series(items.sizes() > 0))
    wanted = pl.DataFrame({"code": texts.whole()})
    first = known.unique("code", keep="first", maintain_order=True)
    return wanted.join(first, on="code", how="left", maintain_order="left")["at"]


def _nearest(questions: pl.DataFrame, vectors: pl.DataFrame, items: Items) -> pl.DataFrame:
    """The nearest item of each question by cosine, with its index `at`."""
    mine = questions.select("question_id").join(vectors, on="question_id", how="left", maintain_order="left")
    if without := mine["vector"].null_count():
        first = mine.filter(pl.col("vector").is_null())["question_id"][0]
        raise ValueError(f"{without} questions have no vector, {first} for one: materialize question_embeddings first")
    matrix = to_matrix(mine["vector"])
    if matrix.shape[1] != items.vectors.shape[1]:
        raise ValueError(
            f"question vectors have {matrix.shape[1]} dimensions, item vectors {items.vectors.shape[1]}: materialize"
            " question_embeddings again with the present model"
        )
    best, values = [], []
    for start in range(0, len(matrix), BLOCK):
        block = matrix[start : start + BLOCK]
        best.append((block @ items.vectors.T).argmax(axis=1))
        # Recomputed for the best item: the rounding of a matrix product depends on the shape of the block.
        values.append(cosines.exact(block, items.vectors[best[-1]]))
    at, cosine = np.concatenate(best), pl.Series(np.concatenate(values))
    return mine.select("question_id", item_id=items.ids.gather(at), at=pl.Series(at), cosine=cosine)
