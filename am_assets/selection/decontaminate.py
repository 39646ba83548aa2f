"""Benchmark overlap, measured and judged: how near a question comes to any item, and when that is contamination.

Three measures, since each misses what another finds: shared word n-grams (13 and 8, `ngrams.py`), equal text with and
without its numbers, cosine. Measuring knows no threshold; `contaminated` applies the recipe's.
"""

import numpy as np
import polars as pl

from am_assets.engines.embedder import to_matrix
from am_assets.recipe import Decontamination
from am_assets.schema import BenchmarkOverlap
from am_assets.selection.ngrams import NGRAMS, ItemGrams, words

SLICE = 20_000  # questions whose words are held at once
BLOCK = 4_096  # questions compared with all items at once
DECIMALS = 6  # what float32 holds of a product of unit vectors


def benchmark_overlap(
    questions: pl.DataFrame, vectors: pl.DataFrame, items: pl.DataFrame, item_vectors: np.ndarray, floor: float
) -> pl.DataFrame:
    """BenchmarkOverlap of `questions` (question_id, question) that share anything with `items` (BenchmarkQuestions).

    `vectors` are QuestionEmbeddings of the questions, `item_vectors` of shape (items, dimension) in the items' order. A
    question is listed when it shares an n-gram, has the text of an item, or lies at or above `floor` to one.
    `ValueError` without items, for a question without a vector, and where dimensions differ.
    """
    if items.is_empty():
        raise ValueError("the benchmark has no items: there is nothing to decontaminate against")
    if questions.is_empty():
        return BenchmarkOverlap.create_empty()
    known = items.select("item_id", words=words(pl.col("question"))).sort("item_id")
    grams = ItemGrams(known)
    seen = pl.concat([_in_text(part, known, grams) for part in questions.iter_slices(SLICE)])
    near = pl.col("cosine") >= pl.lit(floor, pl.Float32)
    table = (
        _nearest(questions, vectors, items["item_id"], item_vectors)
        .join(seen, on="question_id", how="left")
        .filter(near | (pl.col("ngram_8") > 0) | (pl.col("ngram_13") > 0) | pl.col("same_template"))
    )
    return BenchmarkOverlap.cast(table).sort("question_id")


def contaminated(overlap: pl.DataFrame, rules: Decontamination) -> pl.DataFrame:
    """question_id and detail of what the rules find in BenchmarkOverlap rows (with a column `benchmark`).

    A question is listed once, by the first rule that holds and the first benchmark in alphabetical order.
    """
    hits = pl.col(f"ngram_{rules.ngram}")
    item = pl.col("benchmark") + "/"
    found = (
        pl.when(pl.col("same_text") & rules.same_text)
        .then(pl.format("text of {}{}", item, "text_item"))
        .when(pl.col("same_template") & rules.same_template)
        .then(pl.format("text but for numbers of {}{}", item, "text_item"))
        .when(hits >= rules.ngram_hits)
        .then(pl.format("{} {}-gram(s) of {}{}", hits, pl.lit(rules.ngram), item, "ngram_item"))
        .when(pl.col("cosine") >= pl.lit(rules.cosine, pl.Float32))
        .then(pl.format("cosine {} to {}{}", pl.col("cosine").round(3), item, "item_id"))
    )
    return (
        overlap.select("question_id", "benchmark", detail=found)
        .drop_nulls("detail")
        .sort("question_id", "benchmark")
        .unique("question_id", keep="first", maintain_order=True)
        .select("question_id", "detail")
    )


def _in_text(questions: pl.DataFrame, items: pl.DataFrame, grams: ItemGrams) -> pl.DataFrame:
    """Of each question what can be seen in its words: shared grams and equal texts."""
    mine = questions.select("question_id", words=words(pl.col("question")))
    table, shared = _equal(mine, items), grams.shared(mine)
    for n in NGRAMS:
        of_n = shared.filter(n=n).select(
            "question_id", pl.col("count").alias(f"ngram_{n}"), pl.col("item_id").alias(f"in_{n}")
        )
        table = table.join(of_n, on="question_id", how="left")
    return table.with_columns(pl.col("ngram_8", "ngram_13").fill_null(0), ngram_item=pl.coalesce("in_13", "in_8"))


def _equal(questions: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Of each question, whether its words are an item's, with and without the numbers; no words equal none."""
    text = pl.col("words").list.join(" ")
    keys = [text.alias("text"), text.str.replace_all(r"\p{N}+", "#").alias("template")]
    known = items.filter(pl.col("words").list.len() > 0).select("item_id", *keys)
    same = known.unique("text", keep="first", maintain_order=True).select("text", same="item_id")
    like = known.unique("template", keep="first", maintain_order=True).select("template", like="item_id")
    return (
        questions.select("question_id", *keys)
        .join(same, on="text", how="left")
        .join(like, on="template", how="left")
        .select(
            "question_id",
            same_text=pl.col("same").is_not_null(),
            same_template=pl.col("like").is_not_null(),
            text_item=pl.coalesce("same", "like"),
        )
    )


def _nearest(
    questions: pl.DataFrame, vectors: pl.DataFrame, item_ids: pl.Series, item_vectors: np.ndarray
) -> pl.DataFrame:
    """The item nearest to each question by cosine."""
    mine = questions.select("question_id").join(vectors, on="question_id", how="left", maintain_order="left")
    if without := mine["vector"].null_count():
        first = mine.filter(pl.col("vector").is_null())["question_id"][0]
        raise ValueError(f"{without} questions have no vector, {first} for one: materialize question_embeddings first")
    matrix = to_matrix(mine["vector"])
    if len(matrix) and matrix.shape[1] != item_vectors.shape[1]:
        raise ValueError(
            f"question vectors have {matrix.shape[1]} dimensions, item vectors {item_vectors.shape[1]}: materialize"
            " question_embeddings again with the present model"
        )
    best, cosines = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.float32)]
    for start in range(0, len(matrix), BLOCK):
        block = matrix[start : start + BLOCK]
        best.append((block @ item_vectors.T).argmax(axis=1))
        # Once more for the best alone: a product of whole blocks rounds differently with the block's shape.
        cosines.append(np.einsum("ij,ij->i", block, item_vectors[best[-1]]).round(DECIMALS).clip(max=1))
    return pl.DataFrame(
        {
            "question_id": mine["question_id"],
            "item_id": item_ids.gather(np.concatenate(best)),
            "cosine": np.concatenate(cosines),
        }
    )
