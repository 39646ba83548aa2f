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
from am_assets.selection.hits import Hits, few
from am_assets.selection.ngrams import ItemGrams
from am_assets.selection.words import Texts, Words, names, read
from am_assets.storage.schemas import BenchmarkHits, BenchmarkOverlap

VERSION = "2"  # raise when what is measured changes
NGRAMS = (8, 13)
WORDING = 3  # words per n-gram: few, so that most survive a moved sentence or a changed word
LEAST_WORDING = 15  # smallest denominator of the share: the few 3-grams of a short item match by chance
SLICE = 20_000  # questions whose words and vectors are in memory at once
BLOCK = 4_096  # questions compared with all items at once
BY_SHARD = pl.Schema(
    {"key": pl.String()}
    | {
        name: pl.List(pl.Struct({name: column.dtype for name, column in table.columns().items()}))
        for name, table in (("rows", BenchmarkOverlap), ("hits", BenchmarkHits))
    }
)


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


def benchmark_overlap(
    questions: pl.DataFrame, vectors: pl.DataFrame, items: Items, floor: float, hits: Hits | None = None
) -> pl.DataFrame:
    """BenchmarkOverlap of the `questions` (question_id, question) that are similar to any of `items`, without opinions.

    `vectors` are the QuestionEmbeddings of the questions. A question is listed if it has the text of an item, shares an
    n-gram, or has a cosine or wording share at or above `floor`. `hits` gathers all items that each touches.
    `ValueError` for a question without a vector and for different dimensions.

    >>> benchmark_overlap(questions, vectors, Items(benchmark_questions, item_vectors), floor=0.5)
    """
    if questions.is_empty():
        return BenchmarkOverlap.create_empty()
    near = pl.any_horizontal(pl.col("cosine", "wording") >= pl.lit(floor, pl.Float32))
    shares = pl.any_horizontal(pl.col(f"ngram_{n}") > 0 for n in NGRAMS)
    listed = near | shares | pl.col("same_template")
    hits = hits or Hits(items.ids, floor)
    parts = [_measured(part, vectors, items, hits).filter(listed) for part in questions.iter_slices(SLICE)]
    unknown = pl.lit(None, pl.Boolean)
    return BenchmarkOverlap.cast(pl.concat(parts).with_columns(same=unknown, same_swapped=unknown)).sort("question_id")


def concat_shards(shards: pl.Series, *key: str) -> pl.DataFrame:
    """The tables of the shards (a list of rows each) as one, sorted by `key`, of which the first row counts."""
    rows = shards.filter(shards.list.len() > 0).explode().struct.unnest()
    return rows.unique(key, keep="first", maintain_order=True).sort(key)


def _measured(questions: pl.DataFrame, vectors: pl.DataFrame, items: Items, hits: Hits) -> pl.DataFrame:
    hits.begin(questions["question_id"])
    texts = read(questions["question"])
    nearest = _nearest(questions, vectors, items, texts, hits)
    return nearest.drop("at").hstack(_in_text(texts, items, nearest["at"].to_numpy(), hits))


def _in_text(texts: Texts, items: Items, nearest: np.ndarray, hits: Hits) -> pl.DataFrame:
    """The measures that compare words, a row per question in their order: equal text, shared n-grams, and whether the
    numbers are those of item `nearest[i]`."""
    same, like = (
        _equal(mine, its, hits, measure)
        for mine, its, measure in (
            (texts.plain, items.texts.plain, "same_text"),
            (texts.masked, items.texts.masked, "same_template"),
        )
    )
    columns = {
        "same_numbers": pl.Series((texts.numbers == items.texts.numbers[nearest]) & (texts.numbers > 0)),
        "same_text": same.is_not_null(),
        "same_template": like.is_not_null(),
        "text_item": items.ids.gather(same.zip_with(same.is_not_null(), like)),
    }
    for name, grams in items.grams.items():
        shared = grams.shared(texts.masked if name == "wording" else texts.plain)
        hits.add(name, *shared.pairs(hits.floor if name == "wording" else 0))
        share, item = shared.largest()
        found = pl.Series(item).set(pl.Series(share == 0), None)
        columns |= {name: pl.Series(share), f"{name}_item": items.ids.gather(found)}
    return pl.DataFrame(columns)


def _equal(texts: Words, items: Words, hits: Hits, measure: str) -> pl.Series:
    """The index of the first item with the same words as a text; null for none and for a text without words."""
    known = pl.DataFrame({"code": items.whole(), "at": np.arange(items.count)}).filter(pl.Series(items.sizes() > 0))
    wanted = pl.DataFrame({"code": texts.whole(), "text": np.arange(texts.count)})
    pairs = wanted.join(known, on="code")
    hits.add(measure, pairs["text"].to_numpy(), pairs["at"].to_numpy(), np.ones(pairs.height))
    first = known.unique("code", keep="first", maintain_order=True)
    return wanted.join(first, on="code", how="left", maintain_order="left")["at"]


def _nearest(questions: pl.DataFrame, vectors: pl.DataFrame, items: Items, texts: Texts, hits: Hits) -> pl.DataFrame:
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
        products = block @ items.vectors.T
        best.append(products.argmax(axis=1))
        # Recomputed for the best item: the rounding of a matrix product depends on the shape of the block.
        values.append(cosines.exact(block, items.vectors[best[-1]]))
        _note_near(products, np.flatnonzero(values[-1] >= hits.floor), start, matrix, items, texts, hits)
    at, cosine = np.concatenate(best), pl.Series(np.concatenate(values))
    return mine.select("question_id", item_id=items.ids.gather(at), at=pl.Series(at), cosine=cosine)


def _note_near(
    products: np.ndarray, near: np.ndarray, start: int, matrix: np.ndarray, items: Items, texts: Texts, hits: Hits
) -> None:
    """Note the pairs at or above the floor: of the rows `near` of a block that begins at question `start`."""
    products = products[near]
    at, item = np.nonzero(products >= hits.floor - cosines.SLACK)
    question, rough = start + near[at], products[at, item]
    numbers = texts.numbers[question]
    same_numbers = np.flatnonzero((numbers == items.texts.numbers[item]) & (numbers > 0))
    for measure, those in (("cosine", np.arange(len(item))), ("reworded", same_numbers)):
        those = those[few(question[those], item[those], rough[those])]  # before the exact cosine, which costs more
        exact = cosines.of_pairs(matrix, items.vectors, question[those], item[those])
        sure = exact >= np.float32(hits.floor)
        hits.add(measure, question[those][sure], item[those][sure], exact[sure])
