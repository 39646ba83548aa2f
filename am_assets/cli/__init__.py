"""The command `am`: questions about a project answered in a terminal,
and bringing it up to date.

  am init FOLDER --from FILE       a project over data of your own, which
                                   applies as it is
  am read FILE                     what a file of questions would be in the
                                   pool; needs no project
  am catalog                       published data sets that `use:` and `am
                                   read` know by name
  am plan                          what is missing or stale, because of what,
                                   and what it would cost
  am apply -r demo                 bring a recipe up to date; several -r, or
                                   --all
  am apply -r demo -s "+sft_dataset"
                                   with Dagster's asset selection syntax
  am apply -r demo --budget 20     asking models for at most 20 dollars,
                                   without a question
  am preview -r demo --set dedup.threshold=0.9
                                   what other settings would keep, lose and
                                   ask
  am explain ID -r demo            the way of one question, and the line that
                                   kept or dropped it
  am diff -r demo -r demo-strict   rows in one set and not in the other, and
                                   the fields that they stem from
  am scores -r demo -r demo-strict
                                   scores with intervals, and whether the two
                                   students can be told apart
  am experiment strictness         train, score and compare an experiment's
                                   variants; without a name, list all
  am judges -r demo                how far each judge agrees with the
                                   verifiers
  am freeze -r demo                keep its questions' pass rates as a round,
                                   by which recipes sample
  am view -r demo                  rows in a browser: search, filter, open,
                                   mark answers
  am marks -r demo                 how far verdicts agree with people;
                                   --export writes test cases
  am push -r demo hf://datasets/OWNER/NAME
                                   hand out what a recipe released, as one
                                   commit with a tag
  am purge                         remove what exclude.txt lists from the
                                   memo, and name what still holds it
  am train -r demo --dry-run       memory, time and command of a training, for
                                   each preset of hardware.yaml
  am verify FILE                   the verdict on each row of a file or a
                                   pipe; needs no project
  am doctor                        what this machine has, what would run
                                   where, and what is missing
  am cluster check                 whether this machine can work on it
                                   together with others (cluster.yaml);
                                   move takes along what it did alone
  am memo                          what was measured so far, how large and how
                                   old it is
  am memo responses KEY            one answer in full

A project's only recipe needs no naming. Each of them prints JSON with --json. Only talking to a person belongs here.
"""

from importlib.metadata import version
from typing import Annotated

import typer

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
