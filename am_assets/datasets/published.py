"""Published responses as rows of their own, and the identity of any response.

What is published with a question is read by `adapters/`; what is left out of it belongs to `exclusions.py`. In the list
of a question a response that was left out is null, and one that was published without text is an empty one.
"""

from hashlib import sha256

import polars as pl

from am_assets.config.vocabulary import EXCLUDED
from am_assets.storage.memo import CANONICAL, KEY_DIGITS

SAID = pl.col("published").list.eval(pl.element().struct.field("response").ne_missing("")).list.sum()  # how many
IDENTITY = ["question_id", "teacher", "origin", "request_key", "sample_index", "response"]  # of a response


def published(pool: pl.DataFrame) -> pl.DataFrame:
    """The published responses of `pool`, in order: IDENTITY, and why each ended."""
    rows = pool.select("question_id", "published").explode("published").drop_nulls("published").unnest("published")
    return rows.select(
        "question_id",
        "teacher",
        pl.col("response").fill_null(""),
        origin=pl.lit("published"),
        request_key=pl.lit(None, pl.String),
        sample_index=pl.int_range(pl.len()).over("question_id", "teacher"),
        finish_reason=pl.when(pl.col("response").is_null()).then(pl.lit(EXCLUDED)).otherwise(pl.lit("stop")),
    )


def response_ids(responses: pl.DataFrame) -> pl.Series:
    """The id of each response: `key_of` of its IDENTITY. Polars writes a text as JSON in a third of the time."""
    *others, text = IDENTITY
    written = responses.select(pl.struct(text).struct.json_encode().cast(pl.Binary)).to_series()
    begins, ids = len(f'{{"{text}":'), []
    for known, said in zip(responses.select(others).iter_rows(), written, strict=True):
        digest = sha256(CANONICAL.encode(known)[:-1].encode() + b",")
        digest.update(memoryview(said)[begins:-1])
        digest.update(b"]")
        ids.append(digest.hexdigest()[:KEY_DIGITS])
    return pl.Series("response_id", ids, dtype=pl.String)
