"""`am experiment`: carry out an experiment of the project by its name, and say what can be concluded of it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from am_assets.cli import app
from am_assets.cli.applying import Dollars, Done, carry_out
from am_assets.cli.opening import AsJson, console, open_plan, opened, print_json, say
from am_assets.cli.planning import show_plan
from am_assets.runtime.wording import counted

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan
    from am_assets.project import Project

NEEDED = "+experiment_report or +eval_scores"  # what is made of the variants: the report, and what am scores prints
Name = Annotated[str | None, typer.Argument(help="An experiment; without it all are listed.", show_default=False)]


@app.command()
def experiment(
    name: Name = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print what it would do and cost.")] = False,
    budget: Dollars = None,
    as_json: AsJson = False,
) -> None:
    """Train and score the variants of an experiment, compare their students, and print what can be concluded.

    Only what is missing or stale runs, as by am apply; what models would cost is shown and confirmed as there. Variants
    share all evidence, and those whose rows are the same share a training."""
    if name is None:
        _list(as_json)
        return
    with opened() as here:
        from am_assets.planning.experiments import variants_of

        variants = variants_of(here, name)
        recipes = list(variants.values())
        with open_plan(here, recipes, NEEDED, with_others=True, experiment=name) as found:
            if plan:
                _plan(here, name, found, variants, as_json)
                return
            done = carry_out(here, found, recipes, budget, quiet=as_json)
        _conclude(here, name, done, as_json)
    done.exit()


def _plan(here: "Project", name: str, found: "Plan", variants: dict[str, str], as_json: bool) -> None:
    from am_assets.planning.foresight import foreseen

    ahead = foreseen(found, here, variants)
    if as_json:
        told = {variant: asdict(one) for variant, one in (ahead or {}).items()}
        show_plan(
            here, found, list(variants.values()), as_json, experiment=name, variants=variants, foreseen=told or None
        )
        return
    say(here.experiments.get(name).question)
    show_plan(here, found, list(variants.values()), as_json)
    if ahead is None:
        trainings = counted(len(variants), "training")
        say(f"{trainings} at most: how many rows each variant keeps is known once evidence is there.")
        return
    figures = (Column(name, justify="right") for name in ("rows of what is there", "requests to teachers"))
    table = Table("variant", *figures, "student")
    for variant, one in ahead.items():
        own = {None: "its own, to be trained", one.recipe: "its own"}
        student = own.get(one.shares, f"that of {one.shares}")
        table.add_row(variant, f"{one.rows:,}", f"{one.requests:,}", student)
    console.print(table)


def _conclude(here: "Project", name: str, done: Done, as_json: bool) -> None:
    from am_assets.cli.summary import show_failures
    from am_assets.planning.experiments import reported

    report = None if done.interrupted else reported(here, name)
    if as_json:
        print_json(done.to_dict() | {"experiment": name, "report": report and report.to_dict()})
        return
    show_failures(done.outcomes)
    if report is None:
        return
    console.print(_figures(report))
    for said in report.beside:
        say(said)
    say(f"{report.question} {report.conclusion}")


def _figures(report) -> Table:
    table = Table("", *(Column(one, justify="right") for one in report.variants), title=escape(report.question))
    for part, rows in report.figures.items():
        for name, values in rows.items():
            table.add_row(f"{part}: {name}", *values)
        table.add_section()
    return table


def _list(as_json: bool) -> None:
    with opened() as here:
        from am_assets.planning.experiments import listed

        found = listed(here)
        if as_json:
            print_json(found)
            return
        if not found:
            say(f"No experiment in {here.data / 'experiments'}.")
            return
        table = Table("experiment", "question", "variants", "concluded")
        for one in found:
            table.add_row(*(escape(one[name] or "") for name in ("name", "question")), ", ".join(one["variants"]),
                          escape(one["fault"] or one["conclusion"] or "not carried out yet"))  # fmt: skip
        console.print(table)
