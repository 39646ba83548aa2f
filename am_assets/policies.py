"""The recipe sections as assets: one a section, partitioned by recipe, versioned by that section alone.

So a changed number makes stale what reads its section, in that recipe, and nothing else. Decisions get their policy
from these tables, never from the file, so a table always says under which policy it was made.
"""

import json
from typing import TypeVar

import dagster as dg
import polars as pl

from am_assets import tables
from am_assets.partitions import recipes
from am_assets.project import project
from am_assets.recipe import SECTIONS, Recipe, Section

P = TypeVar("P", bound=Section)


def settings(recipe: Recipe, section: str) -> pl.DataFrame:
    """A section as rows of setting and JSON value."""
    values = getattr(recipe, section).model_dump()
    rows = [(name, json.dumps(value, sort_keys=True, ensure_ascii=False)) for name, value in sorted(values.items())]
    return pl.DataFrame(rows, schema=["setting", "value"], orient="row")


def read_policy(model: type[P], rows: pl.DataFrame) -> P:
    """The policy that `settings` wrote."""
    return model.model_validate({name: json.loads(value) for name, value in rows.select("setting", "value").rows()})


def _policy_asset(section: str) -> dg.AssetsDefinition:
    description = (Recipe.model_fields[section].annotation.__doc__ or "").strip()
    # Where a user looks after a reload: the graph itself stays as it was.
    broken = "".join(f"**Broken, and left as last made:** {fault}\n\n" for fault in project().broken.values())

    @tables.policy(
        "recipe",
        recipes,
        name=f"{section}_policy",
        description=f"{broken}The `{section}` section of a recipe file, setting by setting. {description}".strip(),
    )
    def policy(context: dg.AssetExecutionContext) -> tuple[pl.DataFrame, dict]:
        rows = settings(project().recipe(context.partition_key), section)
        return rows, {"settings": dict(rows.rows())}

    return policy


policy_assets = [_policy_asset(section) for section in SECTIONS]
