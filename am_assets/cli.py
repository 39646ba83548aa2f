"""The command `am`: plan and apply, in a terminal.

    am plan                              what is missing or stale, and why
    am apply --recipe demo               bring it up to date
    am apply --select "+sft_dataset"     with Dagster's asset selection syntax
    am apply --budget 20                 asking models for at most 20 dollars
    am preview -r demo --set dedup.threshold=0.9   what other settings would keep, lose and ask
    am memo                              what was measured so far, how large and how old it is
    am memo responses KEY                one answer in full

Only talking to a person belongs here: what is done is in `plan.py`, and every figure comes from the instance.
"""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from am_assets import instance
from am_assets.recipe import ConfigError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
console = Console()
Recipes = Annotated[list[str] | None, typer.Option("--recipe", "-r", help="Only these recipes (default: all).")]
Select = Annotated[str | None, typer.Option("--select", "-s", help="Dagster asset selection, e.g. '+sft_dataset'.")]
Dollars = Annotated[float | None, typer.Option("--budget", "-b", min=0, help="Dollars it may spend on models.")]


@contextmanager
def _plan(recipes: list[str] | None, select: str | None) -> Iterator:
    """The plan of the chosen recipes; a mistake in a file or a refusing database ends the command with its words."""
    from sqlalchemy.exc import DBAPIError

    try:
        from am_assets.project import project

        project().refuse_broken()
        instance.prepare_environment(project().instance)
        import dagster as dg

        # partitioned asset checks and multi-partition mappings are preview and beta features of the pinned Dagster
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        warnings.filterwarnings("ignore", category=dg.BetaWarning)
        from am_assets.definitions import defs
        from am_assets.plan import Plan
        from am_assets.scope import ROOTS, scope

        in_scope = scope(project(), recipes)
        with dg.DagsterInstance.get() as opened:
            yield Plan(defs, opened, ROOTS, in_scope, select)
    except ConfigError as error:
        _refuse(str(error))
    except DBAPIError as error:
        _refuse(instance.in_words(error))


def _refuse(words: str) -> NoReturn:
    console.print(words, style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(2)


@app.command()
def plan(recipe: Recipes = None, select: Select = None) -> None:
    """Print what an apply would do, why, and what it would ask of models, without doing it."""
    with _plan(recipe, select) as found:
        steps = found.steps()
        if not steps:
            console.print("Nothing to do: everything is up to date.")
            return
        from upath import UPath

        from am_assets.costs import Costs
        from am_assets.project import project
        from am_assets.resources import TableStore
        from am_assets.summary import show_costs, show_steps

        here = project()
        recipes = [here.recipes[name] for name in recipe or here.recipes]
        costs = Costs(here, TableStore(UPath(here.assets)), steps, recipes)
        show_steps(console, steps)
        show_costs(console, [(step, estimate) for step in steps if (estimate := costs.of(step))])


@app.command()
def apply(recipe: Recipes = None, select: Select = None, budget: Dollars = None) -> None:
    """Bring the graph up to date: one run a partition, only what is missing or stale."""
    from am_assets.plan import Outcome, Step
    from am_assets.resources import budget_tags

    outcomes: list[Outcome] = []
    with _plan(recipe, select) as found:
        steps = found.steps()
        with _bars(len(steps)) as bars:
            for event in found.apply(budget_tags(budget)):
                if isinstance(event, Step):
                    bars.start(f"{event.asset} {event.partition}")
                else:
                    outcomes.append(event)
                    bars.finish()
        from am_assets.project import project
        from am_assets.summary import show

        show(console, found, outcomes, recipe or list(project().recipes), project().assets)
    if any(outcome.result != "done" for outcome in outcomes):
        sys.exit(1)


@app.command()
def preview(
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="The recipe to change.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="section.field=value, as in YAML; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what a recipe, as its file stands and with other settings, would keep, lose and ask; without doing it."""
    with _plan([recipe], "+verified_set") as found:
        from am_assets.preview.summary import show_preview
        from am_assets.preview.whatif import preview as look
        from am_assets.project import project

        seen = look(found, project(), recipe, changes or [])
        print(json.dumps(seen.to_dict(), indent=2)) if as_json else show_preview(console, seen)


@app.command()
def memo(
    namespace: Annotated[str | None, typer.Argument(help="Show its latest rows.")] = None,
    key: Annotated[str | None, typer.Argument(help="Show this row in full.")] = None,
    prune: Annotated[bool, typer.Option(help="Remove what no recipe, source or benchmark of today wants.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Prune without asking.")] = False,
) -> None:
    """Show what was measured so far: sizes and ages, or the rows of one namespace."""
    with _plan(None, None) as found:
        from am_assets import upkeep
        from am_assets.engines.memo import Memo
        from am_assets.project import project
        from am_assets.summary import show_holdings, show_measurement, show_measurements

        store = Memo(project().memo)
        if namespace:
            known = store.known(namespace)
            if known is None:
                raise ConfigError(f"nothing is stored under {namespace}; there are {', '.join(store.namespaces())}")
            show_measurement(console, known, key) if key else show_measurements(console, known)
            return
        show_holdings(console, upkeep.holdings(store, found))
        if prune and (yes or typer.confirm("Remove the unwanted measurements? They would have to be paid for again")):
            for name, rows in upkeep.prune(store, found).items():
                console.print(f"{name}: {rows:,} removed")


class _Bars:
    """One bar for the partitions, one for the rows of the work at hand, and the latest line of its log."""

    def __init__(self, progress: Progress, steps: int):
        self.progress = progress
        self.steps = progress.add_task("partitions", total=steps, note="")
        self.rows = progress.add_task("", total=None, note="", visible=False)

    def start(self, name: str) -> None:
        self.progress.update(self.steps, description=name, note="")
        self.progress.update(self.rows, visible=False, note="")

    def finish(self) -> None:
        self.progress.advance(self.steps)

    def row(self, name: str, done: int, total: int, note: str) -> None:
        self.progress.update(self.rows, description=f"  {name}", completed=done, total=total, visible=True, note=note)

    def say(self, line: str) -> None:
        self.progress.update(self.steps, note=line.splitlines()[0][:80])


@contextmanager
def _bars(steps: int) -> Iterator[_Bars]:
    from am_assets.engines import progress

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    ]
    with Progress(*columns, console=console) as rich_progress:
        bars = _Bars(rich_progress, steps)
        with progress.listening(bars.row), progress.hearing(bars.say):
            yield bars


if __name__ == "__main__":
    app()
