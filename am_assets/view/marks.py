"""What people say of answers: right, wrong or unsure, with a note. Kept in `data/marks.jsonl`, which only grows.

A mark is about the answer, not about its verdict, so that it stays true when a verifier or a recipe changes: how far
the verdicts agree with people is counted anew from what is stored. No table reads marks, so none goes stale by one.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from am_assets.config.files import ConfigError
from am_assets.verification.judges import EVERY, figures

FILE = "marks.jsonl"
SAYS = {"right": "the answer is right", "wrong": "the answer is wrong", "unsure": "I can't tell", "cleared": "no mark"}
TOLD = {"right": True, "wrong": False}
MOST_CHARS = 2_000  # of a note


@dataclass(frozen=True)
class Mark:
    """`id`: of the response; `says`: one of SAYS, where `cleared` takes an earlier mark back."""

    id: str
    question_id: str
    says: str
    note: str
    at: str  # ISO 8601, UTC


def add(data: Path, mark: Mark) -> None:
    """Appends one line, which is on disk when this returns. A line that an earlier crash cut off is ended first."""
    line = json.dumps(asdict(mark), ensure_ascii=False).encode() + b"\n"
    handle = os.open(data / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, (b"\n" if torn else b"") + line)
        os.fsync(handle)
    finally:
        os.close(handle)


def read(data: Path) -> dict[str, Mark]:
    """The last mark of each response, without those taken back. `ConfigError` names a line that is no mark; a last line
    that a crash cut off is passed over."""
    path = data / FILE
    if not path.exists():
        return {}
    lines = path.read_text(errors="replace").split("\n")
    found: dict[str, Mark] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        mark = _mark(line)
        if mark is None:
            if number == len(lines) or _cut_off(line):
                continue
            raise ConfigError(f"{path}: line {number}: no mark: {line[:60]!r}; remove the line or mend it")
        found[mark.id] = mark
    return {key: mark for key, mark in found.items() if mark.says != "cleared"}


def _mark(line: str) -> Mark | None:
    try:
        mark = Mark(**json.loads(line))
    except (ValueError, TypeError):
        return None
    return mark if mark.says in SAYS and all(isinstance(value, str) for value in asdict(mark).values()) else None


def _cut_off(line: str) -> bool:
    """Whether a line begins as `add` writes them, and does not end so."""
    return line.startswith('{"id": ') and not line.endswith("}")


def judged(marks: Iterable[Mark], verified: pl.DataFrame) -> pl.DataFrame:
    """(kind, category, truth, says) of the responses of a recipe that people call right or wrong: what decided on them,
    whether the answer is right, and whether its verdict is pass (null for unverifiable). `verified`: response_id,
    evidence, category and verdict of a VerifiedSet."""
    schema = {"response_id": pl.String, "truth": pl.Boolean}
    told = pl.DataFrame([(mark.id, TOLD[mark.says]) for mark in marks if mark.says in TOLD], schema, orient="row")
    passes = pl.when(pl.col("verdict") != "unverifiable").then(pl.col("verdict") == "pass")
    rows = told.join(verified, on="response_id")
    return rows.select(pl.col("evidence").alias("kind"), pl.col("category").cast(pl.String), "truth", says=passes)


def agreement(rows: pl.DataFrame) -> pl.DataFrame:
    """(kind, category, rows, right, wrong, accuracy, false_pass, false_fail, untold) of `judged` rows, for all,
    each kind and each category of it: how often verdicts say what people say. `right` and `wrong` are people's words;
    `untold` are the rows without a verdict, which count in no share."""
    every = pl.lit(EVERY)
    grouped = [rows.with_columns(kind=every, category=every), rows.with_columns(category=every), rows]
    counted = pl.concat([part.with_columns(level=pl.lit(level)) for level, part in enumerate(grouped)])
    untold = counted.group_by("level", "kind", "category").agg(untold=pl.col("says").is_null().sum())
    table = figures(counted.drop_nulls("says"), "level", "kind", "category")
    joined = untold.join(table, on=["level", "kind", "category"], how="left")
    found = joined.with_columns(pl.col("rows", "right", "wrong").fill_null(0))
    return (
        found.sort(pl.col("kind") != EVERY, "kind", "level", "category")
        .drop("level")
        .select(*["kind", "category", "rows", "right", "wrong", "accuracy", "false_pass", "false_fail", "untold"])
    )


def cases(marks: Mapping[str, Mark], rows: pl.DataFrame) -> list[dict[str, str]]:
    """Test cases in the form that `am verify` reads, a row for each answer that people call right or wrong, by id:
    id, kind, question, answer, what it is held against, `right` (the verdict that is due), `verdict`, note.

    `rows` (response_id, kind, verdict, question, answer, reference, test_cases, constraints); null where absent."""
    found = []
    for row in rows.sort("response_id").to_dicts():
        mark = marks.get(row["response_id"])
        if mark is None or mark.says not in TOLD:
            continue
        case = {"id": row["response_id"], **{name: value for name, value in row.items() if name != "response_id"}}
        case |= {"right": "pass" if TOLD[mark.says] else "fail", "note": mark.note}
        found.append({name: value for name, value in case.items() if value})
    return found
