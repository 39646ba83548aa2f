"""What other settings would keep, lose and ask of models: the decisions themselves, run aside on what is measured.

Nothing of the project changes. Settings are given as `section.field=value` and laid over what the recipe's file says
now; only the decisions below the policies that differ from those stored run again, so a preview takes about as long as
they do. What no model has answered yet can't be judged: it is counted as requests, with their price.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
import polars as pl
import yaml

from am_assets.config.files import ConfigError, parse
from am_assets.config.recipe import SECTIONS, Recipe
from am_assets.planning.costs import Costs, Estimate
from am_assets.planning.plan import Plan
from am_assets.planning.preview.comparison import BY, Comparison, compare
from am_assets.planning.preview.overlay import not_there, overlay
from am_assets.planning.preview.requests import Added
from am_assets.planning.steps import Step
from am_assets.project import Project, contradictions
from am_assets.storage.stored import StoredTables, settings

SELECTING = ["deduped_set", "selected_questions"]
VERIFYING = "verified_set"


@dataclass(frozen=True)
class Preview:
    recipe: str
    changes: list[str]
    outdated: list[Step]  # what the decisions rest on and is not up to date
    questions: Comparison
    responses: Comparison | None  # of those that are there; None where none were verified yet
    asked: list[tuple[Step, Estimate]]

    def to_dict(self) -> dict[str, Any]:
        asked = ("responses", "math_verdicts", "reward_scores", "response_screens")
        estimates: dict[str, list[dict]] = {asset: [] for asset in asked}
        for step, estimate in self.asked:
            estimates[step.asset].append({"shard": step.partition, **asdict(estimate)})
        return {
            "recipe": self.recipe,
            "set": self.changes,
            "outdated": [asdict(step) for step in self.outdated],
            "questions": self.questions.to_dict(),
            "responses": self.responses and self.responses.to_dict(),
            "would_ask": estimates,
        }


def changed_recipe(here: Project, name: str, changes: Sequence[str]) -> Recipe:
    """The recipe with each `section.field=value` in place of what it says; `ConfigError` names option and field."""
    content = here.recipe(name).model_dump()
    for change in changes:
        path, equals, value = change.partition("=")
        *above, field = path.strip().split(".")
        if not equals or not above:
            raise ConfigError(f"--set {change}: expected section.field=value, as in dedup.threshold=0.9")
        inner: Any = content
        for part in above:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ConfigError(
                    f"--set {change}: {part} holds {inner!r} and has no field of its own: leave off the rest"
                )
        try:
            inner[field] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {change}: {path}: not YAML: {error}") from None
    where = " ".join(f"--set {change}" for change in changes)
    recipe = parse(Recipe, content, where)
    if faults := list(contradictions(recipe, here, where)):
        raise ConfigError("\n".join(faults))
    return recipe


def preview(plan: Plan, here: Project, name: str, changes: Sequence[str] = ()) -> Preview:
    """What an apply would make of recipe `name` with `changes`, beside what is stored of it. Evidence that is not up to
    date is taken as it is, and listed; `ConfigError` says which tables are not there."""
    changed = changed_recipe(here, name, changes)
    stored = StoredTables(here.assets)
    if missing := [f"{asset}[{name}]" for asset in SELECTING if name not in stored.partitions(asset)]:
        raise ConfigError(not_there(missing, name, SELECTING[-1]))
    verified = VERIFYING if name in stored.partitions(VERIFYING) else None
    policies = {f"{section}_policy": settings(changed, section) for section in SECTIONS}
    moved = [policy for policy, table in policies.items() if not _is_stored(stored, policy, name, table)]
    below = _below(plan, moved)
    with overlay(plan, here.assets) as aside:
        for policy in moved:
            aside.replace(policy, name, policies[policy])
        aside.run([asset for asset in SELECTING if asset in below], name)
        added = Added(stored, aside, name, changed.teacher, everything="teacher_policy" in moved)
        asked = list(added.estimates(Costs(here, stored, [], [name])))
        if verified and verified in below:
            added.put()
            aside.run([verified], name)
        return Preview(
            name,
            list(changes),
            _outdated(plan, [*SELECTING, *([verified] if verified else [])], {*moved, *below}),
            _questions(stored, aside.store, name),
            _responses(stored, aside.store, name) if verified else None,
            asked,
        )


def _is_stored(stored: StoredTables, policy: str, name: str, table: pl.DataFrame) -> bool:
    return name in stored.partitions(policy) and stored.read(policy, name).equals(table)


def _below(plan: Plan, policies: list[str]) -> set[str]:
    """The decisions that read one of the policies, or a decision that does."""
    read = dg.AssetSelection.assets(*policies).downstream().resolve(plan.graph)
    return {key.to_user_string() for key in read} & {*SELECTING, VERIFYING}


def _outdated(plan: Plan, decisions: list[str], made_anew: set[str]) -> list[Step]:
    above = {key.to_user_string() for key in dg.AssetSelection.assets(*decisions).upstream().resolve(plan.graph)}
    return [step for step in plan.steps() if step.asset in above - made_anew]


def _questions(stored: StoredTables, aside: StoredTables, name: str) -> Comparison:
    before, after = (store.scan("selected_questions", name) for store in (stored, aside))
    at = ["question_id", "shard"]
    gone_before = aside.scan("deduped_set", name).filter(~pl.col("kept")).join(before.filter("kept"), on=at, how="semi")
    reasons = [
        table.filter(~pl.col("kept")).select("question_id", reason=pl.col("drop_reason").cast(pl.String))
        for table in (after, gone_before)
    ]
    return _compared(before, after, pl.concat(reasons), "question_id", "not in the pool")


def _responses(stored: StoredTables, aside: StoredTables, name: str) -> Comparison:
    before, after = (store.scan("verified_set", name) for store in (stored, aside))
    reasons = after.filter(~pl.col("kept")).select("response_id", reason=pl.col("drop_reason"))
    return _compared(before, after, reasons, "response_id", "its question or request went")


def _compared(before: pl.LazyFrame, after: pl.LazyFrame, reasons: pl.LazyFrame, key: str, otherwise: str) -> Comparison:
    was, now = (table.filter("kept").select(key, *BY).collect() for table in (before, after))
    return compare(was, now, reasons.collect(), key, otherwise)
