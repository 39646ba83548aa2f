"""What the commands have in common: options, and opening a project and its plan, where a mistake in a file is told."""

import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from am_assets.config.files import ConfigError
from am_assets.orchestration import instance

console = Console()
Recipes = Annotated[
    list[str] | None,
    typer.Option("--recipe", "-r", help="A recipe, where the project has more than one; may be repeated."),
]
Every = Annotated[bool, typer.Option("--all", help="All recipes of the project.")]
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
        from sqlalchemy.exc import DBAPIError

        from am_assets.definitions import build_definitions
        from am_assets.orchestration.sqlite import open_instance
        from am_assets.planning.plan import Plan
        from am_assets.planning.scope import others, roots, scope

        in_scope, beside = scope(project(), recipes), others(project(), recipes if with_others else None)
        try:
            with open_instance(Path(os.environ["DAGSTER_HOME"])) as storage:
                yield Plan(build_definitions(project()), storage, roots(project(), recipes), in_scope, select, beside)
        except DBAPIError as error:
            _refuse(instance.in_words(error))


def named(recipes: list[str] | None, every: bool = False) -> list[str]:
    """The recipes that a command is about, each once: those it names, all of them, or the only one there is.

    `ConfigError` where one is not there, or none is named of several: what a command spends and changes is for the
    recipes that somebody named.
    """
    from am_assets.project import project

    there = list(project().recipes)
    if every and recipes:
        raise ConfigError("--recipe and --all exclude each other")
    if not recipes and not every and len(there) != 1:
        raise ConfigError(f"which recipe? Name it with --recipe, or all of them with --all: {', '.join(there)}")
    chosen = list(dict.fromkeys(recipes or there))
    for name in chosen:
        project().recipe(name)
    return chosen


def only(recipes: list[str] | None) -> str:
    """The one recipe that a command is about."""
    chosen = named(recipes)
    if len(chosen) > 1:
        raise ConfigError(f"one recipe at a time, and not {', '.join(chosen)}")
    return chosen[0]


def print_json(content: Any) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False, default=str))
