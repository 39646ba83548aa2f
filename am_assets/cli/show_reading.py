"""How `am read` shows a file."""

from collections.abc import Mapping
from typing import Any

import yaml
from rich.table import Table

from am_assets.cli.opening import console, say
from am_assets.config.licenses import UNKNOWN
from am_assets.datasets.guessing import Shape
from am_assets.datasets.inspection import UNSAID, Inspection
from am_assets.runtime.quoting import quoted, visible
from am_assets.runtime.wording import counted

CHARS = 400  # of a text


def show_reading(found: Inspection, all_rows: bool, guessed: bool) -> None:
    told = found.told
    say(f"Form: {told.form}, {'by the names and values of its columns' if guessed else found.because}")
    say(f"Files: {', '.join(map(str, found.files))}")
    left_out = f", and {told.left_out:,} that its condition leaves out" if told.left_out else ""
    say(f"Rows: {told.rows:,}{left_out}{'' if all_rows else ', the first ones; -n 0 reads all'}")
    table = Table("read as", "from", title="Columns")
    for name, path in found.columns.items():
        if path:
            table.add_row(name, path)
    console.print(table)
    if absent := [name for name, path in found.columns.items() if not path]:
        say(f"no row has: {', '.join(absent)}")
    say(
        ", ".join(counted(count, name.removesuffix("s")) for name, count in found.counts.items() if count)
        or "nothing came out"
    )
    for name, count in found.teachers.items():
        say(f"teacher {name}: {counted(count, 'response')}{'; say who by --teacher' if name == UNSAID else ''}")
    if told.form and (known := {name: n for name, n in found.licenses.items() if name != UNKNOWN}):
        say("licences: " + ", ".join(f"{name} {count:,}" for name, count in known.items()))
    for reason, where in told.dropped().items():
        say(f"dropped: {reason}: {where}")
    for note, count in told.notes.items():
        say(f"note: {note}: {counted(count, 'row')}")
    for number, row in enumerate(found.sample, start=1):
        say(f"\nrow {number}")
        for name in ("question", "reference_answer", "test_cases", "constraints"):
            if row[name]:
                say(f"  {name}: {quoted(row[name], most=CHARS)}")
        for one in row["published"]:
            say(f"  response of {one['teacher']}: {quoted(one['response'], most=CHARS)}")


def show_guess(entry: Mapping[str, Any], shape: Shape) -> None:
    """That a form was guessed, and how it is written down."""
    fields = yaml.safe_dump(dict(entry), default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9)
    say(f"\nGuessed, as `am init` does. In sources.yaml: {visible(fields.strip())}")
    if shape.ignored:
        say(f"not read: {', '.join(map(visible, shape.ignored))}")
