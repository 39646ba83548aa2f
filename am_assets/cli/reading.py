"""`am read`: what a file or a data set of the catalogue would be in the pool. It needs no project, stores nothing."""

from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, exit_with, print_json
from am_assets.config.files import ConfigError, parse

ROWS = 1_000


@app.command()
def read(
    file: Annotated[
        str, typer.Argument(help="A file, folder or glob, hf://datasets/<owner>/<name>/<file>, or a catalogue name.")
    ],
    adapter: Annotated[str | None, typer.Option(help="The form, where it is not to be found by the columns.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="A path, as in reference_answer=gold; may repeat.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Who gave the responses, where the rows do not say.")] = None,
    turns: Annotated[str | None, typer.Option(help="first: of longer chats the first question and answer.")] = None,
    where: Annotated[str | None, typer.Option(help="SQL on the columns: only rows of which it is true.")] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", help="How many rows to read; 0: all.")] = ROWS,
    as_json: AsJson = False,
) -> None:
    """Show what a file would be in the pool: its form, how its columns are read, what would drop, and three rows.

    Columns that no known form has are guessed as `am init` does."""
    try:
        from am_assets.datasets.guessing import OWN, UNNAMED, guesses
        from am_assets.datasets.inspection import inspected
        from am_assets.datasets.origins import Origin
        from am_assets.datasets.sources import Source

        listed = named(file)
        entry, base = listed or ({"location": file}, Path.cwd())
        paths = dict(one.partition("=")[::2] for one in column or [])
        adapter = adapter or (OWN if paths and not listed else None)
        given = {"adapter": adapter, "columns": paths, "teacher": teacher, "turns": turns, "where": where}
        given = {name: value for name, value in given.items() if value}
        shapes = [] if listed or adapter else guesses(file, base, turns)
        entries = [_both(entry | shape.entry, given) for shape in shapes] or [entry | given]
        limit = {"limit": rows or None}
        unnamed = [{name: value for name, value in one.items() if value != UNNAMED} | limit for one in entries]
        found = [inspected(parse(Source if listed else Origin, one, file), base) for one in unnamed]
    except ConfigError as error:
        exit_with(str(error))
    if as_json:
        print_json({"shapes": [one.to_json() | {"entry": entry} for one, entry in zip(found, entries, strict=True)]})
        return
    from am_assets.cli.show_reading import show_guess, show_reading

    for one, entry, shape in zip_longest(found, entries, shapes):
        show_reading(one, all_rows=not rows or one.told.rows < rows, guessed=bool(shape))
        if shape:
            show_guess(entry, shape)


def _both(guess: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """An entry as it is guessed, with what the user named; of two conditions both hold."""
    if "where" in guess and "where" in given:
        return guess | given | {"where": f"({guess['where']}) AND ({given['where']})"}
    return guess | given


def named(file: str) -> tuple[dict[str, Any], Path] | None:
    """The source that a name of the catalogue stands for, and the folder that a relative location starts at; None for a
    file. `ConfigError` where it is neither, but looks like a name."""
    from am_assets.config.partitions import name_fault
    from am_assets.datasets.catalog import listed, load_catalog
    from am_assets.datasets.records import FORMATS
    from am_assets.project import sources_file

    if Path(file).exists() or Path(file).suffix in FORMATS or name_fault("source", file):
        return None
    folder = sources_file().parent
    return listed(file, load_catalog(folder), f"{file}: no such file").as_source(), folder
