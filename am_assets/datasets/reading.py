"""From the files or the generator of a source or a benchmark to frames of its questions, and what reading them told.

What one form of data means belongs to `adapters/`; ids, shards and defects belong to `sources.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from am_assets.datasets.adapters import ADAPTERS, Adapter
from am_assets.datasets.beside import Kept
from am_assets.datasets.cases import canonical
from am_assets.datasets.conditions import Condition
from am_assets.datasets.forms import ROWS as LOOKED_AT
from am_assets.datasets.forms import recognised
from am_assets.datasets.locate import SourceError, find_files
from am_assets.datasets.origins import AUTO, GENERATED, Origin
from am_assets.datasets.records import read_records
from am_assets.datasets.rows import Field, Item, Row, nearest
from am_assets.datasets.values import Fault
from am_assets.runtime.wording import counted

BATCH_ROWS, BATCH_CHARS = 5_000, 10_000_000  # held at once: so many rows, or as many as have so much text
SHOWN = 3  # places of a fault that a message names
REASONS, OTHER_REASONS = 100, "other reasons"  # told apart; words of the file stand in some
TEXTS = dict.fromkeys(["question", "reference_answer", "test_cases", "constraints"], pl.String())
PARTS = {"stem": pl.String(), "options": pl.List(pl.String), "starter": pl.String()}  # null: the question is whole
BESIDE = dict.fromkeys(["license", "extra", "place", "own_id"], pl.String())  # place: `file:line`
PUBLISHED = {"published": pl.List(pl.Struct({"teacher": pl.String, "response": pl.String}))}
ROWS = pl.Schema({**TEXTS, **PARTS, **PUBLISHED, **BESIDE})


@dataclass
class Told:
    """What reading a source or a benchmark told, apart from its questions."""

    form: str = ""  # the adapter
    rows: int = 0  # without those that `where` leaves out
    left_out: int = 0
    faults: Counter[str] = field(default_factory=Counter)  # rows dropped, by reason
    places: dict[str, list[str]] = field(default_factory=dict)  # `file:line` of the first of each reason
    notes: Counter[str] = field(default_factory=Counter)  # rows that are in the pool, with what is odd in them
    met: dict[str, str] = field(default_factory=dict)  # fields of the adapter that some row has, and their paths
    came_from: pl.DataFrame | None = None  # of a shard: question_id, place, own_id of every row, duplicates too
    met_beside: set[str] = field(default_factory=set)  # paths of `Beside` that some row has

    def fault(self, reason: str, place: str) -> None:
        reason = reason if reason in self.faults or len(self.faults) < REASONS else OTHER_REASONS
        self.faults[reason] += 1
        places = self.places.setdefault(reason, [])
        if len(places) < SHOWN:
            places.append(place)

    def dropped(self) -> dict[str, str]:
        """For metadata and messages: how many rows of each reason, and where."""
        shown = {why: ", ".join(self.places[why]) for why in self.faults}
        return {why: f"{counted(n, 'row')}, at {shown[why]}" for why, n in self.faults.most_common()}


def read_rows(origin: Origin, base: Path, told: Told | None = None) -> Iterator[pl.DataFrame]:
    """Batches of `ROWS`, in file order. A relative location starts at `base`.

    Rows that can't be read are left out and counted in `told`. `SourceError` at the end where they are more than the
    origin allows, and where a path that it names is in no row. A null question reads as the empty text (`sources.py`
    marks it as a defect); one that is absent is a fault.
    """
    told = Told() if told is None else told
    for batch in _batches(items(origin, base, told)):
        yield _frame(batch, origin)
    _check_paths(origin, base, told)
    _check_faults(origin, told)


def _batches(rows: Iterable[tuple[str, Item]]) -> Iterator[list[tuple[str, Item]]]:
    """The rows in lists of a bounded size; the last one may be empty, so that there is one."""
    batch: list[tuple[str, Item]] = []
    chars = 0
    for row in rows:
        batch.append(row)
        chars += (
            len(row[1].question or "") + len(row[1].test_cases or "") + sum(len(said) for _, said in row[1].responses)
        )
        if len(batch) == BATCH_ROWS or chars > BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    yield batch


def items(origin: Origin, base: Path, told: Told) -> Iterator[tuple[str, Item]]:
    """Each row that can be read, with its place (`file:line`); the others are counted in `told`."""
    rows = _generated(origin) if origin.generator else _read(origin, base, told)
    for place, item in islice(rows, origin.limit):
        told.rows += 1
        if isinstance(item, Fault):
            told.fault(str(item), place)
        else:
            told.notes.update(item.notes)
            yield place, item


def _generated(origin: Origin) -> Iterator[tuple[str, Item | Fault]]:
    assert origin.generator
    kept = Kept(origin.beside.license)
    for line, row in enumerate(origin.generators[origin.generator](origin).iter_rows(named=True), start=1):
        question, reference, code, response, teacher = map(row.get, GENERATED)
        answered = [] if response is None else [(teacher, response)]
        yield f"{origin.generator}:{line}", Item(question, reference, canonical(code), responses=answered, kept=kept)


def _read(origin: Origin, base: Path, told: Told) -> Iterator[tuple[str, Item | Fault]]:
    """Each row of the files, as the adapter reads it, or its fault; with its place."""
    assert origin.location  # `_one_origin`
    files = find_files(origin.location, base)
    told.form = form_of(origin, files[0])
    adapter = ADAPTERS[told.form]
    fields = fields_of(origin, adapter)
    columns = {name for wanted in fields.values() for path, steps in wanted.paths for name in (path, steps[0])}
    condition = Condition(origin.condition) if origin.condition else None
    beside = origin.beside
    columns |= beside.columns | ({*condition.columns} if condition else set())
    for path in files:
        rows = read_records(path, columns)
        for line, record in condition.kept(rows, str(path)) if condition else rows:
            told.left_out = condition.left_out if condition else 0
            item = _item(record, adapter.read, fields, told.met, origin)
            if isinstance(item, Item) and not isinstance(record, Fault):
                item.kept = beside.of(record, told.met_beside)
            yield f"{path}:{line}", item
    if condition:
        told.left_out = condition.left_out
        for name in {*condition.columns} - condition.met:
            raise SourceError(f"{files[0]}: where: no row has `{name}`; {nearest(name, _first(files[0], BATCH_ROWS))}")


def fields_of(origin: Origin, adapter: Adapter) -> dict[str, Field]:
    """The fields that are read, at the paths that the origin names."""
    return {
        name: replace(wanted, path=origin.columns[name], aliases=()) if name in origin.columns else wanted
        for name, wanted in adapter.fields.items()
    }


def form_of(origin: Origin, file: Path) -> str:
    """The adapter that an origin names, or the one that its first file fits. `SourceError` where none of its first
    rows can be read."""
    if origin.form != AUTO:
        return origin.form
    first = list(islice(read_records(file), LOOKED_AT))
    rows = [record for _, record in first if isinstance(record, dict)]
    if not rows:
        line, fault = first[0]
        raise SourceError(f"{file}:{line}: {fault}; of {counted(len(first), 'row')} none can be read")
    return recognised(rows, str(file))


def _first(file: Path, count: int) -> list[dict[str, Any]]:
    return [record for _, record in islice(read_records(file), count) if isinstance(record, dict)]


def _item(record: Any, read: Callable[[Row], Item], fields: Any, met: dict[str, str], origin: Origin) -> Item | Fault:
    if isinstance(record, Fault):
        return record
    try:
        return read(Row(record, fields, met, origin.turns, origin.system))
    except Fault as fault:
        return fault


def _frame(batch: Iterable[tuple[str, Item]], origin: Origin) -> pl.DataFrame:
    rows = []
    for place, item in batch:
        published = item.said(origin.teacher)
        if any(one["teacher"] is None for one in published):
            raise SourceError(f"{place}: a response of an unnamed teacher; give `teacher:` in the config")
        reference = item.reference_answer if (item.reference_answer or "").strip() else None
        kept = item.kept
        beside = (kept.license, kept.extra, place, kept.own_id)
        texts = (item.question or "", reference, item.test_cases, item.constraints)
        parts = item.parts and (item.parts.stem, item.parts.options or None, item.parts.starter)
        rows.append((*texts, *(parts or (None, None, None)), published, *beside))
    return pl.DataFrame(rows, ROWS, orient="row")


def _check_paths(origin: Origin, base: Path, told: Told) -> None:
    """`SourceError` where a path that the entry names is in no row: else a typo would read as if nothing was there."""
    beside = origin.beside
    absent = [(f"columns: {name}", path) for name, path in origin.columns.items() if name not in told.met]
    absent += [("keep", path) for path in beside.keep if path not in told.met_beside]
    if beside.license_path and beside.license_path not in told.met_beside:
        absent.append(("license_column", beside.license_path))
    if absent and origin.location:
        name, path = absent[0]
        file = find_files(origin.location, base)[0]
        told_of = nearest(path, _first(file, BATCH_ROWS))
        raise SourceError(f"{file}: {name}: no row has `{path}`; {told_of}. Correct the path, or take it out")


def _check_faults(origin: Origin, told: Told) -> None:
    """`SourceError` where more rows are at fault than the origin allows; a single one always is allowed, if any is."""
    faults = told.faults.total()
    if faults <= max(told.rows * origin.max_faults, origin.max_faults > 0):
        return
    reasons = "; ".join(f"{why}: {many}" for why, many in told.dropped().items())
    advice = " Chats of several turns are read by `turns: first`." if any("turns" in why for why in told.faults) else ""
    share = min(1.0, -(-1000 * faults // told.rows) / 1000)
    raise SourceError(
        f"{origin.location or origin.generator}: {faults} of {counted(told.rows, 'row')} can't be read: {reasons}."
        f"{advice} Mend them, name other `columns:` or another `adapter:`, or allow as many by `max_faults: {share:g}`"
    )
