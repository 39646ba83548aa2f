"""The recipe sections as assets: one a section, partitioned by recipe, versioned by that section alone.

So a changed number makes stale what reads its section, in that recipe, and nothing else. Decisions get their policy
from these tables, never from the file, so a table always says under which policy it was made.
"""

import dagster as dg
import polars as pl

from am_assets import tables
from am_assets.partitions import recipes
from am_assets.project import project
from am_assets.recipe import SECTIONS, Recipe
from am_assets.stored import settings


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
