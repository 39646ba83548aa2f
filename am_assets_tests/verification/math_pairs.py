"""The labelled pairs of `math_pairs.jsonl`: a reference, an answer, and whether a careful reader calls them equal.

Each category holds both labels. An answer with think tags is a whole response and is split as the project splits one.
`{"any_of": [...]}` as a reference names several. The conventions that labels follow where graders differ: a unit that
one side leaves out is no difference, two that disagree are; 50 % is 0.5 and, as the percent sign is a unit, 50; a
rounded value is not the exact one; an answer that takes back, quotes or only lists the right result is wrong, and so is
one whose last box is empty or never closed.
"""

from pathlib import Path

import polars as pl

from am_assets.config.instruments import Math
from am_assets.distillation.traces import split
from am_assets.verification.verifiers import math

FILE = Path(__file__).with_name("math_pairs.jsonl")
ADVERSARIAL = ["retracted", "options_listed", "quoted", "think_only", "injection", "hedged", "taken_back"]


def pairs() -> pl.DataFrame:
    """id, category, equal, reference, answer: the answer part, null where there is none that can be told."""
    rows = pl.read_ndjson(FILE)
    whole = rows.filter(pl.col("answer").str.contains("<think>", literal=True)).select("id", response="answer")
    parts = split(whole).select("id", part="answer", split=pl.lit(True))
    joined = rows.join(parts, on="id", how="left", maintain_order="left")
    answer = pl.when("split").then("part").otherwise("answer")
    return joined.select("id", "category", "equal", "reference", answer=answer)


def judged(rows: pl.DataFrame, limits: Math) -> pl.DataFrame:
    """`rows` of `pairs` with verdict, reason, extracted, and `right`: passed where they are equal and only there."""
    verdicts = pl.concat(math.verify(rows.select("answer", "reference", key="id"), limits)).rename({"key": "id"})
    table = rows.join(verdicts, on="id", validate="1:1", maintain_order="left")
    return table.with_columns(right=(pl.col("verdict") == "pass") == pl.col("equal"))
