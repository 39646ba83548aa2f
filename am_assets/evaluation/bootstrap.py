"""Bootstrap intervals of means over questions.

Questions are resampled, not answers, as the samples of a question are not independent: an interval says what other
questions of the same kind would give, and more samples of the same questions narrow it only so far.
"""

from collections.abc import Iterator

import numpy as np

VERSION = "1"  # raise when the same scores give another interval
RESAMPLES = 2_000  # pairs of them
SEED = 0
TAIL = 0.025
DECIMALS = 9  # of a mean or an end: further ones differ between processors
BLOCK = 4_000_000  # draws at once


def intervals(scores: np.ndarray, least: float, most: float | np.ndarray) -> list[tuple[float, float]]:
    """The 95 % intervals (low, high) of the means of the columns of `scores` (questions by figures), between `least`
    and `most` (one for all, or one a column).

    Resamples of scores that are all equal show nothing of others: then up to q of all questions may be of another kind,
    of which none was met with a chance of `TAIL`, (1 - q)**n, and the interval goes so far towards either bound. Of 0
    of 50 passed it is 0 to 0.07.

    Deterministic, and the same in any order of the questions. Each resample comes with its mirror, which draws the i-th
    largest score where that drew the i-th smallest: so the interval of scores with the other sign is the mirror image.
    `ValueError` without questions or for a score outside [`least`, `most`].
    """
    if not len(scores) or not ((scores >= least) & (scores <= most)).all():
        raise ValueError(f"an interval needs at least one score, and every score between {least} and {most}")
    ordered, count, mean = np.sort(np.asarray(scores, np.float64), axis=0), len(scores), means(scores)
    drawn = np.sort(np.concatenate(list(_resampled(ordered))), axis=0)
    at = int(TAIL * len(drawn))
    widen = np.sqrt(count / max(count - 1, 1))  # resamples spread less than other questions would
    unmet = np.where(ordered[0] == ordered[-1], 1 - TAIL ** (1 / count), 0)
    low = np.minimum(mean + widen * (drawn[at] - mean), mean - unmet * (mean - least)).clip(least, most)
    high = np.maximum(mean + widen * (drawn[-1 - at] - mean), mean + unmet * (most - mean)).clip(least, most)
    return [(float(one), float(other)) for one, other in zip(low.round(DECIMALS), high.round(DECIMALS), strict=True)]


def means(scores: np.ndarray) -> np.ndarray:
    """The means of the columns of `scores`: the same in any order of the rows, and with the other sign where all scores
    have the other sign."""
    ordered = np.sort(np.asarray(scores, np.float64), axis=0)
    return ((ordered.mean(axis=0) + ordered[::-1].mean(axis=0)) / 2).round(DECIMALS)


def _resampled(ordered: np.ndarray) -> Iterator[np.ndarray]:
    """The means of the resamples, by blocks."""
    count, random = len(ordered), np.random.default_rng(SEED)
    for start in range(0, RESAMPLES, step := max(BLOCK // count, 1)):
        draws = random.multinomial(count, np.full(count, 1 / count), size=min(step, RESAMPLES - start))
        yield draws @ ordered / count
        yield draws @ ordered[::-1] / count
