"""What an apply ends with: the funnel, what it cost, the scores, and where to look."""

from pathlib import Path

import dagster as dg
import polars as pl
from rich.console import Console
from rich.table import Table

from am_assets.plan import Outcome, Plan

SPENT = ["seconds", "requests", "prompt_tokens", "completion_tokens", "cost_usd"]


def show(console: Console, plan: Plan, outcomes: list[Outcome], recipes: list[str], assets: Path) -> None:
    """Funnel and scores of each recipe that has a report, costs by stage, then failures."""
    for recipe in recipes:
        report = assets / "recipe_report" / f"{recipe}.parquet"
        if report.exists():
            console.print(_funnel(recipe, pl.read_parquet(report)))
    console.print(_spending(plan))
    scores = [
        _scores(path) for recipe in recipes for path in sorted((assets / "eval_scores").glob(f"*/{recipe}.parquet"))
    ]
    for lines in scores:
        console.print(lines)
    done = sum(outcome.result == "done" for outcome in outcomes)
    if not outcomes:
        console.print("Nothing to do: everything was up to date.")
    else:
        console.print(f"{done} partitions materialized.")
    for outcome in outcomes:
        name = f"{outcome.step.asset}[{outcome.step.partition}]"
        words = {"failed": f"failed {name}: {outcome.error}", "waits": f"not run {name}: {outcome.step.because}"}
        if outcome.result in words:
            console.print(words[outcome.result], style="red", markup=False, highlight=False, soft_wrap=True)
    console.print("Open the UI with [bold]make ui[/bold], then http://localhost:3000")


def _funnel(recipe: str, report: pl.DataFrame) -> Table:
    table = Table("stage", "outcome", "rows", title=f"Funnel of recipe {recipe}")
    for (stage,), rows in report.group_by("stage", maintain_order=True):
        for outcome, count in rows.select("outcome", "rows").rows():
            table.add_row(str(stage), outcome, f"{count:,}")
        table.add_section()
    return table


def _spending(plan: Plan) -> Table:
    """Of the latest materialization of every partition in question, summed by asset: what making it took."""
    table = Table(
        "asset", "seconds", "requests", "tokens in", "tokens out", "cost, $", title="What the tables took to make"
    )
    totals = dict.fromkeys(SPENT, 0.0)
    for key in plan.keys:
        sums = dict.fromkeys(SPENT, 0.0)
        for partition in plan.partitions(key):
            for name, value in _latest_metadata(plan.instance, key, partition).items():
                if name in sums:
                    sums[name] += value
        if sums["seconds"] >= 0.5 or sums["requests"]:
            table.add_row(key.to_user_string(), *_figures(sums))
        totals = {name: totals[name] + sums[name] for name in SPENT}
    table.add_section()
    table.add_row("all", *_figures(totals))
    return table


def _figures(sums: dict[str, float]) -> list[str]:
    return [f"{sums['seconds']:,.1f}", *(f"{sums[name]:,.0f}" for name in SPENT[1:4]), f"{sums['cost_usd']:.4f}"]


def _latest_metadata(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str) -> dict[str, float]:
    record = instance.get_latest_data_version_record(key, False, partition)
    materialization = record.asset_materialization if record else None
    if materialization is None:
        return {}
    values = {name: value.value for name, value in materialization.metadata.items()}
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def _scores(path: Path) -> str:
    benchmark = path.parent.name
    lines = []
    for row in pl.read_parquet(path).sort("student", descending=True).iter_rows(named=True):
        lines.append(
            f"{benchmark}: {row['student']} student {row['pass_at_1']:.1%} right"
            f" (95 % interval {row['ci_low']:.1%} to {row['ci_high']:.1%}), {row['well_formed']:.1%} well formed,"
            f" {row['questions']} questions x {row['samples']} samples"
        )
    return "\n".join(lines)
