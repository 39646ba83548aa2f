"""Scores of students on a benchmark: pass@k, maj@k and what became of the answers, with intervals over questions.

Aggregates verdicts and classes of equal results only: answers are verified in `verification/`, `touched.py` says which
items the training set touches, `paired.py` compares students, and `report.py` reports the scores.

Every figure is a mean over questions of a figure of one question, so that a question counts once however many samples
it has, and its interval says what other questions of the same kind would give: more samples do not stand in for
questions. 30 questions that half pass give an interval of 35 points, whatever the number of samples.
"""

from collections.abc import Iterator, Mapping
from math import comb

import numpy as np
import polars as pl

from am_assets.evaluation import paired
from am_assets.evaluation.bootstrap import intervals, means
from am_assets.storage.schemas import BenchmarkConsensus, EvalScores, QuestionScores

VERSION = "2"  # raise when the same verdicts give other scores
STUDENTS = pl.Enum(["untrained", "trained"])
GAIN, SCORE = "gain", "pass@1"
# What became of an answer, as shares of a question's samples; `tokens` is their mean.
FATES = {
    "truncated": pl.col("finish_reason") == "length",
    "malformed": ~pl.col("well_formed"),
    "unverifiable": pl.col("verdict") == "unverifiable",
}
AT = ["student", "item_id"]


def per_question(verdicts: pl.DataFrame, responses: pl.DataFrame, classes: pl.DataFrame) -> pl.DataFrame:
    """(student, item_id, samples, and a column for each metric), a row per student and item, sorted.

    verdicts   (student, item_id, sample_index, verdict, well_formed); only answers with one count
    responses  (student, item_id, sample_index, finish_reason, completion_tokens)
    classes    (student, item_id, sample_index, equal_to): the result that an answer states, by the plainest of those
               that are equal to it; answers without a row or with null vote for none

    `pass@k` is the chance that of k answers drawn from the samples one passes (1 - C(n-c, k) / C(n, k), unbiased), for
    each k of `depths`. `maj@k` is the share of the samples // k groups of k answers in which the result that most of
    them state passes; results that equally many state count in parts, and a group without any vote does not pass. It
    is there from three samples on, and only where any item has classes.
    """
    at = [*AT, "sample_index"]
    rows = (
        verdicts.join(responses.select(*at, "finish_reason", "completion_tokens"), on=at, how="left")
        .join(classes.select(*at, "equal_to"), on=at, how="left")
        .with_columns(pl.col("student").cast(STUDENTS), passed=pl.col("verdict") == "pass")
        .sort(at)
        .with_columns(nth=pl.int_range(pl.len()).over(AT))
    )
    table = rows.group_by(AT, maintain_order=True).agg(
        samples=pl.len().cast(pl.UInt16),
        passes=pl.col("passed").sum(),
        **{name: fate.mean() for name, fate in FATES.items()},
        tokens=pl.col("completion_tokens").mean(),
    )
    least = int(table["samples"].min() or 0)  # type: ignore[arg-type]
    for k in depths(least):
        table = table.with_columns(_pass_at(k).alias(f"pass@{k}"))
    voting = rows.filter(pl.col("equal_to").is_not_null().any().over("item_id"))
    for k in depths(least) if voting.height else []:
        if k > 2:  # of two answers that differ none has a majority
            table = table.join(_majority(voting, k), on=AT, how="left", maintain_order="left")
    return table.select(*AT, "samples", *(name for name in metrics(table)))


def metrics(table: pl.DataFrame) -> list[str]:
    """The metrics that `per_question` has, in the order in which they are shown."""
    passing, voting = ([name for name in table.columns if name.startswith(kind)] for kind in ("pass@", "maj@"))
    return [*passing, *voting, *FATES, "tokens"]


def depths(samples: int) -> list[int]:
    """The powers of two up to the number of samples, and that number.

    >>> depths(12)
    [1, 2, 4, 8, 12]
    """
    return sorted({2**power for power in range(samples.bit_length())} | {samples} - {0})


def _pass_at(k: int) -> pl.Expr:
    counts = pl.struct("samples", "passes")
    return counts.map_elements(
        lambda one: 1 - comb(one["samples"] - one["passes"], k) / comb(one["samples"], k), return_dtype=pl.Float64
    )


def _majority(rows: pl.DataFrame, k: int) -> pl.DataFrame:
    """(student, item_id, maj@k); answers beyond the last whole group are left out."""
    grouped = rows.with_columns(group=pl.col("nth") // k, size=pl.len().over(AT) // k).filter(
        pl.col("group") < pl.col("size")
    )
    group = [*AT, "group"]
    votes = grouped.drop_nulls("equal_to").group_by(*group, "equal_to").agg(pl.len(), pl.col("passed").mean())
    leading = votes.filter(pl.col("len") == pl.col("len").max().over(group)).group_by(group).agg(pl.mean("passed"))
    groups = grouped.select(group).unique().join(leading, on=group, how="left")
    share = pl.col("passed").fill_null(0.0).mean().alias(f"maj@{k}")
    return groups.group_by(AT).agg(share)


def score_table(questions: pl.DataFrame, touched: pl.Series | None = None) -> pl.DataFrame:
    """EvalScores of `per_question`: over all items, and over those whose ids are not in `touched` (None: not looked
    for). There are no rows of items or metrics that do not exist."""
    sets = {"all": questions}
    if touched is not None:
        sets["untouched"] = questions.filter(~pl.col("item_id").is_in(touched.implode()))
    parts = [_scored(rows, items) for items, rows in sets.items() if rows.height]
    table = pl.concat([EvalScores.create_empty(), *parts], how="diagonal_relaxed")
    return EvalScores.cast(table.select(EvalScores.column_names()))


def _scored(questions: pl.DataFrame, items: str) -> pl.DataFrame:
    """The rows of EvalScores over one set of items, the gain of the trained student last."""
    rows, order = [], metrics(questions)
    for (student,), mine in questions.group_by("student", maintain_order=True):
        figures = {}
        for names, of in _alike(mine):
            values, count = of.select(names).to_numpy(), (of.height, of["samples"].max())
            most = np.where(np.array(names) == "tokens", values.max(axis=0), 1)
            for name, mean, ends in zip(names, means(values), intervals(values, 0, most), strict=True):
                figures[name] = (student, items, name, float(mean), *ends, *count)
        rows += [figures[name] for name in order if name in figures]
    columns = ["student", "items", "metric", "value", "ci_low", "ci_high", "questions", "samples"]
    table = pl.DataFrame(rows, schema=columns, orient="row")
    before, after = (scores_of(questions, student) for student in STUDENTS.categories)
    if before.is_empty() or after.is_empty():
        return table
    found = paired.compare(before, after)
    gain = pl.DataFrame(
        [(GAIN, items, SCORE, found.difference, found.low, found.high, found.questions, table["samples"].max())],
        schema=columns,
        orient="row",
    ).with_columns(
        differing=pl.lit(found.differing),
        p=pl.lit(found.p),
        detectable=pl.lit(found.detectable, pl.Float64),
        needed=pl.lit(found.needed, pl.UInt64),
    )
    return pl.concat([table, gain], how="diagonal_relaxed")


def _alike(questions: pl.DataFrame) -> Iterator[tuple[list[str], pl.DataFrame]]:
    """Names of metrics and the questions that have them: items with tests have no majority."""
    voting = [name for name in metrics(questions) if name.startswith("maj@")]
    yield [name for name in metrics(questions) if name not in voting], questions
    if voting and (voted := questions.drop_nulls(voting)).height:
        yield voting, voted


def scores_of(questions: pl.DataFrame, student: str) -> pl.DataFrame:
    """(item_id, score) of a student, as `paired.compare` takes them: its share of passed samples of each question."""
    return questions.filter(pl.col("student") == student).select("item_id", score=SCORE)


def question_scores(verdicts: pl.DataFrame, responses: pl.DataFrame, touched: Mapping[str, pl.Series]) -> pl.DataFrame:
    """QuestionScores of verdicts and responses with a `benchmark`; by benchmark, the ids of the items that released
    rows touch."""
    tables: list[pl.DataFrame] = [QuestionScores.create_empty()]
    for (benchmark,), mine in verdicts.group_by("benchmark", maintain_order=True):
        answers = responses.filter(benchmark=benchmark)
        questions = per_question(mine, answers, BenchmarkConsensus.create_empty())
        tables.append(
            questions.select(
                pl.col("student").cast(STUDENTS),
                pl.lit(benchmark).alias("benchmark"),
                "item_id",
                "samples",
                pl.col(SCORE).alias("score"),
                pl.col("item_id").is_in(touched[str(benchmark)].implode()).alias("touched"),
            )
        )
    return pl.concat(tables).sort("student", "benchmark", "item_id")


def gain(scores: pl.DataFrame, items: str = "all") -> paired.Paired | None:
    """The comparison of the trained with the untrained student that EvalScores hold; None where they hold none."""
    rows = scores.filter((pl.col("student") == GAIN) & (pl.col("items") == items)).to_dicts()
    if not rows:
        return None
    row = rows[0]
    return paired.Paired(
        row["questions"], row["differing"], row["value"], row["ci_low"], row["ci_high"], row["p"], row["detectable"],
        row["needed"],
    )  # fmt: skip
