"""How long planned steps would take, as tables of the same kind took before.

What a step takes depends on what the memo lacks, so where requests are counted they are timed at the mean of earlier
requests; a training is timed by its tokens; anything else takes as long as it last did. A kind that was never made here
is not timed: nothing is guessed.
"""

from collections.abc import Iterable, Mapping
from statistics import mean

import dagster as dg

from am_assets.planning.costs import Estimate
from am_assets.planning.dry_run import tokens_to_train
from am_assets.planning.plan import Plan
from am_assets.planning.records import Made
from am_assets.planning.steps import Step
from am_assets.project import Project

TRAINING = "sft_checkpoint"


def expected_seconds(
    plan: Plan, here: Project, steps: Iterable[Step], estimates: Mapping[Step, Estimate]
) -> dict[Step, float]:
    """Seconds by step, without the steps of which nothing is known."""
    found = {}
    for step in steps:
        made = plan.records.made(dg.AssetKey(step.asset))
        if step.asset == TRAINING:
            seconds = _training(here, step.partition, made)
        elif step in estimates:
            seconds = _asking(estimates[step], made)
        else:
            seconds = _as_before(step.partition, made)
        if seconds is not None:
            found[step] = seconds
    return found


def _training(here: Project, recipe: str, made: Mapping[str, Made]) -> float | None:
    speeds = [one.metadata["tokens_per_second"] for one in made.values() if one.metadata.get("tokens_per_second")]
    tokens = tokens_to_train(here, recipe, here.recipe(recipe).training) if speeds else None
    return tokens / mean(speeds) if tokens else None


def _asking(estimate: Estimate, made: Mapping[str, Made]) -> float | None:
    requests = sum(one.metadata.get("requests", 0) for one in made.values())
    if not estimate.requests or not requests:
        return None if estimate.requests else 0.0
    asked = [one.metadata["seconds"] for one in made.values() if one.metadata.get("requests")]
    return sum(asked) / requests * estimate.requests


def _as_before(partition: str, made: Mapping[str, Made]) -> float | None:
    if partition in made:
        return made[partition].metadata.get("seconds")
    known = [one.metadata["seconds"] for one in made.values() if "seconds" in one.metadata]
    return mean(known) if known else None
