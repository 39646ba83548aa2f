"""Canonical columns under their own names: the form for data of one's own, in JSON lines or Parquet."""

import json

import polars as pl

from am_assets.datasets.adapters.base import Adapter, columns, with_constraints
from am_assets.datasets.reader import Column


def parts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    answers = pl.col("reference_answer").list.unique(maintain_order=True)
    answers = answers.list.filter(pl.element().str.strip_chars() != "")
    several = pl.struct(any_of=answers).struct.json_encode()
    frame = frame.with_columns(
        reference_answer=pl.when(answers.list.len() > 1).then(several).otherwise(answers.list.first())
    )
    return with_constraints(frame, file, lambda text: json.loads(text or "[]"), "constraints")


ADAPTER = Adapter(
    columns(
        "question",
        *("test_code", "test_entry_point", "response", "teacher"),
        reference_answer=Column("reference_answer", "scalars"),
        constraints=Column("constraints", "json"),
    ),
    parts,
    version="1",
    doc="your own data; `reference_answer` may be a list, of which one has to be met",
)
