"""`am cluster`: whether this machine can work on the project together with others, and what it did alone."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from am_assets.cli import app
from am_assets.cli.doctoring import show
from am_assets.cli.opening import AsJson, exit_with, opened, print_json, say
from am_assets.config.cluster import Cluster
from am_assets.config.files import ConfigError
from am_assets.runtime.wording import counted


@app.command()
def cluster(
    do: Annotated[
        Literal["check", "move"],
        typer.Argument(help="check: try each piece from this machine. move: take what one machine made along."),
    ],
    as_json: AsJson = False,
) -> None:
    """Try what several machines share (cluster.yaml) from this one, and say what is wrong and what mends it: the exit
    code is 1 where something is. Or move what is stored to the store, and the records of what is up to date to the
    database, before the first apply; without `store`, all that was there back here."""
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

    if _moved_back(as_json):
        return
    with opened() as here:
        prepare_environment(here.instance)
        from am_assets.orchestration import postgres
        from am_assets.orchestration.moving import move

        cluster = here.cluster
        if cluster is None:
            raise ConfigError(f"{here.data}: there is no cluster.yaml to say where records are moved to")
        filled = _filled(cluster)
        postgres.ready(here)
        try:
            moved = move(Path(os.environ["DAGSTER_HOME"]), cluster)
        except ConfigError as error:
            if filled is None:
                raise
            moved, why = {}, str(error)
    if as_json:
        print_json({"moved": moved, "files": filled})
        return
    if filled is not None:
        say(f"{cluster.store} has {counted(filled, 'file')} of this project, read again and compared")
    if not moved:
        say(f"no records were moved: {why}")
    else:
        logs = f"{os.environ['DAGSTER_HOME']}/history"
        say(f"moved the records of {counted(moved['runs'], 'run')}; their logs stay in {logs}")


def _moved_back(as_json: bool) -> bool:
    """Whether the folder had copies of a store that is not named any more, and now has all of it."""
    from am_assets.config.cluster import FILE, load_cluster
    from am_assets.project import data_folder
    from am_assets.storage.shared.moving import fetch
    from am_assets.storage.shared.objects import StoreError

    try:
        named = load_cluster(data_folder() / FILE)
        store = None if named and named.store else fetch(data_folder())
    except (ConfigError, StoreError) as error:
        exit_with(str(error))
    if store and as_json:
        print_json({"back": store})
    elif store:
        say(f"all of it is here now that {store} has, which is as it was. Records stay in the database")
    return store is not None


def _filled(cluster: Cluster) -> int | None:
    """How many files were taken to the store; None where there is none, or where the folder has copies of it."""
    from am_assets.project import data_folder
    from am_assets.storage.shared.copies import STORE
    from am_assets.storage.shared.moving import fill

    if cluster.store is None or (data_folder() / "memo" / STORE).exists():
        return None
    return fill(data_folder(), cluster)
