"""HumanEval: a function to complete, and a `check` of it."""

import polars as pl

from am_assets.datasets.adapters.base import Adapter, columns, require
from am_assets.datasets.reader import Column


def parts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    require(frame, file, pl.col("entry_point").str.contains(r"^[A-Za-z_]\w*$"), "entry_point: not a function name")
    code = pl.format("{}\n\ncheck({})\n", "test", "entry_point")
    return frame.select("question", code.alias("test_code"), pl.col("entry_point").alias("test_entry_point"))


ADAPTER = Adapter(
    columns("prompt", test=Column("test", required=True), entry_point=Column("entry_point", required=True)),
    parts,
    version="1",
    doc="HumanEval; the tests call `check`",
)
