"""What others do against contamination, as they do it: the usual 8-gram script and a ratio of characters."""

import re
from collections.abc import Sequence

RATIO = 95
N = 8


def shares_8_gram(texts: Sequence[str], items: Sequence[str]) -> list[bool]:
    """Any word 8-gram in common, lowercased and without punctuation: a text under 8 words never matches."""
    known = {gram for item in items for gram in _grams(item)}
    return [not known.isdisjoint(_grams(text)) for text in texts]


def alike(texts: Sequence[str], items: Sequence[str], ratio: float = RATIO) -> list[bool]:
    """rapidfuzz's ratio to any item at or above `ratio`."""
    try:
        from rapidfuzz import fuzz, process
    except ImportError:
        raise SystemExit("this comparison needs rapidfuzz: pip install rapidfuzz==3.14.6") from None
    found = []
    for start in range(0, len(texts), 1000):  # of a matrix of texts by items
        scores = process.cdist(texts[start : start + 1000], items, scorer=fuzz.ratio, score_cutoff=ratio)
        found += (scores >= ratio).any(axis=1).tolist()
    return found


def _grams(text: str) -> set[tuple[str, ...]]:
    words = re.sub(r"[^\w\s]", "", text.lower()).split()
    return {tuple(words[at : at + N]) for at in range(len(words) - N + 1)}
