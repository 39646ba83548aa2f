"""What the commands have in common: options, and opening a project and its plan, where a mistake in a file is told."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from am_assets import instance
from am_assets.recipe import ConfigError

console = Console()
Recipes = Annotated[list[str] | None, typer.Option("--recipe", "-r", help="Only these recipes (default: all).")]
Select = Annotated[str | None, typer.Option("--select", "-s", help="Dagster asset selection, e.g. '+sft_dataset'.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def told_mistakes() -> Iterator[None]:
    """A mistake in a file ends the command with its words."""
    try:
        from am_assets.project import project

        project().refuse_broken()
        yield
    except ConfigError as error:
        _refuse(str(error))


def _refuse(words: str) -> NoReturn:
    console.print(words, style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(2)


@contextmanager
def opened(recipes: list[str] | None, select: str | None, with_others: bool = False) -> Iterator:
    """The plan of the chosen recipes, and of what that puts out of date of others where it says so; a refusing
    database ends the command with its words."""
    with told_mistakes():
        from am_assets.project import project

        instance.prepare_environment(project().instance)
        # checks by partition, mappings of two dimensions and places of code are such features of the pinned Dagster
        warnings.filterwarnings("ignore", message=".* is currently in (beta|preview)")
        import dagster as dg
        from sqlalchemy.exc import DBAPIError

        from am_assets.definitions import defs
        from am_assets.plan import Plan
        from am_assets.scope import ROOTS, others, scope
        from am_assets.sqlite import keep_open

        in_scope, beside = scope(project(), recipes), others(project(), recipes if with_others else None)
        try:
            with dg.DagsterInstance.get() as storage, keep_open(storage):
                yield Plan(defs, storage, ROOTS, in_scope, select, beside)
        except DBAPIError as error:
            _refuse(instance.in_words(error))


def print_json(content: Any) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False, default=str))
