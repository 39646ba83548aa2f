"""The identity of a question: its normalized text, and the id hashed from that.

Only identity belongs here; similarity (cosine, shared n-grams) is measured in `selection/`. A change of these rules
gives every question another id, so that nothing measured before is found in the memo again.
"""

import unicodedata
from hashlib import sha256

import polars as pl

ID_CHARS = 32


def normalize(text: str) -> str:
    """`text` in NFKC, case-folded, with runs of whitespace as one space; idempotent.

    Case folding can undo NFKC (of U+0345, for one), so NFKC is applied again after it.

    >>> normalize("  What IS\n2²?")
    'what is 22?'
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def asks(text: str) -> bool:
    """Whether a text says anything: placeholders for a question that a file may not show are `-` or `...`."""
    return any(unicodedata.category(char)[0] in "LNS" for char in text)


def question_id(text: str) -> str:
    """The first 32 hex characters of the sha256 of the normalized text."""
    return sha256(normalize(text).encode()).hexdigest()[:ID_CHARS]


def question_ids(texts: pl.Series) -> pl.Series:
    """`question_id` of each text, in order; no text may be null. A million ASCII questions take about 5 s."""
    return pl.Series(texts.name, [question_id(text) for text in texts], dtype=pl.String)
