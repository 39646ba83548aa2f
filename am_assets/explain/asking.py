"""Explaining a question of a project: its stored rows, the policies that decided, and what is not up to date."""

from contextlib import suppress
from functools import partial

from pydantic import ValidationError
from upath import UPath

from am_assets.explain.explanation import Explanation, explain
from am_assets.explain.lines import lines
from am_assets.explain.stored import find, read
from am_assets.plan import Plan, Step
from am_assets.policies import read_policy
from am_assets.project import Project
from am_assets.recipe import SECTIONS, Recipe
from am_assets.resources import TableStore


def explained(plan: Plan, here: Project, recipe: str, asked: str) -> Explanation:
    """The way of the question that `asked` (its text, its id or the beginning of that) names; `ConfigError` where none
    does. `plan` is that of the recipe."""
    store = TableStore(UPath(here.assets))
    wanted = find(store, here, asked)
    now = here.recipes[recipe]
    benchmarks = now.sampling.decontamination.benchmarks
    rows = read(store, recipe, benchmarks, wanted)
    used = stored_policies(store, now, recipe)
    lines_of = partial(lines, used=used.model_dump(), now=now.model_dump(), folder=here.data / "recipes", recipe=recipe)
    partitions = {recipe, *benchmarks, *rows.tables["raw_pool"]["shard"]}
    steps = [step for step in plan.steps() if step.partition in partitions]
    return explain(rows, recipe, used, lines_of, _outdated(steps))


def _outdated(steps: list[Step]) -> list[str]:
    """What is not up to date, that of one cause together."""
    groups: dict[tuple[bool, str], list[str]] = {}
    for step in steps:
        groups.setdefault((step.state == "missing", step.because), []).append(f"{step.asset}[{step.partition}]")
    return [
        f"{'not there yet' if missing else f'out of date, because {because}'}: {', '.join(names)}"
        for (missing, because), names in groups.items()
    ]


def stored_policies(store: TableStore, now: Recipe, recipe: str) -> Recipe:
    """The recipe as its policies are stored; a section that is not there, or of an older form, as its file says it."""
    sections = {section: getattr(now, section) for section in SECTIONS}
    for section, as_now in sections.items():
        if recipe in store.partitions(f"{section}_policy"):
            with suppress(ValidationError):
                sections[section] = read_policy(type(as_now), store.read(f"{section}_policy", recipe))
    return Recipe(**sections)
