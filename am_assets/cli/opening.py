"""Options that the commands share, and opening a project and its plan, with errors in files reported to the user."""

import errno
import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from am_assets.cli.terminal import Terminal
from am_assets.config.files import ConfigError
from am_assets.orchestration import instance
from am_assets.runtime.garbage import importing
from am_assets.storage.atomic import error_number
from am_assets.storage.shared.objects import StoreError

if TYPE_CHECKING:
    from am_assets.project import Project

console = Terminal()
errors = Terminal(stderr=True)
Recipes = Annotated[
    list[str] | None,
    typer.Option("--recipe", "-r", help="A recipe, where the project has more than one; may be repeated."),
]
Every = Annotated[bool, typer.Option("--all", help="All recipes of the project.")]
Select = Annotated[str | None, typer.Option("--select", "-s", help="Dagster asset selection, e.g. '+sft_dataset'.")]
UNWRITABLE = {  # what the advice is where a file can't be read or written
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space and run again; nothing stored is lost"),
    **dict.fromkeys((errno.EROFS, errno.EACCES), "let this user read and write it, or name another folder"),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR), "name another folder"),
}
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def opened() -> Iterator["Project"]:
    """The project at hand. A `ConfigError`, an error of the store or of a disk in the block ends the command with its
    message, and exit code 2."""
    try:
        from am_assets.project import data_folder, project

        project().refuse_broken()
        yield project()
    except (ConfigError, StoreError) as error:
        exit_with(str(error))
    except OSError as error:
        exit_with(unwritable(error, data_folder()))


def unwritable(error: OSError, folder: Path) -> str:
    """What stands in the way of reading or writing a folder, and what to do; raises an error of another kind."""
    advice = UNWRITABLE.get(error_number(error) or 0)
    if advice is None:
        raise error
    said = f"{error.filename or folder}: {error.strerror}" if error.strerror else str(error)
    return f"{said}: {advice}"


def say(words: str, style: str | None = None) -> None:
    """Print text as it is: no markup is read in it, and the terminal wraps it."""
    console.print(words, style=style, markup=False, highlight=False, soft_wrap=True)


def complain(words: str) -> None:
    """Print an error to stderr, as it is."""
    errors.print(words, style="red", markup=False, highlight=False, soft_wrap=True)


def exit_with(message: str) -> NoReturn:
    """End the command with an error, and exit code 2."""
    complain(message)
    sys.exit(2)


@contextmanager
def open_plan(
    here: "Project",
    recipes: list[str] | None,
    select: str | None,
    with_others: bool = False,
    experiment: str | None = None,
) -> Iterator:
    """The plan for `recipes` (None: all that have a file) and the report of an `experiment`, including decisions of
    other recipes to refresh if `with_others`.

    An error of the instance's database ends the command with a message about its file, and exit code 2.
    """
    instance.prepare_environment(here.instance)
    # partitioned checks, two-dimensional partition mappings and code references of the pinned Dagster
    warnings.filterwarnings("ignore", message=".* is currently in (beta|preview)")
    with importing():
        from sqlalchemy.exc import DBAPIError

        from am_assets.definitions import build_definitions
        from am_assets.orchestration import postgres
        from am_assets.orchestration.sqlite import open_instance
        from am_assets.planning.plan import Plan
        from am_assets.planning.scope import others, roots, scope
        from am_assets.storage.shared.database import DatabaseError

    postgres.ready(here)
    in_scope, beside = scope(here, recipes, experiment), others(here, recipes if with_others else None)
    try:
        with open_instance(Path(os.environ["DAGSTER_HOME"])) as storage:
            yield Plan(build_definitions(here), storage, roots(here, recipes), in_scope, select, beside)
    except (DBAPIError, DatabaseError) as error:
        exit_with(instance.diagnose(error))
    except Exception as error:
        if not isinstance(error.__cause__, DBAPIError):  # as dagster-postgres raises it after some tries
            raise
        exit_with(instance.diagnose(error.__cause__))


def chosen_recipes(here: "Project", recipes: list[str] | None, every: bool = False) -> list[str]:
    """The recipes of a command, without duplicates: the named ones, all that have a file, or the only one of them.
    Variants of experiments have to be named.

    `ConfigError` where one does not exist, or none of several is named: a command spends and changes only for recipes
    that the user named.
    """
    there = list(here.recipes)
    if every and recipes:
        raise ConfigError("--recipe and --all exclude each other")
    if not recipes and not every and len(there) != 1:
        raise ConfigError(f"which recipe? Name it with --recipe, or all of them with --all: {', '.join(there)}")
    chosen = list(dict.fromkeys(recipes or there))
    for name in chosen:
        here.recipe(name)
    return chosen


def one_recipe(here: "Project", recipes: list[str] | None) -> str:
    """The recipe of a command that takes one."""
    chosen = chosen_recipes(here, recipes)
    if len(chosen) > 1:
        raise ConfigError(f"one recipe at a time, and not {', '.join(chosen)}")
    return chosen[0]


def print_json(content: Any) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False, default=str))
