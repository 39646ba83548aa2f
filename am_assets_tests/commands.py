"""The command `am` in this process, over a desk's folder as it is now."""

import json
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from am_assets_tests.desk import Desk


def am(desk: Desk, *arguments: str) -> Result:
    desk.open(None, None)
    from am_assets.cli import app

    return CliRunner(env={"COLUMNS": "300"}).invoke(app, arguments)


def planned(desk: Desk, *arguments: str) -> dict[tuple[str, str], Any]:
    """What `am plan` says of each partition: its state and why."""
    steps = told(am(desk, "plan", "--json", *arguments))["steps"]
    return {(step["asset"], step["partition"]): (step["state"], step["because"]) for step in steps}


def applied(desk: Desk, *arguments: str) -> dict[tuple[str, str], str]:
    """How each partition ended that `am apply` ran."""
    outcomes = told(am(desk, "apply", "--json", *arguments))["outcomes"]
    return {(outcome["asset"], outcome["partition"]): outcome["result"] for outcome in outcomes}


def told(result: Result) -> Any:
    """The JSON that a command printed."""
    assert result.stdout.startswith(("{", "[")), (result.exit_code, result.output, result.exception)
    return json.loads(result.stdout)
