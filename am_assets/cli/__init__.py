"""Questions about a project answered in a terminal, and bringing it up to date.

  am read FILE                       what a file of questions would be
  am init FOLDER --from FILE         a project over it, which applies as it is
  export AM_DATA=FOLDER
  am plan                            what an apply does, asks and costs
  am apply -s "+sft_dataset" -b 20   the dataset, for at most 20 dollars
  am view                            its rows in a browser
  am apply                           the rest: student, scores, report

A project's only recipe needs no naming; -r names others. --json prints JSON.

Only talking to a person belongs here.
"""

from importlib.metadata import version
from typing import Annotated

import typer
from typer.models import CommandInfo

PANELS = {
    "Your data": ["read", "init", "catalog", "verify"],
    "Plan and apply": ["doctor", "plan", "apply", "preview", "train", "experiment", "freeze"],
    "Look": ["view", "explain", "diff", "scores", "judges", "marks"],
    "Hand out, keep, remove": ["push", "memo", "purge", "cluster"],
}
# \b keeps the lines of a paragraph
HELP = f"\b\n{__doc__.partition('Only talking')[0].strip()}".replace("\n\n", "\n\n\b\n")
app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=HELP, rich_markup_mode="rich"
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"am-assets {version('am-assets')}")
        raise typer.Exit


@app.callback(help=HELP)
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


from am_assets.cli import (  # noqa: E402, F401  (they add their commands to `app`)
    applying,
    asking,
    doctoring,
    experimenting,
    freezing,
    judging,
    listing,
    memo,
    planning,
    purging,
    pushing,
    reading,
    scoring,
    sharing,
    starting,
    training,
    verifying,
    viewing,
)


def _arrange(commands: list[CommandInfo]) -> None:
    """Order the commands as PANELS has them, each in its panel."""
    named = {info.name or info.callback.__name__: info for info in commands if info.callback}
    for panel, names in PANELS.items():
        for name in names:
            named[name].rich_help_panel = panel
    commands[:] = [named[name] for names in PANELS.values() for name in names]


_arrange(app.registered_commands)
