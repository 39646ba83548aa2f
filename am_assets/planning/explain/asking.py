"""Explanation of a question of a project: reads its stored rows and policies, and finds what is out of date."""

from functools import partial
from typing import TYPE_CHECKING

from am_assets.planning.explain.explanation import Explanation, Rows, explain
from am_assets.planning.explain.lines import lines
from am_assets.planning.explain.rows import find, read
from am_assets.project import Project
from am_assets.storage.stored import StoredTables

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan


def explained(here: Project, recipe: str, asked: str) -> Explanation:
    """The explanation of the question that `asked` names: by text, id or prefix of the id. `ConfigError` for none."""
    return looked_up(here, recipe, find(StoredTables(here.assets), here, asked), texts=False)[0]


def looked_up(here: Project, recipe: str, wanted: str, texts: bool = True) -> tuple[Explanation, Rows]:
    """The explanation of the question with the id `wanted`, and the rows that it was made of, with `texts` of responses
    or without."""
    store, now = StoredTables(here.assets), here.recipe(recipe)
    rows = read(store, recipe, now.sampling.decontamination.benchmarks, wanted, texts)
    used = store.policies(recipe, now)
    lines_of = partial(lines, used=used.model_dump(), now=now.model_dump(), folder=here.data / "recipes", recipe=recipe)
    return explain(rows, recipe, used, lines_of), rows


def outdated(plan: "Plan", here: Project, explanation: Explanation) -> list[str]:
    """The tables behind `explanation` that are missing or out of date, a line per cause."""
    benchmarks = here.recipe(explanation.recipe).sampling.decontamination.benchmarks
    partitions = {explanation.recipe, *benchmarks, *explanation.shards}
    groups: dict[tuple[bool, str], list[str]] = {}
    for step in plan.steps():
        if step.partition in partitions:
            groups.setdefault((step.state == "missing", step.because), []).append(f"{step.asset}[{step.partition}]")
    return [
        f"{'not there yet' if missing else f'out of date, because {because}'}: {', '.join(names)}"
        for (missing, because), names in groups.items()
    ]
