"""Two students on the same questions: the difference of their scores, and what can be said of it.

Questions differ far more from one another than students do, so the score of one student is subtracted from the other's
question by question, and only the spread of these differences counts. Nothing is drawn at random without a fixed seed,
and the p-value is exact: the same scores give the same figures.

    >>> found = compare(untrained, trained)  # two frames (item_id, score); positive: the second is better
    >>> found.difference, found.low, found.high, found.p, found.detectable, found.needed, found.told_apart
    >>> sentence(found, "untrained", "trained")
    'trained is better than untrained by 42.0 points (95 % interval 32.1 to 52.0, p < 0.001; 96 questions)'
"""

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
import polars as pl

from am_assets.evaluation.bootstrap import intervals, means
from am_assets.runtime.wording import counted

VERSION = "1"  # raise when the same scores compare otherwise
LEVEL, POWER = 0.05, 0.80  # two-sided; the chance to show a difference that is there
QUANTILES = NormalDist().inv_cdf(1 - LEVEL / 2) + NormalDist().inv_cdf(POWER)
FEWEST = 6  # questions that must differ: all in one direction have p = 2 / 2**6 = 0.03, five have 0.06
# Differences are counted in units of 1 / GRID, of which a share of up to 10, of 12, 14, 15, 16, 32 or 64 samples is a
# whole number; in coarser ones where that were too much work. A rounded difference keeps its sign, or is no difference:
# a test of signs stays exact, of the rounded differences.
GRID, COARSE, MOST_WORK = 20_160, 120, 2**25


@dataclass(frozen=True)
class Paired:
    """The second student's score less the first's, over the questions that both answered. Scores are in [0, 1].

    questions   that both answered; `differing`, those with different scores
    difference  the mean difference
    low, high   its 95 % bootstrap interval over questions: what other questions of the same kind would give
    p           of the exact sign-flip test: the chance of a difference as far from 0, were the students alike
    detectable  the smallest true difference that so many questions would have shown with 80 % power at p < 0.05, by the
                spread of the differences; None where no difference or too few questions leave it unknown
    needed      how many questions would show a true difference of this size as surely; None where it is 0 or unknown
    """

    questions: int
    differing: int
    difference: float
    low: float
    high: float
    p: float
    detectable: float | None
    needed: int | None

    @property
    def told_apart(self) -> bool:
        """Whether the students differ: p below 0.05, and an interval without 0."""
        return self.p < LEVEL and (self.low > 0 or self.high < 0)


def compare(first: pl.DataFrame, second: pl.DataFrame) -> Paired:
    """The comparison of two frames (item_id, score in [0, 1]) over the items that are in both, in any order.

    `ValueError` where no item is in both, an item is there twice, or a score is outside [0, 1].
    """
    for scores in (first, second):
        if scores["item_id"].is_duplicated().any():
            raise ValueError("an item has several scores: give one score an item, such as its share of passed samples")
        if not scores["score"].is_between(0, 1).fill_null(False).all():
            raise ValueError("every score must be between 0 and 1")
    both = first.select("item_id", first="score").join(second.select("item_id", second="score"), on="item_id")
    if both.is_empty():
        raise ValueError("the two have no item in common: score both on the same benchmark")
    return of_differences((both["second"] - both["first"]).to_numpy())


def of_differences(differences: np.ndarray) -> Paired:
    """The comparison of students whose scores of each question differ by `differences`, in [-1, 1]; at least one."""
    count, mean = len(differences), float(means(differences[:, None])[0])
    ((low, high),) = intervals(differences[:, None], -1, 1)
    apart = np.abs(differences[differences != 0])
    detectable = needed = None
    if len(apart) and count >= FEWEST:
        spread = float(np.sort(np.abs(differences - mean) ** 2).sum() / (count - 1)) ** 0.5
        detectable = max(QUANTILES * spread / sqrt(count), FEWEST * float(apart.min()) / count)
        if mean:
            needed = max(ceil((QUANTILES * spread / mean) ** 2), ceil(FEWEST * count / len(apart)))
    return Paired(count, len(apart), mean, low, high, sign_flip_p(differences), detectable, needed)


def sign_flip_p(differences: np.ndarray) -> float:
    """The share of all assignments of signs to the differences whose sum is as far from 0 as that of the signs they
    have: exact, by the characteristic function of the sum instead of listing the assignments."""
    units = _whole(differences)
    total, seen = int(np.abs(units).sum()), abs(int(units.sum()))
    if seen == 0:
        return 1.0
    length = 2 * total + 1
    turns, wave = np.arange(length // 2 + 1), np.ones(length // 2 + 1)
    for size, count in zip(*np.unique(np.abs(units[units != 0]), return_counts=True), strict=True):
        wave *= np.cos(2 * np.pi / length * (turns * size % length)) ** count
    chances = np.fft.irfft(wave, length)  # of each sum, the negative ones at the end
    least = 2.0 ** (1 - np.count_nonzero(units))  # smaller ones are the rounding of the transform
    return float(np.clip(2 * chances[seen : total + 1].sum(), least, 1))


def _whole(differences: np.ndarray) -> np.ndarray:
    """The differences in whole numbers of their largest common unit."""
    units = np.rint(differences * GRID).astype(np.int64)
    units //= max(int(np.gcd.reduce(units)), 1)
    if np.abs(units).sum() * len(np.unique(np.abs(units))) <= MOST_WORK:
        return units
    return np.rint(differences * COARSE).astype(np.int64)


def sentence(found: Paired, first: str, second: str) -> str:
    """What can be said, in one sentence without a full stop; `first` and `second` are the students' names."""
    questions, few = counted(found.questions, "question"), "are" if found.questions > 1 else "is"
    if found.told_apart:
        way, sign = ("better", 1) if found.difference > 0 else ("worse", -1)
        by = _points(sign * found.difference)
        return f"{second} is {way} than {first} by {by} points ({_measured(found, sign)}; {questions})"
    said = f"{first} and {second} can't be told apart: {_points(found.difference, '+')} points ({_measured(found)})"
    if found.detectable is None:
        return f"{said}; {questions}, of which {found.differing:,} differ, {few} too few to show any"
    could = f"; {questions} could have shown {_points(found.detectable)} points"
    return f"{said}{could}" + (f", this difference would take about {found.needed:,}" if found.needed else "")


def _measured(found: Paired, sign: int = 1) -> str:
    low, high = sorted((sign * found.low, sign * found.high))
    return f"95 % interval {_points(low)} to {_points(high)}, {p_value(found.p)}"


def _points(share: float, sign: str = "") -> str:
    return f"{round(100 * share, 1) + 0.0:{sign}.1f}"  # + 0.0: no -0.0


def p_value(p: float) -> str:
    """p = 0.03, or p < 0.001.

    >>> p_value(0.0312)
    'p = 0.031'
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
