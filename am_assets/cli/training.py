"""`am train`: train a recipe's student, or tell beforehand what that would take."""

import os
from typing import TYPE_CHECKING, Annotated

import typer
import yaml
from rich.table import Column, Table

from am_assets.cli import app
from am_assets.cli.applying import Dollars, apply
from am_assets.cli.opening import AsJson, Recipes, console, one_recipe, opened, print_json, say
from am_assets.config.hardware import BY_NAME
from am_assets.runtime.wording import counted

if TYPE_CHECKING:
    from am_assets.planning.dry_run import DryRun

TRAINING = "training_policy or sft_checkpoint"  # with an edit of the policy


@app.command()
def train(
    recipe: Recipes = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only reckon memory, time and the command.")] = False,
    hardware: Annotated[str | None, typer.Option(help="A preset of hardware.yaml.", envvar=BY_NAME)] = None,
    budget: Dollars = None,
    as_json: AsJson = False,
) -> None:
    """Train the student of a recipe: an apply of its policy and sft_checkpoint alone, for a dataset that is there.

    With --dry-run, print for each preset of hardware.yaml whether the training fits its devices, and for the one that
    does the memory by part, the command and the time. It needs no GPU, no weights and no network."""
    with opened() as here:
        name = one_recipe(here, recipe)
        if not dry:
            if hardware:
                os.environ[BY_NAME] = hardware
            apply(recipe=[name], every=False, select=TRAINING, budget=budget, as_json=as_json)
            return
        from am_assets.planning.dry_run import dry_run

        seen = dry_run(here, name, hardware)
    print_json(seen.to_dict()) if as_json else _show(seen)
    if not any(one.fits for one in seen.fits if one.preset == seen.chosen):
        raise typer.Exit(1)


def _show(seen: "DryRun") -> None:
    part = f", {seen.trained / 1e6:,.1f} million of them trained" if seen.trained != seen.parameters else ""
    say(f"{seen.student} by recipe {seen.recipe}: {seen.parameters / 1e9:.2f} billion parameters{part}")
    table = Table("preset", *(Column(f"GB a {one}", justify="right") for one in ("device", "machine")), "fits")
    for one in seen.fits:
        device, host = (f"{sum(gb.values()):,.1f}" if gb else "" for gb in (one.device_gb, one.host_gb))
        table.add_row(one.preset, device, host, "yes" if one.fits else "no: " + "; ".join(one.why_not))
    console.print(table)
    if seen.chosen is None:
        say("No preset fits: name smaller ones or more devices in hardware.yaml.")
        return
    chosen = next(one for one in seen.fits if one.preset == seen.chosen)
    for name, parts in {"device": chosen.device_gb, "machine": chosen.host_gb}.items():
        if parts:
            table = Table(f"{seen.chosen}: of each {name}", Column("GB", justify="right"))
            for part_name, size in {**parts, "together": sum(parts.values())}.items():
                table.add_row(part_name, f"{size:,.2f}")
            console.print(table)
    say(
        f"{counted(seen.tokens_a_step, 'token')} a step at most,"
        f" {counted(seen.device_batch, 'sequence')} a device at once"
    )
    if seen.hours is not None and seen.tokens is not None:
        say(f"about {seen.hours:,.1f} hours for about {counted(seen.tokens, 'token')}")
    say(f"about {seen.hours_a_billion:,.1f} hours for a billion tokens")
    for line in seen.basis:
        say(f"  {line}")
    say(f"\n{seen.command}")
    if seen.accelerate:
        say("\n# accelerate.yaml")
        say(yaml.safe_dump(seen.accelerate, sort_keys=False).rstrip())
