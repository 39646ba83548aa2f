"""A plan in a few figures: how much is to be made, what it asks of models, how long it takes, and what causes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from am_assets.orchestration.assets import TABLE
from am_assets.planning.costs import Estimate
from am_assets.planning.plan import NEW, Plan
from am_assets.planning.scope import recipe_of
from am_assets.planning.steps import Step
from am_assets.planning.timing import TRAINING


@dataclass
class Cause:
    """Steps of one cause: by asset the partitions of those that are made, and of those that follow if content
    changes."""

    because: str
    own: dict[str, list[str]] = field(default_factory=dict)
    follows: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outline:
    """Partitions by state, requests and dollars as by `Estimate`, and seconds: in all, and of trainings.

    `untimed` are the assets among the steps of which nobody knows how long they take. `never_applied` gives, by recipe
    of which nothing but its policies was ever made, the number of its partitions; its steps are in no cause.
    """

    missing: int
    stale: int
    follows: int
    requests: int
    most_requests: int
    exact: bool
    dollars: float | None  # None where a model has no known price
    seconds: float
    training: float
    untimed: list[str]
    never_applied: dict[str, int]
    causes: list[Cause]


def outline(
    plan: Plan,
    steps: Sequence[Step],
    estimates: Mapping[Step, Estimate],
    seconds: Mapping[Step, float],
    named: bool = False,
) -> Outline:
    """The outline of `steps`; with `named` recipes that were never applied are listed as any other."""
    known, states = estimates.values(), [step.state for step in steps]
    recipes = [recipe_of(step.asset, step.partition) for step in steps]
    new = {} if named else {one: recipes.count(one) for one in dict.fromkeys(recipes) if one and _is_new(plan, one)}
    return Outline(
        missing=states.count("missing"),
        stale=states.count("stale"),
        follows=states.count("follows"),
        requests=sum(one.requests for one in known),
        most_requests=sum(one.most_requests for one in known),
        exact=all(one.exact for one in known),
        dollars=None if any(one.dollars is None for one in known) else sum(one.dollars or 0 for one in known),
        seconds=sum(seconds.values()),
        training=sum(took for step, took in seconds.items() if step.asset == TRAINING),
        untimed=list(dict.fromkeys(step.asset for step in steps if step not in seconds)),
        never_applied=new,
        causes=_causes(step for step, recipe in zip(steps, recipes, strict=True) if recipe not in new),
    )


def _is_new(plan: Plan, recipe: str) -> bool:
    """Whether nothing but its policies, which the UI makes of every new file, was ever made of a recipe."""
    tables = [table for table in TABLE.values() if table.by in ("recipes", "recipe_benchmarks")]
    made = (
        recipe_of(table.name, partition) == recipe
        for table in tables
        if table.kind != "policy"
        for partition in plan.records.made(dg.AssetKey(table.name))
    )
    return not any(made)


def _causes(steps: Iterable[Step]) -> list[Cause]:
    causes: dict[str, Cause] = {}
    for step in steps:
        because = (
            NEW if all(one.endswith(NEW.removeprefix("it ")) for one in step.because.split("; ")) else step.because
        )
        cause = causes.setdefault(because, Cause(because))
        (cause.follows if step.state == "follows" else cause.own).setdefault(step.asset, []).append(step.partition)
    return list(causes.values())
