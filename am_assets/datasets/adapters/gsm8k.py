"""GSM8K: a worked solution that ends in `#### <result>`."""

import polars as pl

from am_assets.datasets.adapters.base import Adapter, columns, require
from am_assets.datasets.reader import Column


def parts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    reference = pl.col("answer").str.extract(r"####\s*(\S.*?)\s*$").str.replace_all(",", "")
    require(frame, file, reference.is_not_null(), "answer: no result after ####")
    return frame.select("question", reference.alias("reference_answer"))


ADAPTER = Adapter(
    columns("question", answer=Column("answer", required=True)),
    parts,
    version="1",
    doc="GSM8K; the reference is what follows `####`",
)
