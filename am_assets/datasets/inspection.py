"""What a file would be in the pool, told before it is a source: its form, its columns, what comes out and what drops.

inspected(Origin(location="a.jsonl"), Path.cwd()).told.form
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from am_assets.config.licenses import UNKNOWN
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.identity import asks
from am_assets.datasets.locate import find_files
from am_assets.datasets.origins import AUTO, Origin
from am_assets.datasets.reading import Told, items
from am_assets.datasets.rows import Item
from am_assets.datasets.sources import MOST_CHARS
from am_assets.datasets.values import thinks

SAMPLE = 3  # rows shown
UNSAID = "unnamed"  # the teacher of responses that name none


@dataclass
class Inspection:
    """The first rows of the files of an origin, as they would enter the pool."""

    files: list[Path]
    told: Told
    because: str  # why it is this form
    columns: dict[str, str | None]  # by the name that the adapter uses, the path that is read; None where no row has it
    counts: Counter[str] = field(default_factory=Counter)  # questions, references, tests, constraints, responses
    teachers: Counter[str] = field(default_factory=Counter)  # of the responses
    licenses: Counter[str] = field(default_factory=Counter)
    sample: list[dict[str, Any]] = field(default_factory=list)
    thinks: bool = False  # whether a response has a think part

    def to_json(self) -> dict[str, Any]:
        """As `am read --json` prints it."""
        return {
            "form": self.told.form,
            "files": [str(path) for path in self.files],
            "rows": self.told.rows,
            "left_out": self.told.left_out,
            "dropped": dict(self.told.faults),
            "dropped_at": self.told.places,
            "notes": dict(self.told.notes),
            "columns": self.columns,
            "counts": dict(self.counts),
            "teachers": dict(self.teachers),
            "licenses": dict(self.licenses),
            "sample": self.sample,
        }


def inspected(origin: Origin, base: Path) -> Inspection:
    """Reads the rows of an origin up to its limit and stores nothing. `SourceError` where no form fits its files."""
    told = Told()
    assert origin.location
    found = Inspection(find_files(origin.location, base), told, "", {})
    for _, item in items(origin, base, told):
        _count(found, item, origin.teacher)
    adapter = ADAPTERS[told.form]
    named = f"its columns {', '.join(adapter.signature)}" if origin.form == AUTO else "the name given"
    found.because = f"by {named}"
    found.columns = {name: told.met.get(name) for name in adapter.fields}
    return found


def _count(found: Inspection, item: Item, teacher: str | None) -> None:
    question = (item.question or "").strip()
    there = {
        "questions": question if asks(question) else "",
        "references": item.reference_answer,
        "tests": item.test_cases,
        "constraints": item.constraints,
    }
    found.counts.update(name for name, value in there.items() if value)
    if not there["questions"] or len(there["questions"]) > MOST_CHARS:
        defect = "an oversized" if there["questions"] else "an empty"
        found.told.notes[f"{defect} question, a defect in the pool"] += 1
    said = item.said(teacher or UNSAID)
    found.counts["responses"] += len(said)
    found.thinks = found.thinks or any(thinks(one["response"] or "") for one in said)
    found.licenses[item.kept.license or UNKNOWN] += 1
    found.teachers.update(one["teacher"] or UNSAID for one in said)
    if len(found.sample) < SAMPLE:
        row: dict[str, Any] = {
            "question": item.question,
            "reference_answer": item.reference_answer,
            "test_cases": item.test_cases,
        }
        beside = {"license": item.kept.license, "extra": item.kept.extra, "id": item.kept.own_id}
        found.sample.append(row | {"constraints": item.constraints, "published": said} | beside)
