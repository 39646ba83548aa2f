"""`am doctor`: what this machine has, what would run where, and what is missing with the command that installs it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, print_json, say

if TYPE_CHECKING:
    from am_assets.planning.machine import Finding

WIDTH = 17  # of names


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what this machine has for a project, what would run where, and what is missing; it needs no network.

    The exit code is 1 where something is missing that the project needs."""
    from am_assets.planning.machine import look, of_project
    from am_assets.project import data_folder, sources_file

    told = look(data_folder())
    of_project(told, data_folder(), sources_file())
    if as_json:
        print_json({"findings": [asdict(one) for one in told.findings], "would_run": told.would_run})
    else:
        show(told.findings)
        say("\nWould run:")
        for name, where in told.would_run.items():
            say(f"  {name}: {where}")
    if told.missing:
        raise typer.Exit(1)


def show(findings: "Sequence[Finding]", missing: str = "MISSING") -> None:
    """What was found, a line each, and below it what mends it."""
    for one in findings:
        mark = {True: "ok", False: missing if one.needed else "-", None: ""}[one.there]
        say(f"{one.name:<{WIDTH}} {mark:<8}{one.found}")
        if one.remedy:
            say(f"{'':<{WIDTH}} {'':<8}> {one.remedy}")
