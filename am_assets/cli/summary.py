"""Rendering of the results of an apply (funnel, costs, scores), and of the memo."""

from collections.abc import Container, Iterator
from pathlib import Path

import polars as pl
from rich.markup import escape
from rich.table import Column, Table

from am_assets.cli.opening import complain, console, say
from am_assets.cli.planning import UP_TO_DATE
from am_assets.config.addresses import UI
from am_assets.evaluation.layout import asked, sentences
from am_assets.evaluation.scores import GAIN, SCORE
from am_assets.planning.nothing_kept import nothing_kept
from am_assets.planning.plan import Plan
from am_assets.planning.steps import Outcome, Step
from am_assets.project import Project
from am_assets.runtime.wording import counted
from am_assets.storage.schemas import EvalScores

COSTS = ["seconds", "requests", "prompt_tokens", "completion_tokens", "cost_usd"]
LATEST = 20  # rows shown of a namespace
CELL_CHARS = 60


def show_holdings(holdings: pl.DataFrame) -> None:
    if holdings.is_empty():
        console.print("Nothing was measured yet.")
        return
    right = {name: Column(name, justify="right") for name in ("rows", "MB", "paid, $", "unwanted")}
    names = ("namespace", "rows", "MB", "oldest", "newest", "paid, $", "unwanted")
    table = Table(*(right.get(name, name) for name in names), title="Memo: what was measured")
    for row in holdings.iter_rows(named=True):
        ages = [f"{row[name]:%Y-%m-%d}" if row[name] else "not kept" for name in ("oldest", "newest")]
        paid = "" if row["dollars"] is None else f"{row['dollars']:.4f}"
        unwanted = "not recorded" if row["unwanted"] is None else f"{row['unwanted']:,}"
        table.add_row(row["namespace"], f"{row['measurements']:,}", f"{row['bytes'] / 1e6:,.1f}", *ages, paid, unwanted)
    console.print(table)
    for row in holdings.filter(pl.col("interrupted") > 0).iter_rows(named=True):
        console.print(
            f"{row['namespace']}: {counted(row['interrupted'], 'answer')} cut off by an interrupt, which an earlier"
            " version stored; they count as not there and are asked for again"
        )
    if untold := holdings["untold"].sum():
        console.print(
            f"{counted(int(untold), 'answer')} stored by an earlier version, without the provider's message: what"
            " thinking it had in other fields than reasoning_content and reasoning, and whether the provider told that"
            " an answer was complete, can't be told any more"
        )


def show_disk(taken: pl.DataFrame) -> None:
    """Print what the project takes on disk, and what of it could be removed."""
    figures = (Column(name, justify="right") for name in ("files", "MB", "removable, MB"))
    table = Table("kind", "name", *figures, title="On disk")
    for kind, name, files, size, gone in taken.iter_rows():
        table.add_row(kind, name, f"{files:,}", _megabytes(size), "not known" if gone is None else _megabytes(gone))
    table.add_section()
    total = taken.select(pl.sum("files", "bytes", "removable")).row(0)
    table.add_row("all", "", f"{total[0]:,}", *map(_megabytes, total[1:]))
    console.print(table)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def show_spending(spent: pl.DataFrame, by: list[str]) -> None:
    """Print what models were asked and paid, a row for each group, and the sum."""
    figures = (Column(name, justify="right") for name in ("requests", "tokens in", "tokens out", "cost, $"))
    table = Table(*by, *figures, title="What models were asked so far")
    for row in spent.iter_rows():
        table.add_row(*(escape(str(cell)) for cell in row[: len(by)]), *_spent(row[len(by) :]))
    table.add_section()
    table.add_row("all", *[""] * (len(by) - 1), *_spent(spent.select(pl.all().exclude(by).sum()).row(0)))
    console.print(table)


def _spent(figures: tuple) -> list[str]:
    *counts, dollars = (figure or 0 for figure in figures)
    return [*(f"{count:,}" for count in counts), f"{dollars:,.4f}"]


def show_measurements(rows: pl.DataFrame) -> None:
    table = Table("key", "measured", title=f"the latest {counted(rows.height, 'row')}")
    for row in rows.iter_rows(named=True):
        cells = (f"{name}: {' '.join(str(value).split())[:CELL_CHARS]}" for name, value in row.items() if name != "key")
        table.add_row(row["key"], escape("; ".join(cells)))
    console.print(table)


def show_measurement(rows: pl.DataFrame) -> None:
    for name, value in rows.row(0, named=True).items():
        say(f"{name}: {value}")


def show(here: Project, plan: Plan, outcomes: list[Outcome], recipes: list[str]) -> None:
    """Print what was made: funnel and scores of each recipe that has new ones, what it took, then failures."""
    assets = here.assets
    if not outcomes:
        console.print(UP_TO_DATE)
        return
    made = {(outcome.step.asset, outcome.step.partition) for outcome in outcomes if outcome.result == "done"}
    for recipe in recipes:
        if ("recipe_report", recipe) in made:
            console.print(_funnel(recipe, pl.read_parquet(assets / "recipe_report" / f"{recipe}.parquet")))
    console.print(_spending(plan, made))
    for recipe in recipes:
        for path in sorted((assets / "eval_scores").glob(f"*/{recipe}.parquet")):
            if ("eval_scores", f"{path.parent.name}|{recipe}") in made:
                console.print(_scores(path))
    console.print(f"{counted(len(made), 'partition')} materialized.")
    for line in without_rows(here, outcomes, recipes):
        say(line, "yellow")
    show_failures(outcomes)
    for line in released(made, recipes, assets):
        say(line)
    console.print(f"The graph: [bold]make ui[/bold], then {UI}", highlight=False)


def released(made: Container[tuple[str, str]], recipes: list[str], assets: Path) -> Iterator[str]:
    """Where the dataset of each recipe lies that has a new one, and how its rows are looked at and handed out."""
    for recipe in recipes:
        if ("sft_dataset", recipe) not in made:
            continue
        table = assets / "sft_dataset" / f"{recipe}.parquet"
        rows = pl.scan_parquet(table).select(pl.len()).collect().item()
        yield f"Released by {recipe}: {counted(rows, 'row')}, in {table.with_suffix('')}"
        if ("recipe_report", recipe) in made:
            yield f"  report:   {assets / 'recipe_report' / recipe}.html"
        yield f"  look:     am view -r {recipe}"
        yield f"  hand out: am push -r {recipe} hf://datasets/OWNER/NAME"


def without_rows(here: Project, outcomes: list[Outcome], recipes: list[str]) -> list[str]:
    """What is to be said of recipes of which a decision just made keeps nothing."""
    made = [outcome.step for outcome in outcomes if outcome.result == "done"]
    return [
        line
        for recipe in recipes
        for line in nothing_kept(here, recipe, {step.asset for step in made if step.partition == recipe})
    ]


def show_failures(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        name = f"{outcome.step.asset}[{outcome.step.partition}]"
        words = {"failed": f"failed {name}: {outcome.error}", "waits": f"not run {name}: {outcome.step.because}"}
        if outcome.result in words:
            complain(words[outcome.result])


def show_interrupted(outcomes: list[Outcome], under_way: Step | None) -> None:
    done = sum(outcome.result == "done" for outcome in outcomes)
    console.print(
        f"Interrupted. {counted(done, 'partition')} {'was' if done == 1 else 'were'} materialized.", highlight=False
    )
    if under_way:
        say(f"{under_way.asset}[{under_way.partition}] was under way: its run is canceled, what it measured is kept.")
    console.print("The same command goes on from here.")


def _funnel(recipe: str, report: pl.DataFrame) -> Table:
    table = Table("stage", "outcome", Column("rows", justify="right"), title=f"Funnel of recipe {recipe}")
    for (stage,), rows in report.group_by("stage", maintain_order=True):
        for outcome, count in rows.select("outcome", "rows").rows():
            table.add_row(str(stage), outcome, f"{count:,}")
        table.add_section()
    return table


def _spending(plan: Plan, of: Container[tuple[str, str]]) -> Table:
    """Seconds, tokens and dollars of the partitions that this run made, by asset."""
    names = ("seconds", "requests", "tokens in", "tokens out", "cost, $")
    figures = (Column(name, justify="right") for name in names)
    table = Table(Column("asset", no_wrap=True), *figures, title="What this run took")
    totals = dict.fromkeys(COSTS, 0.0)
    for key in plan.keys:
        sums = dict.fromkeys(COSTS, 0.0)
        for partition, made in plan.records.made(key).items():
            if (key.to_user_string(), partition) in of:
                for name in COSTS:
                    sums[name] += float(made.metadata.get(name, 0))
        if sums["seconds"] >= 0.5 or sums["requests"]:
            table.add_row(key.to_user_string(), *_figures(sums))
        totals = {name: totals[name] + sums[name] for name in COSTS}
    table.add_section()
    table.add_row("all", *_figures(totals))
    return table


def _figures(sums: dict[str, float]) -> list[str]:
    return [f"{sums['seconds']:,.1f}", *(f"{sums[name]:,.0f}" for name in COSTS[1:4]), f"{sums['cost_usd']:.4f}"]


def _scores(path: Path) -> str:
    """Of each student the score and form, then what the trained one gained; nothing of scores that an earlier version
    made."""
    scores, benchmark = pl.read_parquet(path), path.parent.name
    if scores.columns != EvalScores.column_names():
        return f"{benchmark}: scored by an earlier version; am apply brings the scores up to date"
    figures = scores.filter((pl.col("student") != GAIN) & (pl.col("items") == "all"))
    lines = []
    for (student,), rows in figures.group_by("student", maintain_order=True):
        of = {row["metric"]: row for row in rows.to_dicts()}
        right = of[SCORE]
        lines.append(
            f"{benchmark}: {student} student {right['value']:.1%} right"
            f" (95 % interval {right['ci_low']:.1%} to {right['ci_high']:.1%}),"
            f" {1 - of['malformed']['value']:.1%} well formed, {asked(scores)}"
        )
    return "\n".join([*lines, *(f"{benchmark}: {said}" for said in sentences(scores))])
