"""Rendering of plans: an outline, the steps in full, and what models would be asked."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from am_assets.cli.opening import console
from am_assets.orchestration.assets import TABLE
from am_assets.planning.costs import Estimate
from am_assets.planning.outline import Cause, Outline
from am_assets.planning.plan import NEW
from am_assets.planning.steps import Step
from am_assets.runtime.wording import counted, roughly

SHOWN = 4  # partitions listed of one cause


def show_outline(found: Outline) -> None:
    """Print how much is to be done, what it costs and takes, and the causes of it."""
    console.print(Text(", ".join(_figures(found)), style="bold"))
    for cause in found.causes:
        console.print(Text(f"because {cause.because}:"))
        for words in _partitions(cause):
            console.print(Padding(Text(words), (0, 0, 0, 2), expand=False))
    if found.never_applied:
        partitions = counted(sum(found.never_applied.values()), "partition")
        console.print(Text(f"never applied: {', '.join(found.never_applied)} ({partitions})"))
    if slow := [asset for asset in found.untimed if TABLE[asset].pool]:
        console.print(Text(f"time not known, as not measured here yet: {', '.join(slow)}", style="dim"))


def _figures(found: Outline) -> list[str]:
    states = {"to make": found.missing, "stale": found.stale, "may follow": found.follows}
    words = [f"{count:,} {state}" for state, count in states.items() if count or state != "may follow"]
    requests = counted(found.requests, "request")
    if found.most_requests > found.requests:
        requests = f"about {requests}, at most {found.most_requests:,}"
    known = found.exact or not found.most_requests or found.most_requests > found.requests
    words.append(requests if known else f"at most {requests}")
    words.append("price unknown" if found.dollars is None else _money(found.dollars))
    if found.seconds >= 1:
        training = f" ({roughly(found.training)} of it training)" if found.training else ""
        words.append(f"{'at least' if found.untimed else 'about'} {roughly(found.seconds)}{training}")
    return words


def _money(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= 0.01 else "under $0.01" if dollars else "$0"


def _partitions(cause: Cause) -> list[str]:
    lines = []
    for words, assets in (("", cause.own), ("then, where content changes: ", cause.follows)):
        one = "" if cause.because == NEW else "[{}]"
        names = (asset + (f" ({len(at)})" if len(at) > 1 else one.format(at[0])) for asset, at in assets.items())
        if assets:
            lines.append(words + ", ".join(names))
    return lines


def show_steps(steps: list[Step]) -> None:
    """Print the steps by asset, with partitions of the same cause in one row."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for step in steps:
        groups.setdefault((step.asset, step.state, step.because), []).append(step.partition)
    folded = (Column(name, overflow="fold") for name in ("partitions", "state", "why"))
    table = Table(Column("asset", no_wrap=True), *folded, box=SIMPLE_HEAD, pad_edge=False,
                  title=counted(len(steps), "partition"))  # fmt: skip
    for (asset, state, because), partitions in groups.items():
        more = f" and {len(partitions) - SHOWN} more" if len(partitions) > SHOWN else ""
        table.add_row(asset, ", ".join(partitions[:SHOWN]) + more, state, escape(f"because {because}"))
    console.print(table)


def show_costs(estimates: list[tuple[Step, Estimate]], with_basis: bool = True, console: Console = console) -> None:
    """Print the estimated requests to models by asset, and the basis of each figure if `with_basis`; nothing of steps
    that ask none."""
    estimates = [(step, estimate) for step, estimate in estimates if estimate.most_requests]
    if not estimates:
        console.print("No model is asked.")
        return
    names = ("requests", "tokens in", "tokens out", "cost, $", "at most, $")
    figures = (Column(name, justify="right") for name in names)
    title = "What models would be asked"
    table = Table(Column("asset", no_wrap=True), *figures, box=SIMPLE_HEAD, pad_edge=False, title=title)
    groups: dict[str, list[Estimate]] = {}
    for step, estimate in estimates:
        groups.setdefault(step.asset, []).append(estimate)
    for asset, group in [*groups.items(), ("all", [estimate for _, estimate in estimates])]:
        table.add_row(asset, *_sums(group))
    console.print(table)
    if not with_basis:
        return
    for line in dict.fromkeys(line for _, estimate in estimates for line in estimate.basis):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    console.print("  prompts at 4 characters a token", highlight=False)


def _sums(estimates: list[Estimate]) -> list[str]:
    names = ("requests", "most_requests", "prompt_tokens", "completion_tokens")
    requests, most, *tokens = (sum(getattr(one, name) for one in estimates) for name in names)
    at_most = "" if all(one.exact for one in estimates) else "at most "
    asked = f"about {requests:,}, at most {most:,}" if most > requests else f"{at_most}{requests:,}"
    unpriced = " and what has no price" if any(one.dollars is None for one in estimates) else ""
    dollars = [sum(getattr(one, name) or 0 for one in estimates) for name in ("dollars", "most")]
    return [asked, *(f"{sum:,}" for sum in tokens), *(f"{sum:.4f}{unpriced}" for sum in dollars)]
