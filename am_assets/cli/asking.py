"""`am preview`, `am explain` and `am diff`: questions that change nothing."""

from typing import Annotated

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, console, opened, print_json


@app.command()
def preview(
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="The recipe to change.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="section.field=value, as in YAML; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a recipe, as its file stands and with other settings, would keep, lose and ask; without doing it."""
    with opened([recipe], "+verified_set") as found:
        from am_assets.preview.summary import show_preview
        from am_assets.preview.whatif import preview as look
        from am_assets.project import project

        seen = look(found, project(), recipe, changes or [])
        print_json(seen.to_dict()) if as_json else show_preview(console, seen)
