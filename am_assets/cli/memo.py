"""`am memo`: contents of the memo, and removal of unreferenced entries."""

from typing import TYPE_CHECKING, Annotated

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, open_plan, opened, print_json, say
from am_assets.config.alike import alike
from am_assets.config.files import ConfigError
from am_assets.runtime.wording import counted

if TYPE_CHECKING:
    import polars as pl


@app.command()
def memo(
    namespace: Annotated[str | None, typer.Argument(help="Show its latest rows.")] = None,
    key: Annotated[str | None, typer.Argument(help="Show this row in full: its key, or the beginning.")] = None,
    prune: Annotated[bool, typer.Option(help="Remove rows that no recipe, source or benchmark references.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Prune without asking.")] = False,
    by: Annotated[
        str | None, typer.Option(help="What was spent, by some of recipe, month, day, model, namespace: recipe,month")
    ] = None,
    disk: Annotated[
        bool, typer.Option("--disk", help="Show what tables, memo and tokens take on disk, and what could be removed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what was measured so far: sizes and ages, what it cost, or the rows of one namespace.

    It covers the whole project: unreferenced rows are known only when all recipes are considered."""
    if by is not None:
        _spent(by.replace(" ", "").split(","), as_json)
        return
    with opened() as here, open_plan(here, None, None) as found:
        from am_assets.cli.summary import LATEST, show_disk, show_holdings, show_measurement, show_measurements
        from am_assets.planning import upkeep
        from am_assets.storage.memo import Memo

        store = Memo(here.memo)
        if namespace:
            known = store.known(namespace)
            if known is None:
                raise ConfigError(
                    f"nothing is stored under {namespace}{alike(namespace, store.namespaces())}; there are"
                    f" {', '.join(store.namespaces()) or 'none'}"
                )
            rows = _of_key(known, namespace, key) if key else known.tail(LATEST).collect()
            if as_json:
                print_json(rows.to_dicts())
            else:
                show_measurement(rows) if key else show_measurements(rows)
            return
        holdings = upkeep.holdings(store, found)
        if disk:
            taken = upkeep.disk(here, found, holdings)
            print_json(taken.to_dicts()) if as_json else show_disk(taken)
            return
        print_json(holdings.to_dicts()) if as_json else show_holdings(holdings)
        if prune and (yes or typer.confirm("Remove the unwanted measurements? They would have to be paid for again")):
            for name, removed in upkeep.prune(store, found).items():
                say(f"{name}: {counted(removed, 'row')} removed")


def _of_key(known: "pl.LazyFrame", namespace: str, key: str) -> "pl.DataFrame":
    """The latest row of the one key that is or begins so. `ConfigError` where there is none, or several."""
    import polars as pl

    rows = known.filter(pl.col("key").str.starts_with(key)).collect()
    keys = rows["key"].n_unique()
    if keys != 1:
        raise ConfigError(f"{keys or 'no'} keys of {namespace} begin with {key}: am memo {namespace} lists the latest")
    return rows.tail(1)


def _spent(by: list[str], as_json: bool) -> None:
    with opened() as here:
        from am_assets.cli.summary import show_spending
        from am_assets.planning.spending import spending
        from am_assets.storage.memo import Memo

        spent = spending(Memo(here.memo), by)
        print_json(spent.to_dicts()) if as_json else show_spending(spent, by)
