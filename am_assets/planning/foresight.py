"""What the variants of an experiment would come to: their decisions, run aside on what is measured already.

Nothing of the project changes. Where evidence is not there yet, nothing can be foreseen.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from am_assets.config.files import ConfigError
from am_assets.config.recipe import SECTIONS, TrainingPolicy
from am_assets.orchestration.assets import TABLE
from am_assets.planning.costs import Costs
from am_assets.planning.plan import Plan
from am_assets.planning.preview.overlay import overlay
from am_assets.planning.preview.requests import Added
from am_assets.project import Project
from am_assets.storage.stored import StoredTables, read_policy, settings

SELECTING, VERIFYING = ["deduped_set", "selected_questions"], ["verified_set"]
Student = tuple[frozenset[str], str]  # what makes it: the responses that it is trained on, and how


@dataclass(frozen=True)
class Foreseen:
    """Of one variant: `rows` that it would release of the answers that are there, how many `requests` it would send
    teachers for more, and the recipe whose student it shares, None where it would train one of its own."""

    recipe: str
    rows: int
    requests: int
    shares: str | None


def foreseen(plan: Plan, here: Project, variants: Mapping[str, str]) -> dict[str, Foreseen] | None:
    """By variant; None where the evidence that its decisions rest on is not there or not up to date. `variants` maps
    them to their recipes."""
    if any(step.state != "follows" and TABLE[step.asset].by in ("shards", "benchmarks") for step in plan.steps()):
        return None
    stored = StoredTables(here.assets)
    trained = dict(_trained(stored))
    found: dict[str, Foreseen] = {}
    for variant, recipe in variants.items():
        try:
            ids, requests = _decided(plan, here, stored, recipe)
        except ConfigError:
            return None
        student = (ids, _said(here.recipe(recipe).training))
        found[variant] = Foreseen(recipe, len(ids), requests, None if requests else trained.get(student))
        if not requests:
            trained.setdefault(student, recipe)
    return found


def _trained(stored: StoredTables) -> Iterator[tuple[Student, str]]:
    """The students that are there, with the first recipe of each."""
    for recipe in reversed(stored.partitions("sft_checkpoint")):
        rows = stored.read("sft_dataset", recipe, ["response_id"])["response_id"]
        yield (frozenset(rows), _said(read_policy(TrainingPolicy, stored.read("training_policy", recipe)))), recipe


def _said(policy: TrainingPolicy) -> str:
    """What the weights depend on, alike for a policy as stored and as read from its file, whose defaults may be whole
    numbers where the former has 1.0."""
    return json.dumps(TrainingPolicy.model_validate(policy.model_dump()).identity(), sort_keys=True)


def _decided(plan: Plan, here: Project, stored: StoredTables, recipe: str) -> tuple[frozenset[str], int]:
    """The responses that a recipe keeps of those that are there, and the number of requests for more."""
    says = here.recipe(recipe)
    with overlay(plan, here.assets) as aside:
        for section in SECTIONS:
            aside.replace(f"{section}_policy", recipe, settings(says, section))
        aside.run(SELECTING, recipe)
        added = Added(stored, aside, recipe, says.teacher, everything=True)
        asked = [estimate for step, estimate in added.estimates(Costs(here, stored, [], [recipe]))
                 if step.asset == "responses"]  # fmt: skip
        added.put()
        aside.run(VERIFYING, recipe)
        kept = aside.store.read("verified_set", recipe).filter("kept")["response_id"]
        return frozenset(kept), sum(estimate.most_requests for estimate in asked)
