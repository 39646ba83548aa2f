"""`am read`: what a file of questions would be in the pool. It needs no project, and stores nothing."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, console, print_json
from am_assets.config.files import ConfigError, parse

ROWS = 1_000


@app.command()
def read(
    file: Annotated[str, typer.Argument(help="A file, a glob, or hf://datasets/<owner>/<name>/<file>.")],
    adapter: Annotated[str, typer.Option(help="The form, where it is not to be found by the columns.")] = "auto",
    column: Annotated[list[str] | None, typer.Option(help="A path, as in reference_answer=gold; may repeat.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Who gave the responses, where the rows do not say.")] = None,
    turns: Annotated[str | None, typer.Option(help="first: of longer chats the first question and answer.")] = None,
    where: Annotated[str | None, typer.Option(help="SQL on the columns: only rows of which it is true.")] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", help="How many rows to read; 0: all.")] = ROWS,
    as_json: AsJson = False,
) -> None:
    """Show what a file would be in the pool: its form, how its columns are read, what would drop, and three rows."""
    try:
        from am_assets.datasets.inspection import inspected
        from am_assets.datasets.origins import Origin

        paths = dict(one.partition("=")[::2] for one in column or [])
        entry = {
            "location": file,
            "adapter": adapter,
            "columns": paths,
            "teacher": teacher,
            "turns": turns,
            "where": where,
            "limit": rows or None,
        }
        found = inspected(parse(Origin, entry, file), Path.cwd())
    except ConfigError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    if as_json:
        print_json(found.to_json())
        return
    from am_assets.cli.show_reading import show_reading

    show_reading(console, found, all_rows=not rows or found.told.rows < rows)
