"""The command `am`: questions about a project answered in a terminal, and bringing it up to date.

    am plan                              what is missing or stale, because of what, and what it would cost
    am apply --recipe demo               bring it up to date
    am apply --select "+sft_dataset"     with Dagster's asset selection syntax
    am apply --budget 20                 asking models for at most 20 dollars
    am preview -r demo --set dedup.threshold=0.9   what other settings would keep, lose and ask
    am explain ID -r demo                the way of one question, and the line that kept or dropped it
    am diff demo demo-strict             rows in one set and not in the other, and the fields that they stem from
    am memo                              what was measured so far, how large and how old it is
    am memo responses KEY                one answer in full

Each of them prints JSON with --json. Only talking to a person belongs here.
"""

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

from am_assets.cli import applying, asking, memo, planning  # noqa: E402, F401  (they add their commands to `app`)
