"""Scores as people read them: a table of metrics by student, and sentences on what the trained student gained.

Wording alone, for the report, the terminal and the UI; `scores.py` has the figures.
"""

import polars as pl

from am_assets.evaluation.paired import sentence
from am_assets.evaluation.scores import GAIN, SCORE, STUDENTS, gain
from am_assets.runtime.wording import counted

NONE = "–"  # noqa: RUF001  for a missing figure
NOTE = (
    "In brackets the 95 % interval over questions: what other questions of the same kind would give. More samples of"
    " the same questions don't narrow it."
)


def by_metric(scores: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The heads and rows of a table of EvalScores of one benchmark: metrics down, students across, first over all items
    and then over the untouched ones, where any is touched."""
    rows = scores.filter(pl.col("student") != GAIN)
    figures = {(row["metric"], row["items"], row["student"]): _figure(row) for row in rows.to_dicts()}
    sets = ["all", "untouched"] if touched(scores) else ["all"]
    columns = [(items, student) for items in sets for student in STUDENTS.categories]
    columns = [at for at in columns if any(key[1:] == at for key in figures)]
    heads = [student if items == "all" else f"{student}, {items} items" for items, student in columns]
    names = rows["metric"].unique(maintain_order=True)
    return heads, [[name, *(figures.get((name, *at), NONE) for at in columns)] for name in names]


def _figure(row: dict) -> str:
    if row["metric"] == "tokens":
        return f"{row['value']:,.0f} ({row['ci_low']:,.0f} to {row['ci_high']:,.0f})"
    return f"{row['value']:.1%} ({row['ci_low']:.1%} to {row['ci_high']:.1%})"


def asked(scores: pl.DataFrame) -> str:
    """How many questions and samples the scores are of."""
    row = scores.filter(metric=SCORE, items="all").row(0, named=True)
    return f"{counted(row['questions'], 'question')} x {counted(row['samples'], 'sample')}"


def touched(scores: pl.DataFrame) -> int:
    """How many items are left out of the second set of scores."""
    rows = scores.filter((pl.col("metric") == SCORE) & (pl.col("student") != GAIN))
    every, left = (max(rows.filter(items=items)["questions"].to_list(), default=0) for items in ("all", "untouched"))
    return every - left


def sentences(scores: pl.DataFrame) -> list[str]:
    """What the trained student gained on one benchmark, over all items and over those that its rows do not touch."""
    found, left_out, left = gain(scores), touched(scores), gain(scores, "untouched")
    said = [_sentence(sentence(found, *STUDENTS.categories))] if found else []
    if not left_out:
        return [*said, "The rows that it was trained on touch none of these questions."]
    one = f"The rows that it was trained on touch {left_out:,} of these questions"
    if left is None:
        return [*said, f"{one}, and none is left without them."]
    return [*said, f"{one}; of the others: {sentence(left, *STUDENTS.categories)}."]


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
