"""Screens of questions and responses before release: secrets, personal data, what a teacher says of itself, refusals.

A screen measures: what was found, and in which part. Which screens drop a response is decided by the recipe
(`verification.screens`). Nothing of a key and little of an address is stored.

    >>> response_screens([parts.split(responses)], raw_pool)["screens"].to_list()
    [[], ['self_naming']]
"""

from collections.abc import Iterable, Iterator

import polars as pl

from am_assets.config.vocabulary import PARTS, SCREENS
from am_assets.datasets.checks import HAS_TESTS
from am_assets.storage.schemas import ResponseScreens
from am_assets.verification.screens import keys, naming, personal, refusal, unsafe
from am_assets.verification.screens.base import OVERLAP, PIECE, Screen

VERSION = "3"  # raise when a screen finds otherwise or shows otherwise

BY_PATTERN: tuple[Screen, ...] = (keys.SCREEN, personal.SCREEN, *naming.SCREENS, refusal.SCREEN)
CODE = r"(?s)```.*?(?:```|\z)|~~~.*?(?:~~~|\z)|`[^`\n]{1,200}`"
NOBODY = pl.DataFrame(schema=dict.fromkeys(["response_id", "model", "text"], pl.String))
FINDING = pl.Schema({"screen": pl.Enum(SCREENS), "part": pl.Enum(PARTS), "shown": pl.String()})


def response_screens(
    responses: Iterable[pl.DataFrame], raw_pool: pl.LazyFrame, judged: pl.DataFrame = NOBODY
) -> pl.DataFrame:
    """ResponseScreens of one shard, sorted by response_id: the first finding of each screen in each part. `responses`
    are frames of response_id, question_id, response, and its parts think and answer; `judged` (response_id, model,
    text) are replies to the requests of `unsafe.py`.

    A response that has no answer part is screened as a whole. Only texts with a hint of a finding are held in memory.
    """
    tasks = raw_pool.filter(HAS_TESTS).select("question_id").collect()["question_id"].implode()
    none = {"response_id": pl.String(), "question_id": pl.String()}
    ids, found = [pl.DataFrame(schema=none)], [unsafe.findings(judged)]
    for frame in responses:
        ids.append(frame.select(*none))
        texts = frame.lazy().with_columns(
            pl.coalesce("answer", "response"), code_task=pl.col("question_id").is_in(tasks)
        )
        found += [_findings(part, texts.select("response_id", part, "code_task")) for part in ("think", "answer")]
    every = pl.concat(ids)
    of_questions = _findings("question", raw_pool.select("question_id", "question", code_task=HAS_TESTS))
    found.append(of_questions.join(every, on="question_id").drop("question_id"))
    by_response = pl.concat(found, how="diagonal").sort("response_id", "screen", "part").group_by("response_id")
    listed = by_response.agg(screens=pl.col("screen").unique().sort(), findings=pl.struct(*FINDING))
    return (
        every.join(listed, on="response_id", how="left")
        .with_columns(pl.col("screens", "findings").fill_null([]))
        .select(ResponseScreens.column_names())
        .sort("response_id")
    )


def _findings(part: str, texts: pl.LazyFrame) -> pl.DataFrame:
    """FINDING and the first column of `texts` (an id, `part`, code_task): the first confirmed piece of each text."""
    key = texts.collect_schema().names()[0]
    screens = [one for one in BY_PATTERN if part in one.parts]
    suspects = texts.filter(pl.any_horizontal(_hinted(one, part) for one in screens)).collect(engine="streaming")
    found = [
        (row, one.name, part, shown)
        for one in screens
        for (row,), pieces in _pieces(one, part, suspects).group_by(key, maintain_order=True)
        if (
            shown := next((shown for piece in pieces[part] for cut in _cut(piece) if (shown := one.confirm(cut))), None)
        )
    ]
    return pl.DataFrame(found, {key: pl.String(), **FINDING}, orient="row")


def _hinted(one: Screen, part: str) -> pl.Expr:
    return pl.any_horizontal(pl.col(part).str.contains(hint) for hint in one.hints).fill_null(False)


def _pieces(one: Screen, part: str, suspects: pl.DataFrame) -> pl.DataFrame:
    """`suspects` with a row for each line that has a hint, or for each hint, as the screen wants."""
    text = pl.col(part)
    rows = suspects.filter(_hinted(one, part) & (~pl.col("code_task") if one.prose else True))
    if not one.lines:
        hints = pl.concat_list(text.str.extract_all(hint) for hint in one.hints)
        return rows.with_columns(hints.list.unique(maintain_order=True).alias(part)).explode(part)
    prose = text.str.replace_all(CODE, " ") if one.prose else text
    return rows.with_columns(prose.str.split("\n").alias(part)).explode(part).filter(_hinted(one, part))


def _cut(line: str) -> Iterator[str]:
    return (line[start : start + PIECE] for start in range(0, max(len(line) - OVERLAP, 1), PIECE - OVERLAP))
