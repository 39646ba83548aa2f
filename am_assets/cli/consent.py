"""The budget of an apply without --budget: what a person confirms at a terminal, else nothing."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from am_assets.cli.opening import console, errors

if TYPE_CHECKING:
    from am_assets.planning.costs import Estimate
    from am_assets.planning.steps import Step


def confirmed_budget(estimates: "Mapping[Step, Estimate]", can_ask: bool) -> float:
    """Dollars that the planned steps may spend: 0 without a question where they use free models only.

    Otherwise the estimates are shown and the user is asked to confirm; "no" ends the command. `ConfigError`, before any
    request to a model, where the user can't be asked, or a model has no known price.
    """
    from am_assets.cli.show_plan import show_costs
    from am_assets.planning.consent import most_dollars, unnamed

    found = [(step, estimate) for step, estimate in estimates.items() if estimate.most != 0]
    if not found:
        return 0.0
    show_costs(found, console=errors)
    most = most_dollars([estimate for _, estimate in found])
    if not (can_ask and console.is_terminal and sys.stdin.isatty()):
        raise unnamed(most, "--budget")
    if not typer.confirm(f"Models would be asked, for at most ${most:.2f}. Go on?"):
        console.print("Nothing was done.")
        raise typer.Exit(1)
    return most
