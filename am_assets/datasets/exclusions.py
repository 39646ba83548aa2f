"""`exclude.txt` beside the sources file: what is taken out of the project, by id or by text (takedowns, personal data).

A line is the id of a question or of a response (32 hex digits) or a text; blank lines and those that begin with `#` are
comments. The lines themselves belong in no log, metadata or message: only their number and `Exclusions.version`.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.config.vocabulary import EXCLUDED
from am_assets.datasets.identity import question_id
from am_assets.datasets.published import published, response_ids

FILE = "exclude.txt"
LEAST_CHARS = 8  # of a text: a shorter one would take out half of the pool
ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
TEXTS = ["question", "reference_answer", "test_cases", "constraints", "extra"]  # of RawPool


@dataclass(frozen=True)
class Exclusions:
    """The ids and the texts that `exclude.txt` lists."""

    ids: frozenset[str] = frozenset()
    texts: tuple[str, ...] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.ids or self.texts)

    @cached_property
    def version(self) -> str:
        """A hash of the lines, whatever their order; empty where there are none."""
        lines = sorted({*self.ids, *self.texts})
        return sha256(json.dumps(lines).encode()).hexdigest()[:12] if lines else ""

    @cached_property
    def question_ids(self) -> list[str]:
        """The listed ids, and those of questions that a line is the whole text of."""
        return sorted({*self.ids, *map(question_id, self.texts)})

    @cached_property
    def spelled(self) -> list[str]:
        """The texts as they are, and as they are written within JSON."""
        return spellings(self.texts)

    def in_text(self, column: str) -> pl.Expr:
        """Whether a column of texts contains one of them, in capital or small letters; null as false."""
        if not self.texts:
            return pl.lit(False)
        return pl.col(column).str.contains_any(self.spelled, ascii_case_insensitive=True).fill_null(False)


NOTHING = Exclusions()


def spellings(texts: Iterable[str]) -> list[str]:
    escaped = ((text, *(json.dumps(text, ensure_ascii=ascii)[1:-1] for ascii in (False, True))) for text in texts)
    return list(dict.fromkeys(one for several in escaped for one in several))


def load_exclusions(folder: Path) -> Exclusions:
    """What `exclude.txt` in a folder lists, nothing where there is no such file; `ConfigError` names file and line."""
    path = folder / FILE
    if not path.exists():
        return NOTHING
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from None
    listed = {number: line for number, line in enumerate(lines, start=1) if line and not line.startswith("#")}
    for number, line in listed.items():
        if len(line) < LEAST_CHARS:
            raise ConfigError(
                f"{path}, line {number}: a text of fewer than {LEAST_CHARS} characters would take out rows that merely"
                " happen to contain it: write more of the text, or the id of a question or of a response"
            )
    ids = {line.lower() for line in listed.values() if ID.fullmatch(line)}
    texts = {line for line in listed.values() if not ID.fullmatch(line)}
    return Exclusions(frozenset(ids), tuple(sorted(texts)))


def exclude(pool: pl.DataFrame, exclusions: Exclusions) -> pl.DataFrame:
    """`pool` (RawPool) without what is excluded, in the same order.

    An excluded question keeps its id, source and copies, and has the defect `excluded`. An excluded published response
    keeps its place as a null, so that the ids of those beside it stay.
    """
    if not exclusions:
        return pool
    listed = pl.col("question_id").is_in(exclusions.question_ids)
    gone = pl.any_horizontal(listed, *map(exclusions.in_text, TEXTS))
    blank = {"question": pl.lit(""), "published": pl.lit([], pool.schema["published"]), "defect": pl.lit(EXCLUDED)}
    blank |= {name: pl.lit(None, pl.String) for name in (*TEXTS[1:], "license")}
    blanked = pool.with_columns(
        pl.when(gone).then(value).otherwise(pl.col(name)).alias(name) for name, value in blank.items()
    )
    return _without_responses(blanked, exclusions)


def _without_responses(pool: pl.DataFrame, exclusions: Exclusions) -> pl.DataFrame:
    found = without(published(pool), exclusions).filter(finish_reason=EXCLUDED)
    if not found.height:
        return pool
    hit = pool.join(found.select("question_id").unique(), on="question_id", how="semi")
    kept = without(published(hit), exclusions)
    text = pl.when(pl.col("finish_reason") != EXCLUDED).then("response").alias("response")
    lists = kept.group_by("question_id", maintain_order=True).agg(kept=pl.struct("teacher", text))
    joined = pool.join(lists, on="question_id", how="left", maintain_order="left")
    return joined.with_columns(published=pl.coalesce("kept", "published")).drop("kept")


def without(responses: pl.DataFrame, exclusions: Exclusions) -> pl.DataFrame:
    """`responses` (`published.IDENTITY`, finish_reason and any others) in order, those excluded with an empty text and
    the finish reason `excluded`."""
    if exclusions:
        listed = response_ids(responses).is_in(list(exclusions.ids)) if exclusions.ids else pl.lit(False)
        gone = pl.any_horizontal(listed, exclusions.in_text("response"), pl.col("finish_reason") == EXCLUDED)
        blank = {"response": pl.lit(""), "finish_reason": pl.lit(EXCLUDED)}
        responses = responses.with_columns(
            pl.when(gone).then(value).otherwise(pl.col(name)).alias(name) for name, value in blank.items()
        )
    return responses
