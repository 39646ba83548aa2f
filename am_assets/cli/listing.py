"""`am catalog`: the published data sets that are known by name."""

from rich.table import Column, Table

from am_assets.cli import app
from am_assets.cli.opening import AsJson, console, exit_with, print_json
from am_assets.config.files import ConfigError


@app.command()
def catalog(as_json: AsJson = False) -> None:
    """List published data sets: `use:` of sources.yaml takes them by name, `am read NAME` shows one."""
    try:
        from am_assets.datasets.catalog import load_catalog
        from am_assets.project import sources_file

        entries = load_catalog(sources_file().parent)
    except ConfigError as error:
        exit_with(str(error))
    if as_json:
        print_json({name: entry.as_source() | entry.facts_known() for name, entry in entries.items()})
        return
    # Names and figures are for copying: they stay whole on a narrow terminal, and words are folded.
    folded = (Column(name, overflow="fold") for name in ("form", "license", "has", "teacher"))
    table = Table(Column("name", no_wrap=True), Column("rows", no_wrap=True, justify="right"), *folded)
    for name, entry in entries.items():
        rows = "unknown" if entry.rows is None else f"{entry.rows:,}"
        taught = ", ".join(entry.taught_by)
        table.add_row(name, rows, entry.adapter, entry.license or "unknown", ", ".join(entry.has), taught)
    console.print(table)
