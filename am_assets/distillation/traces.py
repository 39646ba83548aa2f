"""Features of responses that need no language model: think and answer parts, repetition, truncation, language, overlap
with the prompt.

Measurements only: `verification/decide.py` applies the thresholds, and the verifiers check the answer.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from am_assets.distillation import repeats
from am_assets.distillation.parts import split
from am_assets.engines.models.language import languages

VERSION = "2"  # raise when a measurement here changes its meaning

BLOCK_BYTES = 1_000_000  # of text whose words are compared at once, which fit into caches; one text may be larger
FREED_BYTES = 31_000_000  # the largest array that glibc keeps for the next when it is freed


def response_features(responses: pl.DataFrame) -> pl.DataFrame:
    """ResponseFeatures of `responses` (response_id, question_id, question, response, finish_reason), sorted by
    response_id. Lengths are in characters; features of a null part are 0.

    >>> response_features(responses).select("template", "well_formed", "repetition")
    """
    read = split(responses.sort("response_id"))
    parts = pl.concat_str("think", pl.lit(" "), "answer")  # recognized tags are not counted as words
    text = read.select(pl.when(pl.col("answer").is_null()).then("response").otherwise(parts)).to_series()
    repetition, consecutive = _measures(text)
    return read.with_columns(
        truncated=(pl.col("finish_reason") == "length"),
        think_chars=pl.col("think").str.len_chars().fill_null(0).cast(pl.UInt32),
        answer_chars=pl.col("answer").str.len_chars().fill_null(0).cast(pl.UInt32),
        think_language=pl.col("think").map_batches(languages, return_dtype=pl.String),
        answer_language=pl.coalesce("answer", "response").map_batches(languages, return_dtype=pl.String),
        repetition=repetition,
        consecutive=consecutive,
        prompt_share=repeats.prompt_share(read["answer"], read["question"]),
    ).drop("question", "response", "think", "finish_reason")


def _measures(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """`repeats.measures`, on all cores."""
    # glibc hands freed memory back above twice the largest array that was freed: to have the pages of every array again
    # takes longer than to measure them.
    np.empty(FREED_BYTES, np.uint8)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        repetition, consecutive = zip(*pool.map(repeats.measures, _blocks(texts)), strict=True)
    return pl.concat(repetition), pl.concat(consecutive)


def _blocks(texts: pl.Series) -> list[pl.Series]:
    """`texts` in slices of about BLOCK_BYTES, to bound the memory for words whatever their length."""
    number = texts.str.len_bytes().cast(pl.UInt64).fill_null(0).cum_sum() // BLOCK_BYTES
    lengths = number.rle().struct.field("len").to_list() if len(texts) else [0]
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    return [texts.slice(start, length) for start, length in zip(starts, lengths, strict=True)]
