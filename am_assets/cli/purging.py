"""`am purge`: removal of what `exclude.txt` lists from everything that was stored before."""

from dataclasses import asdict
from typing import Annotated

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, console, open_plan, opened, print_json
from am_assets.runtime.wording import counted


@app.command()
def purge(
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what exclude.txt lists from the memo and from Dagster's records, and name the files that still hold it.

    Needs `am apply --all` first, which makes tables and releases without it. It can't be undone: what was measured of a
    question that comes back has to be paid for again."""
    with opened() as here, open_plan(here, None, None) as found:
        from am_assets.planning import purge as purging

        purging.refuse_unready(found, here)
        if not (yes or typer.confirm("Remove what is excluded for good?")):
            console.print("Nothing was done.")
            raise typer.Exit(1)
        done = purging.purge(found, here)
        if as_json:
            print_json(asdict(done))
            return
        for name, removed in done.removed.items():
            console.print(f"{name}: {counted(removed, 'row')} removed from the memo", highlight=False)
        console.print(
            f"responses: {counted(done.emptied, 'answer')} emptied, still counted as asked for", highlight=False
        )
        console.print(f"{counted(done.samples, 'sample')} removed from Dagster's records", highlight=False)
        if done.unknown:
            console.print(
                f"{counted(done.unknown, 'unwanted row')} of the memo, measured before it was noted of what, can be"
                " removed by am memo --prune",
                highlight=False,
            )
        for name in done.held:
            console.print(f"still holds an excluded text: {name}", style="red", markup=False, soft_wrap=True)
        for name in done.students:
            console.print(f"may have been trained on it: {name}", style="yellow", markup=False, soft_wrap=True)
