"""Reports of experiments: what each variant of a recipe came to, and what can be concluded from its student's scores.

Students are compared question by question (`paired.py`), each with that of the first variant. One of many comparisons
looks like a difference by chance alone, so p-values count as Holm corrects them for the number of comparisons.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from am_assets.evaluation import report
from am_assets.evaluation.bootstrap import intervals, means
from am_assets.evaluation.differences import Difference, differences
from am_assets.evaluation.paired import LEVEL, p_value
from am_assets.storage.schemas import ExperimentReport

VERSION = "1"  # raise when the same tables report or conclude otherwise


@dataclass(frozen=True)
class Variant:
    """What one variant came to.

    released   SftDataset, at least category and difficulty
    verified   VerifiedSet
    checkpoint a row of SftCheckpoint: its path, rows, steps and tokens
    scores     QuestionScores
    """

    name: str
    released: pl.DataFrame
    verified: pl.DataFrame
    checkpoint: dict
    scores: pl.DataFrame

    def trained(self, benchmark: str) -> pl.DataFrame:
        return self.scores.filter(student="trained", benchmark=benchmark)


def experiment_report(variants: list[Variant], responses: pl.DataFrame) -> pl.DataFrame:
    """ExperimentReport of at least two variants, the first of which the others are compared with. `responses`
    (response_id, completion_tokens, cost) holds at least those of the variants.

    `ValueError` where a variant was not scored on a benchmark that another was scored on.
    """
    benchmarks = sorted({name for variant in variants for name in variant.scores["benchmark"].unique()})
    for variant in variants:
        if lacking := sorted({*benchmarks} - {*variant.scores["benchmark"].unique()}):
            raise ValueError(f"{variant.name} has no scores on {', '.join(lacking)} yet")
    rows = [row for variant in variants for row in _figures(variant, responses)]
    rows += [_score(variant, benchmark) for benchmark in benchmarks for variant in variants]
    rows += _differences(variants, benchmarks)
    return pl.DataFrame(rows, schema=ExperimentReport.create_empty().schema, orient="row")


def conclusion(table: pl.DataFrame) -> str:
    """What an ExperimentReport allows to conclude, in one sentence."""
    said = dict.fromkeys(table.filter(part="difference", items="all")["said"])
    return f"{'; '.join(said)}." if said else "Nothing can be concluded: no student was scored."


def _figures(variant: Variant, responses: pl.DataFrame) -> Iterator[dict]:
    """Rows, mix and cost."""
    costs = report.teacher_costs(responses, variant.verified)
    figures: dict[str, dict[str, Any]] = {
        "rows": {"responses": variant.verified.height, "released": variant.released.height},
        "category": _counts(variant.released["category"]),
        "difficulty": _counts(variant.released["difficulty"]),
        "cost": {"dollars": costs["cost"].sum(), "completion_tokens": costs["completion_tokens"].sum()},
        "training": {name: variant.checkpoint[name] for name in ("rows", "steps", "tokens")},
    }
    for part, values in figures.items():
        for name, value in values.items():
            yield {"variant": variant.name, "part": part, "name": name, "items": "all", "value": float(value)}


def _counts(column: pl.Series) -> dict[str, int]:
    counts = column.value_counts().sort(column.name)  # in the order of its enum
    return dict(counts.cast({column.name: pl.String}).rows())


def _score(variant: Variant, benchmark: str) -> dict:
    values = variant.trained(benchmark).select("score").to_numpy()
    ((low, high),) = intervals(values, 0, 1)
    return _row(variant.name, "score", benchmark, "all", float(means(values)[0]), low, high, len(values))


def _differences(variants: list[Variant], benchmarks: list[str]) -> Iterator[dict]:
    """The student of each variant less that of the first."""
    first, *others = variants
    found = [
        (benchmark, variant, one)
        for benchmark in benchmarks
        for scores in [{each.name: each.trained(benchmark).select("item_id", "score") for each in variants}]
        for touched in [{each.name: each.trained(benchmark).filter("touched")["item_id"] for each in variants}]
        for variant in others
        for one in differences(first.name, variant.name, scores, touched)
    ]
    is_one = {each.name: each.checkpoint["path"] == first.checkpoint["path"] for each in others}
    tested = [one.found.p for _, variant, one in found if one.items == "all" and not is_one[variant.name]]
    for benchmark, variant, one in found:
        is_tested = one.items == "all" and not is_one[variant.name]
        by_holm = holm(tested)[one.found.p] if is_tested else one.found.p
        said = f"on {benchmark}, {_sentence(one, by_holm, len(tested))}"
        if is_one[variant.name]:
            said = f"{one.second} and {one.first} trained one and the same student, as their rows are the same"
        measured = one.found
        row = _row(one.second, "difference", benchmark, one.items, measured.difference, measured.low, measured.high,
                   measured.questions)  # fmt: skip
        yield row | {"p": measured.p, "detectable": measured.detectable, "needed": measured.needed, "said": said}


def holm(ps: list[float]) -> dict[float, float]:
    """By p-value of several tests what it is by the method of Holm, at most 1.

    >>> holm([0.01, 0.04])
    {0.01: 0.02, 0.04: 0.04}
    """
    corrected: dict[float, float] = {}
    most = 0.0
    for nth, p in enumerate(sorted(ps)):
        most = max(most, min(1.0, p * (len(ps) - nth)))
        corrected.setdefault(p, most)
    return corrected


def _sentence(one: Difference, by_holm: float, tests: int) -> str:
    if one.found.told_apart and by_holm >= LEVEL:
        return (
            f"{one.first} and {one.second} can't be told apart: {100 * one.found.difference:+.1f} points and"
            f" {p_value(one.found.p)} are nothing rare among {tests} comparisons ({p_value(by_holm)} by Holm)"
        )
    return one.sentence


def _row(variant: str, part: str, name: str, items: str, value: float, low: float, high: float, count: int) -> dict:
    at = {"variant": variant, "part": part, "name": name, "items": items}
    return at | {"value": value, "ci_low": float(low), "ci_high": float(high), "questions": count}
