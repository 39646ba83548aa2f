"""`am view` and `am marks`: rows looked at in a browser, and what people said of them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from am_assets.cli import app
from am_assets.cli.opening import (
    AsJson,
    Recipes,
    chosen_recipes,
    console,
    one_recipe,
    opened,
    print_json,
    say,
)
from am_assets.config.addresses import UI, VIEW_PORT
from am_assets.config.files import ConfigError
from am_assets.runtime.wording import counted

if TYPE_CHECKING:
    import polars as pl

NOBODY = "No answer of recipe {recipe} is marked right or wrong yet: open one with am view -r {recipe}"


@app.command()
def view(
    recipe: Recipes = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = VIEW_PORT,
    host: Annotated[
        str, typer.Option(help="An address of this machine; beyond loopback it takes a token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None, typer.Option(envvar="AM_VIEW_TOKEN", help="What a browser has to know, at least 16 characters.")
    ] = None,
    ui: Annotated[str, typer.Option(envvar="AM_UI_URL", help="Where Dagster's UI is, for links to its pages.")] = UI,
) -> None:
    """Show the rows of recipes in a browser: search, filter, open one, mark answers as right or wrong.

    Several -r can be compared; without one, all recipes that have decided on rows. Ctrl-C ends it."""
    with opened() as here:
        from am_assets.storage.stored import StoredTables
        from am_assets.view import guard

        decided = [name for name in here.recipes if name in StoredTables(here.assets).partitions("deduped_set")]
        recipes = chosen_recipes(here, recipe or decided or None, every=not (recipe or decided))
        loopback = host in guard.LOOPBACK
        if not loopback and not token:
            raise ConfigError(
                f"--host {host} is seen by other machines: add --token, or AM_VIEW_TOKEN in the environment"
            )
        if token is not None and (len(token) < guard.LEAST_TOKEN or not token.isascii() or not token.isalnum()):
            raise ConfigError(f"a token takes at least {guard.LEAST_TOKEN} letters and digits: openssl rand -hex 16")
        serve(here, recipes, ui.rstrip("/"), host, port, token)


def serve(here, recipes: list[str], ui: str, host: str, port: int, token: str | None) -> None:
    import socket

    import uvicorn

    from am_assets.view import guard
    from am_assets.view.app import application

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise ConfigError(f"{host}:{port}: {os.strerror(error.errno or 0)}; --port names another one") from None
        at = bound.getsockname()[1]
        names = guard.host_names(at) if token is None else None
        config = uvicorn.Config(
            application(here, recipes, ui, names, token), log_level="warning", server_header=False, lifespan="off",
            timeout_graceful_shutdown=3,
        )  # fmt: skip
        shown = f"[{host}]" if ":" in host else host
        say(f"{', '.join(recipes)}: http://{shown}:{at}/{'?token=…' if token else ''}    (Ctrl-C ends it)")
        uvicorn.Server(config).run(sockets=[bound])


@app.command()
def marks(
    recipe: Recipes = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the answers called right or wrong there, as test cases for am verify.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print how often the verdicts of a recipe say what people say in marks.jsonl, by what decided and category."""
    with opened() as here:
        from am_assets.storage.stored import StoredTables
        from am_assets.view import agreeing
        from am_assets.view.marks import read

        name, store, said = one_recipe(here, recipe), StoredTables(here.assets), read(here.data)
        figures = agreeing.agreement(store, name, said)
        if as_json:
            print_json(figures.to_dicts())
        elif figures.height:
            console.print(_table(figures))
        else:
            say(NOBODY.format(recipe=name))
        if export:
            _export(export, *agreeing.cases(store, name, said), quiet=as_json)


def _export(file: Path, cases: list[dict], withheld: int, quiet: bool) -> None:
    import json

    from am_assets.storage.atomic import write_whole

    write_whole(file, "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases))
    if not quiet:
        left = f"; {withheld} left out, as a key or personal data was found in them" if withheld else ""
        say(f"{counted(len(cases), 'test case')} written to {file}{left}")


def _table(figures: "pl.DataFrame") -> Table:
    table = Table()
    counts, shares = ("rows", "right", "wrong"), ("accuracy", "false_pass", "false_fail")
    for column in ("kind", "category", *counts, "agreement", "false pass", "false fail", "no verdict"):
        table.add_column(column, no_wrap=True, justify="left" if column in ("kind", "category") else "right")
    for row in figures.to_dicts():
        said = ("-" if row[name] is None else f"{row[name]:.1%}" for name in shares)
        table.add_row(row["kind"], row["category"], *(f"{row[name]:,}" for name in counts), *said, f"{row['untold']:,}")
    return table
