"""Rendering of a preview."""

from rich.markup import escape
from rich.table import Column, Table

from am_assets.cli.opening import console, say
from am_assets.cli.show_plan import show_costs
from am_assets.planning.preview.comparison import Comparison
from am_assets.planning.preview.whatif import Preview

SHOWN = 3  # stale partitions listed of an asset


def show_preview(seen: Preview) -> None:
    """Print kept questions and responses before and after by group, drop reasons, and requests to models."""
    if seen.outdated:
        partitions: dict[str, list[str]] = {}
        for step in seen.outdated:
            partitions.setdefault(step.asset, []).append(step.partition)
        above = [f"{asset}[{', '.join(at[:SHOWN])}{', ...' if at[SHOWN:] else ''}]" for asset, at in partitions.items()]
        say(f"Not up to date, so the figures may be off: {', '.join(above)}; am plan says why", "yellow")
    settings = f"with {', '.join(seen.changes)}" if seen.changes else "as its file stands"
    console.print(_comparison(f"Questions of {seen.recipe} {settings}", seen.questions))
    if seen.responses:
        console.print(_comparison("Responses, of those that are there", seen.responses))
    else:
        console.print("No response is verified yet.")
    show_costs(seen.asked)


def _comparison(title: str, compared: Comparison) -> Table:
    heads = (Column(name, justify="right") for name in ("before", "after", "gained", "lost"))
    table = Table("by", "group", *heads, title=escape(title))
    for (_,), rows in compared.groups.group_by("by", maintain_order=True):
        for by, group, *figures in rows.rows():
            table.add_row(by, group, *(f"{figure:,}" for figure in figures))
        table.add_section()
    for reason, rows in compared.reasons.rows():
        table.add_row("lost because", reason, "", "", "", f"{rows:,}")
    return table
