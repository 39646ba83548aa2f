"""The language a text is in, by py3langid's bundled model."""

from functools import cache
from typing import Any

import polars as pl

HEAD_CHARS = 300
UNDETERMINED = "und"
MIN_CONFIDENCE = 0.35  # formulas look like any language: without it, one question of MATH in twenty was not English


def languages(texts: pl.Series) -> pl.Series:
    """ISO 639-1 of the first characters of each text; `und` where they hold no letter or the model is not sure."""
    heads = texts.str.slice(0, HEAD_CHARS)
    lettered = heads.str.contains(r"\p{L}")
    found = [_identifier().classify(head)[0] if ok else UNDETERMINED for head, ok in zip(heads, lettered, strict=True)]
    return pl.Series(texts.name, found, dtype=pl.String)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=MIN_CONFIDENCE)
    identifier.set_languages([label for label in identifier.nb_classes if len(label) == 2])
    return identifier
