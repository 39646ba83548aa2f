"""What the commands have in common: options, and opening a project and its plan, where a mistake in a file is told."""

import json
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from am_assets.recipe import ConfigError

console = Console()
Recipes = Annotated[list[str] | None, typer.Option("--recipe", "-r", help="Only these recipes (default: all).")]
Select = Annotated[str | None, typer.Option("--select", "-s", help="Dagster asset selection, e.g. '+sft_dataset'.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def told_mistakes() -> Iterator[None]:
    """A mistake in a file ends the command with its words."""
    try:
        yield
    except ConfigError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


@contextmanager
def opened(recipes: list[str] | None, select: str | None) -> Iterator:
    """The plan of the chosen recipes."""
    with told_mistakes():
        from am_assets.project import project

        _prepare_environment(project().instance)
        import dagster as dg

        # partitioned asset checks and multi-partition mappings are preview and beta features of the pinned Dagster
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        warnings.filterwarnings("ignore", category=dg.BetaWarning)
        from am_assets.definitions import defs
        from am_assets.plan import Plan
        from am_assets.scope import ROOTS, scope
        from am_assets.sqlite import keep_open

        in_scope = scope(project(), recipes)
        with dg.DagsterInstance.get() as instance:
            keep_open(instance)
            yield Plan(defs, instance, ROOTS, in_scope, select)


def _prepare_environment(instance: Path) -> None:
    """What has to stand before Dagster and torch load; a new project folder gets the bundled instance settings."""
    os.environ.setdefault("DAGSTER_HOME", str(instance))
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else threads of model server and torch spin at each other
    os.environ.setdefault("TQDM_DISABLE", "1")  # the libraries' bars would run through ours
    settings = Path(os.environ["DAGSTER_HOME"]) / "dagster.yaml"
    if not settings.exists():
        settings.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(__file__).parents[2] / "data" / "instance" / "dagster.yaml", settings)


def print_json(content: Any) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False, default=str))
