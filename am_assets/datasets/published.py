"""Published responses as rows of their own, and the identity of any response.

What is published with a question is read by `adapters/`; what is left out of it belongs to `exclusions.py`. In the list
of a question a response that was left out is null, and one that was published without text is an empty one.
"""

import polars as pl

from am_assets.config.vocabulary import EXCLUDED
from am_assets.storage.memo import key_of

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
    """The id of each response, hashed from IDENTITY."""
    keys = [key_of(*row) for row in responses.select(IDENTITY).iter_rows()]
    return pl.Series("response_id", keys, dtype=pl.String)
