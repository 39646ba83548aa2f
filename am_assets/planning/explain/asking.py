"""Explaining a question of a project: its stored rows, the policies that decided, and what is not up to date."""

from functools import partial
from typing import TYPE_CHECKING

from am_assets.planning.explain.explanation import Explanation, explain
from am_assets.planning.explain.lines import lines
from am_assets.planning.explain.rows import find, read
from am_assets.project import Project
from am_assets.storage.stored import StoredTables

if TYPE_CHECKING:
    from am_assets.planning.plan import Plan


def explained(here: Project, recipe: str, asked: str) -> Explanation:
    """The way of the question that `asked` (its text, its id or the beginning of that) names; `ConfigError` where none
    does."""
    store, now = StoredTables(here.assets), here.recipe(recipe)
    wanted = find(store, here, asked)
    rows = read(store, recipe, now.sampling.decontamination.benchmarks, wanted)
    used = store.policies(recipe, now)
    lines_of = partial(lines, used=used.model_dump(), now=now.model_dump(), folder=here.data / "recipes", recipe=recipe)
    return explain(rows, recipe, used, lines_of)


def outdated(plan: "Plan", here: Project, told: Explanation) -> list[str]:
    """What `told` rests on and does not match the files any more, that of one cause together."""
    benchmarks = here.recipe(told.recipe).sampling.decontamination.benchmarks
    partitions = {told.recipe, *benchmarks, *told.shards}
    groups: dict[tuple[bool, str], list[str]] = {}
    for step in plan.steps():
        if step.partition in partitions:
            groups.setdefault((step.state == "missing", step.because), []).append(f"{step.asset}[{step.partition}]")
    return [
        f"{'not there yet' if missing else f'out of date, because {because}'}: {', '.join(names)}"
        for (missing, because), names in groups.items()
    ]
