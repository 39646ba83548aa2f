r"""MATH and benchmarks of its form (MATH-500, AIME): a problem with its answer, or a solution that boxes it."""

import polars as pl

from am_assets.datasets.adapters.base import Adapter, columns, last_boxed, or_null
from am_assets.datasets.reader import Column


def parts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    boxed = {name: [last_boxed(text or "") for text in frame[name]] for name in ["answer", "solution"]}
    unboxed = [pl.Series(f"{name}_boxed", values, dtype=pl.String) for name, values in boxed.items()]
    reference = pl.coalesce("answer_boxed", or_null("answer"), "solution_boxed")
    return frame.with_columns(unboxed).select("question", reference.alias("reference_answer"))


ADAPTER = Adapter(
    columns("problem", "solution", answer=Column("answer", "scalar", unless="solution")),
    parts,
    version="1",
    doc=r"MATH, MATH-500, AIME; the reference is the answer, or what the solution boxes last",
)
