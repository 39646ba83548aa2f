"""Features of responses that need no language model: think and answer parts, repetition, truncation, language, overlap
with the prompt.

Measurements only: `verification/decide.py` applies the thresholds, and the verifiers check the answer.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from am_assets.distillation import repeats
from am_assets.distillation.parts import split
from am_assets.engines.models.language import languages

VERSION = "2"  # raise when a measurement here changes its meaning

BLOCK_BYTES = 4_000_000  # of response text tokenized at once; a single response may be larger


def response_features(responses: pl.DataFrame) -> pl.DataFrame:
    """ResponseFeatures of `responses` (response_id, question_id, question, response, finish_reason), sorted by
    response_id. Lengths are in characters; features of a null part are 0.

    >>> response_features(responses).select("template", "well_formed", "repetition")
    """
    read = split(responses.sort("response_id")).with_columns(
        truncated=(pl.col("finish_reason") == "length"),
        think_chars=pl.col("think").str.len_chars().fill_null(0).cast(pl.UInt32),
        answer_chars=pl.col("answer").str.len_chars().fill_null(0).cast(pl.UInt32),
        think_language=pl.col("think").map_batches(languages, return_dtype=pl.String),
        answer_language=pl.coalesce("answer", "response").map_batches(languages, return_dtype=pl.String),
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        measured = list(pool.map(_with_repeats, _blocks(read)))
    return pl.concat(measured).drop("question", "response", "think", "finish_reason")


def _blocks(read: pl.DataFrame) -> list[pl.DataFrame]:
    """`read` in slices of about BLOCK_BYTES, to bound the memory for words whatever the length of responses."""
    number = read["response"].str.len_bytes().cast(pl.UInt64).fill_null(0).cum_sum() // BLOCK_BYTES
    lengths = number.rle().struct.field("len").to_list() if read.height else [0]
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    return [read.slice(start, length) for start, length in zip(starts, lengths, strict=True)]


def _with_repeats(block: pl.DataFrame) -> pl.DataFrame:
    """`block` with its repetition, consecutive and prompt_share. Recognized tags are not counted as words."""
    parts = pl.concat_str("think", pl.lit(" "), "answer")
    text = block.select(pl.when(pl.col("answer").is_null()).then("response").otherwise(parts)).to_series()
    repetition, consecutive = repeats.measures(text)
    leaked = repeats.prompt_share(block["answer"], block["question"])
    return block.with_columns(
        repetition.alias("repetition"), consecutive.alias("consecutive"), leaked.alias("prompt_share")
    )
