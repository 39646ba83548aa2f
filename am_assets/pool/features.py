"""Features of questions that need no language model: lengths, script, language, completeness, available checks.

Measurements only; the recipe decides which of them makes a question unsuitable.
"""

from collections.abc import Mapping

import polars as pl

from am_assets.datasets.checks import CHECKS
from am_assets.datasets.published import SAID
from am_assets.engines.models.language import languages

VERSION = 6  # raise when a feature comes out differently
# A truncated ending: a comma, an open bracket, or a word that needs another one after it.
DANGLING = (
    r"[,(\[{]\s*$"
    r"|\b(a|an|the|of|and|or|but|nor|than|because|if|whether|whose|into|its|their|your|our|every|each)[\s…]*$"
)
# A text with sentence ends, but none at its end. A text without full stops may lack the last one too.
SENTENCE_END = r"[^\s.?!:][.?!]\s"
OPEN_END = r"\p{Ll}\s*$"
URL = r"(?i)\bhttps?://\S|\bwww\.[a-z0-9-]+\.[a-z]"
IMAGE = (
    r"(?i)!\[[^\]]*\]\(|<img\b|\[asy\]|\\includegraphics"
    r"|\b(figure|image|picture|diagram|photo|graph|chart)\s+(shown\s+|given\s+)?(below|above)\b"
    r"|\b(in|see|from)\s+the\s+(figure|image|picture|diagram|photo)\b|\b(shown|depicted)\s+in\s+the\s+\w+\s*(figure|image)"
)
TABLE = r"(?i)<table\b|\\begin\{tabular\}|(?m)^\s*\|.+\|.+\|\s*$"


def question_features(pool: pl.DataFrame, verifiers: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """QuestionFeatures of RawPool rows, in their order; by verifier, `verifiers` says whether it verifies the answers.

    Includes what decisions need of references, tests and published responses, so that they need not read those texts.

    >>> question_features(raw_pool, applicable()).select("question_id", "language", "complete", "verifiers")
    """
    text = pl.col("question")
    names = [pl.when(applies).then(pl.lit(name)) for name, applies in verifiers.items()]
    return pool.select(
        "question_id",
        chars=text.str.len_chars(),
        words=text.str.count_matches(r"\S+"),
        ascii_share=text.map_batches(_latin_share, return_dtype=pl.Float32),
        language=text.map_batches(languages, return_dtype=pl.String),
        complete=~(_cut_off(text) | _unclosed(text)),
        has_url=text.str.contains(URL),
        has_image=text.str.contains(IMAGE),
        has_table=text.str.contains(TABLE),
        has_check=pl.any_horizontal(*CHECKS.values()),
        verifiers=pl.concat_list(names).list.drop_nulls(),
        published=SAID,
        license="license",
    )


def _latin_share(texts: pl.Series) -> pl.Series:
    """The share of Latin letters among all letters; 1 without letters. ASCII texts, which are most, have a share of 1
    without counting, which is slow."""
    plain = texts.str.len_bytes() == texts.str.len_chars()
    counted = texts.filter(~plain)
    share = counted.str.count_matches(r"\p{Latin}") / counted.str.count_matches(r"\p{L}")
    return pl.repeat(1.0, len(texts), dtype=pl.Float32, eager=True).scatter(
        (~plain).arg_true(), share.fill_nan(1.0).cast(pl.Float32)
    )


def _cut_off(text: pl.Expr) -> pl.Expr:
    unended = (text.str.count_matches(SENTENCE_END) >= 2) & text.str.contains(OPEN_END)
    return text.str.contains(DANGLING) | unended


def _unclosed(text: pl.Expr) -> pl.Expr:
    """Is a LaTeX environment, a displayed formula or a code block opened but not closed?"""
    begun = text.str.count_matches(r"\\begin\{") > text.str.count_matches(r"\\end\{")
    formulas = text.str.replace_all(r"\\\$", "S").str.count_matches(r"\$\$")
    return begun | (formulas % 2 == 1) | (text.str.count_matches("```") % 2 == 1)
