"""MBPP: a task in a sentence and a list of assertions, which the question shows so that names are known."""

import polars as pl

from am_assets.datasets.adapters.base import Adapter, columns, require
from am_assets.datasets.reader import Column


def parts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    tests = pl.col("test_list").list.join("\n")
    require(frame, file, tests.str.len_chars() > 0, "test_list: no tests")
    shown = pl.concat_str("question", pl.lit("\n\nYour code should pass these tests:\n"), tests)
    setup = pl.col("setup").fill_null("")
    code = pl.when(setup.str.strip_chars() == "").then(tests).otherwise(pl.concat_str(setup, pl.lit("\n"), tests))
    return frame.select(shown.alias("question"), code.alias("test_code"))


ADAPTER = Adapter(
    columns("text", test_list=Column("test_list", "texts", required=True), setup=Column("test_setup_code")),
    parts,
    version="1",
    doc="MBPP; the question shows the tests",
)
