"""`am cluster`: whether this machine can work on the project together with others, and what it did alone."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from am_assets.cli import app
from am_assets.cli.doctoring import show
from am_assets.cli.opening import AsJson, exit_on_config_error, exit_with, print_json, say
from am_assets.config.files import ConfigError
from am_assets.runtime.wording import counted


@app.command()
def cluster(
    do: Annotated[
        Literal["check", "move"],
        typer.Argument(help="check: try each piece from this machine. move: take Dagster's records of before along."),
    ],
    as_json: AsJson = False,
) -> None:
    """Try what several machines share (cluster.yaml) from this one, and say what is wrong and what mends it: the exit
    code is 1 where something is. Or move the records of what is up to date there, before the first apply."""
    if do == "move":
        _move(as_json)
        return
    from am_assets.planning.shared import tried
    from am_assets.project import data_folder

    try:
        found = tried(data_folder())
    except ConfigError as error:
        exit_with(str(error))
    if as_json:
        print_json({"findings": [asdict(one) for one in found]})
    else:
        show(found, missing="WRONG")
    if any(one.there is False and one.needed for one in found):
        raise typer.Exit(1)


def _move(as_json: bool) -> None:
    import os
    from pathlib import Path

    from am_assets.orchestration.instance import prepare_environment
    from am_assets.project import project

    with exit_on_config_error():
        prepare_environment(project().instance)
        from am_assets.orchestration import postgres
        from am_assets.orchestration.moving import move

        here = project().cluster
        if here is None:
            raise ConfigError(f"{project().data}: there is no cluster.yaml to say where records are moved to")
        postgres.ready(project())
        moved = move(Path(os.environ["DAGSTER_HOME"]), here)
    if as_json:
        print_json({"moved": moved})
    else:
        logs = f"{os.environ['DAGSTER_HOME']}/history"
        say(f"moved the records of {counted(moved['runs'], 'run')}; their logs stay in {logs}")
