"""What makes two texts the same question: the normalized text and the id hashed from it.

Only identity belongs here. Likeness (cosine, shared n-grams) is measured in `selection/`. Changing a line of this file
renames every question and so forgets everything ever measured about them.
"""

import unicodedata
from hashlib import sha256

import polars as pl

ID_CHARS = 32


def normalize(text: str) -> str:
    """`text` without what does not make it another question: compatibility forms, case, runs of whitespace.

    Idempotent. Case folding can undo NFKC (of U+0345, for one), so NFKC is applied again after it.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def question_id(text: str) -> str:
    """The first 32 hex characters of the sha256 of the normalized text: equal exactly where `normalize` is equal."""
    return sha256(normalize(text).encode()).hexdigest()[:ID_CHARS]


def question_ids(texts: pl.Series) -> pl.Series:
    """`question_id` of each text, in order; no text may be null. A million ASCII questions take about 5 s."""
    return pl.Series(texts.name, [question_id(text) for text in texts], dtype=pl.String)
