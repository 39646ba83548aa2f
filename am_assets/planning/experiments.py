"""The experiments of a project: their variants, and their reports as they are stored."""

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from am_assets.evaluation.experiments import conclusion
from am_assets.project import Project
from am_assets.storage.schemas import ExperimentReport
from am_assets.storage.stored import StoredTables

REPORT = "experiment_report"
SHARES = {"score", "difference"}


@dataclass(frozen=True)
class Reported:
    """A stored report. `figures` in words by part and name, a value for each variant; `beside` is what can be said of
    questions that no rows touch."""

    question: str
    conclusion: str
    variants: list[str]
    figures: dict[str, dict[str, list[str]]]
    beside: list[str]
    rows: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        told = asdict(self)
        del told["figures"]
        return told


def variants_of(here: Project, name: str) -> dict[str, str]:
    """The variants of an experiment with the names of their recipes; `ConfigError` where it does not exist or any of it
    is invalid."""
    return here.experiments.get(name).keys(name)


def reported(here: Project, name: str) -> Reported | None:
    """The report as it was made last; None where it was not made yet, or by an earlier version."""
    store, experiment = StoredTables(here.assets), here.experiments.named[name]
    if name not in store.partitions(REPORT):
        return None
    table = store.read(REPORT, name)
    if table.columns != ExperimentReport.column_names():
        return None
    variants = table["variant"].unique(maintain_order=True).to_list()
    figures: dict[str, dict[str, list[str]]] = {}
    of_all = table.filter(items="all")
    for part, label in of_all.select(pl.col("part").cast(pl.String), "name").unique(maintain_order=True).rows():
        of = {row["variant"]: _in_words(row) for row in of_all.filter(part=part, name=label).to_dicts()}
        figures.setdefault(part, {})[label] = [of.get(variant, "") for variant in variants]
    beside = table.filter(part="difference", items="untouched")["said"].unique(maintain_order=True).to_list()
    return Reported(experiment.question, conclusion(table), variants, figures, beside, table.to_dicts())


def listed(here: Project) -> list[dict[str, Any]]:
    """Name, question, variants, fault and last conclusion of each experiment, in alphabetical order."""
    found = []
    for name in sorted({*here.experiments.named, *here.experiments.flawed} - {*here.experiments.keys}):
        experiment = here.experiments.named.get(name)
        faults = [here.experiments.flawed.get(name)] if experiment is None else _faults(here, name)
        report = reported(here, name) if experiment else None
        found.append(
            {
                "name": name,
                "question": experiment.question if experiment else None,
                "variants": list(experiment.variants) if experiment else [],
                "fault": "\n".join(fault for fault in faults if fault) or None,
                "conclusion": report.conclusion if report else None,
            }
        )
    return found


def _faults(here: Project, name: str) -> list[str | None]:
    return [here.experiments.flawed.get(key) for key in here.experiments.named[name].keys(name).values()]


def _in_words(row: dict[str, Any]) -> str:
    if row["part"] not in SHARES:
        return f"{row['value']:,.4f}" if row["name"] == "dollars" else f"{row['value']:,.0f}"
    sign = "+" if row["part"] == "difference" else ""
    value, low, high = (f"{100 * row[name]:{sign}.1f}" for name in ("value", "ci_low", "ci_high"))
    return f"{value} % ({low} to {high})"
