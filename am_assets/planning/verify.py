"""Verdicts of rows of any file, without a project, a graph or a memo: what the verifiers say of each row, in order.

with kept.keep_open():
    for told in verdicts(read_records(path), Settings()):
        print([row["verdict"] for row in told])
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Thread
from typing import Any

import polars as pl

from am_assets.config.instruments import Instruments
from am_assets.config.recipe import VerificationPolicy
from am_assets.datasets.adapters.base import any_of, constraints
from am_assets.datasets.cases import canonical
from am_assets.datasets.chats import is_chat, is_reply, read_chat, reply
from am_assets.datasets.columnar import Record
from am_assets.datasets.values import ABSENT, BROKEN, SHORT, Fault, parsed, scalar, scalars, walk
from am_assets.distillation import parts
from am_assets.verification.settle import settled, with_verifier
from am_assets.verification.verifiers import VERIFIERS, Verifier, applicable

# What is read of a row, and under which names where `columns` names no path; the first that a row has counts.
FIELDS = {
    "id": ("id",),
    "answer": ("answer",),
    "response": ("response", "messages"),
    "reference": ("reference", "reference_answer", "ground_truth"),
    "test_cases": ("test_cases", "test_case", "tests"),
    "constraints": ("constraints",),
}
NOTHING = "nothing to verify by: the row has no reference, test_cases or constraints; --column names another place"
NOT_ASKED = "its verifier was not asked for"
READ = {"answer": pl.String(), "reference_answer": pl.String(), "test_cases": pl.String(), "constraints": pl.String()}
FIRST_ROWS, MOST_ROWS = 8, 256  # of a chunk: few at first, so that something is said soon
AHEAD = 2  # chunks that are verified at once, so that no worker waits for the slowest row of a chunk
TICK = 0.02  # seconds


def default_limits() -> dict[str, Any]:
    """The sections of instruments that verifiers read, as a project has them that names none."""
    return {one.section: Instruments.model_fields[one.section].get_default() for one in VERIFIERS.values()}


@dataclass(frozen=True)
class Settings:
    """How rows are read and verified: paths by field of FIELDS, a section of the instruments for each verifier, the
    rules of a recipe on their verdicts, and which verifiers are asked."""

    columns: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=default_limits)
    policy: VerificationPolicy = field(default_factory=VerificationPolicy)
    only: tuple[str, ...] = tuple(VERIFIERS)


def verdicts(records: Iterable[tuple[int, Record | Fault]], settings: Settings) -> Iterator[list[dict[str, Any]]]:
    """The verdict of each record, in order, in lists as they become known: line, id (where the row has one), verifier,
    verdict, reason, extracted, seconds, and for code and constraints the outcomes.

    A row that can't be read is unverifiable, `row: …`. Memory is bounded by 2 * MOST_ROWS rows that wait and AHEAD
    chunks, whatever the number of rows.
    """
    with ThreadPoolExecutor(AHEAD) as pool:
        ahead: deque[Future[list[dict[str, Any]]]] = deque()
        for chunk in _chunks(records):
            if chunk:
                ahead.append(pool.submit(_verified, chunk, settings))
            while ahead and (len(ahead) == AHEAD or ahead[0].done()):
                yield ahead.popleft().result()
        for future in ahead:
            yield future.result()


def _chunks(records: Iterable[tuple[int, Any]]) -> Iterator[list[tuple[int, Any]]]:
    """The records in lists of as many as are there, so that a caller gets the verdict on a row before it sends the
    next one; an empty list every TICK in which none came."""
    arrived: Queue[Any] = Queue(2 * MOST_ROWS)
    Thread(target=_read, args=(records, arrived), daemon=True).start()
    chunk: list[tuple[int, Any]] = []
    most, ended = FIRST_ROWS, False
    while not ended:
        try:
            record = arrived.get(timeout=None if chunk else TICK)
            ended = not isinstance(record, tuple)
            chunk += [] if ended else [record]
        except Empty:
            yield []
        if chunk and (ended or len(chunk) == most or arrived.empty()):
            yield chunk
            chunk, most = [], min(2 * most, MOST_ROWS)
    if record is not None:
        raise record


def _read(records: Iterable[tuple[int, Any]], arrived: Queue[Any]) -> None:
    """Puts the records, and then None or the error that ended them."""
    end = None
    try:
        for record in records:
            arrived.put(record)
    except Exception as error:
        end = error
    arrived.put(end)


def _verified(chunk: list[tuple[int, Record | Fault]], settings: Settings) -> list[dict[str, Any]]:
    read = [_row(line, record, settings.columns) for line, record in chunk]
    names = {"row": pl.UInt32(), **READ, "response": pl.String()}
    rows = _with_answers(pl.DataFrame([{"row": at} | one for at, one in enumerate(read)], names))
    asked = {name: expression for name, expression in applicable().items() if name in settings.only}
    rows = rows.with_columns(verifiers=_names(asked))
    for name in asked:
        rows = rows.join(_of(VERIFIERS[name], rows, settings.limits), on="row", how="left", maintain_order="left")
    judged = with_verifier(settled(_with_missing(rows), settings.policy))
    return [_told(row, found) for row, found in zip(read, judged.iter_rows(named=True), strict=True)]


def _row(line: int, record: Record | Fault, columns: Mapping[str, str]) -> dict[str, Any]:
    """line, id and the texts of a row; `fault` instead of these where it can't be read."""
    if isinstance(record, Fault):
        return {"line": line, "fault": str(record)}
    row: dict[str, Any] = {"line": line}
    try:
        values = {name: _value(record, name, columns) for name in FIELDS}
        row |= {"id": values["id"]} if values["id"] is not None else {}
        for name, as_text in AS_TEXT.items():
            try:
                row[READ_AS.get(name, name)] = None if values[name] is None else as_text(values[name])
            except Fault as fault:
                raise Fault(f"field `{columns.get(name, name)}`: {fault}") from None
    except Fault as fault:
        return row | {"fault": str(fault)}
    return row


def _value(record: Record, name: str, columns: Mapping[str, str]) -> Any:
    """What a row holds under the path of a field, or under the first of its names that is no path of another field.
    `Fault` where a path leads to nothing."""
    if path := columns.get(name):
        found = walk(record, path.split("."))
        if found in (ABSENT, SHORT, BROKEN):
            raise Fault(f"field `{path}`: not there")
        return found
    taken = {path.partition(".")[0] for path in columns.values()}
    return next((record[one] for one in FIELDS[name] if one in record and one not in taken), None)


def _response(value: Any) -> str | None:
    """A response, or the answer of a chat, as in a release."""
    return read_chat(value, None).response if is_chat(value) and not is_reply(value) else reply(value)


AS_TEXT = {
    "answer": scalar,
    "response": _response,
    "reference": lambda value: any_of(scalars(value)),
    "test_cases": canonical,
    "constraints": lambda value: constraints(parsed(value) or []),
}
READ_AS = {"reference": "reference_answer"}


def _with_answers(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the answer part of the response where there is no answer; a response that doesn't think is its own
    answer, and one whose parts can't be told has none."""
    given = rows.filter(pl.col("answer").is_null() & pl.col("response").is_not_null()).select("row", "response")
    whole = pl.when(~pl.col("response").str.contains_any(parts.TAGS)).then("response")
    answered = parts.split(given).select("row", part=pl.coalesce("answer", whole))
    return rows.join(answered, on="row", how="left", maintain_order="left").with_columns(pl.coalesce("answer", "part"))


def _names(asked: Mapping[str, pl.Expr]) -> pl.Expr:
    """The names of the verifiers whose expression holds."""
    return pl.concat_list(pl.when(holds).then(pl.lit(name)) for name, holds in asked.items()).list.drop_nulls()


def _of(verifier: Verifier, rows: pl.DataFrame, limits: Mapping[str, Any]) -> pl.DataFrame:
    """row, and the columns of the verifier under its name, of the rows that it verifies."""
    jobs = rows.filter(pl.col("verifiers").list.contains(verifier.name)).select(
        "answer", pl.col(verifier.against).alias(verifier.named or verifier.against), key=pl.col("row").cast(pl.String)
    )
    empty = pl.DataFrame(schema=verifier.measured)
    frames = verifier.verify(jobs, limits[verifier.section]) if jobs.height else []
    found = pl.concat([empty, *frames], how="diagonal_relaxed").with_columns(pl.col("key").cast(pl.UInt32))
    return found.rename({name: "row" if name == "key" else verifier.column(name) for name in found.columns})


def _with_missing(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with what decisions read and nobody measured here, as null: verifiers not asked, opinions of a judge."""
    types = {
        one.column(name): dtype
        for one in VERIFIERS.values()
        for name, dtype in one.columns.create_empty().schema.items()
        if name in ("verdict", "reason", *one.decides_on)
    }
    return rows.with_columns(pl.lit(None, types[name]).alias(name) for name in sorted(types.keys() - {*rows.columns}))


def _told(row: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What is said of a row."""
    told: dict[str, Any] = {name: row[name] for name in ("line", "id") if name in row}
    if "fault" in row or not found["verifier"]:
        checks = any(row.get(one.against) for one in VERIFIERS.values())
        reason = f"row: {row['fault']}" if "fault" in row else NOT_ASKED if checks else NOTHING
        return told | {"verifier": None, "verdict": "unverifiable", "reason": reason, "extracted": None, "seconds": 0.0}
    name, own = found["verifier"], VERIFIERS[found["verifier"]]
    seconds = sum(found.get(f"{one}_seconds") or 0.0 for one in found["verifiers"])
    told |= {"verifier": name, "verdict": found["chosen_verdict"], "reason": found[own.column("reason")]}
    told |= {"extracted": found.get(own.column("extracted")), "seconds": round(seconds, 3)}
    shown = [one for one in own.measured.names() if one not in ("key", "verdict", "reason", "extracted")]
    told |= {one: found[own.column(one)] for one in shown if found.get(own.column(one))}
    others = {one: found[f"{one}_verdict"] for one in found["verifiers"] if one != name}
    return told | ({"others": others} if others else {})
