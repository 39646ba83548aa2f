"""Policy assets: one per section of a recipe, partitioned by recipe, versioned by the content of that section alone.

A changed setting makes stale the tables that read its section, in that recipe, and nothing else. Decisions read their
policy from these tables and never from the file, so that a table always records the policy it was made with.
"""

import json

import dagster as dg
import polars as pl

from am_assets.config.recipe import SECTIONS, Recipe
from am_assets.orchestration import tables
from am_assets.orchestration.declarations import Declared, Reads
from am_assets.orchestration.entries import section_entry
from am_assets.project import Project


def _policy_table(section: str) -> tables.Table:
    says = (Recipe.model_fields[section].annotation.__doc__ or "").strip()

    def description(here: Project) -> str:
        # After a reload with a broken recipe the graph stays as it was: this is where users see the fault.
        broken = "".join(
            f"**Broken, and left as last made:** {fault}\n\n"
            for fault in (*here.broken.values(), *here.experiments.flawed.values())
        )
        return f"{broken}The `{section}` section of a recipe file, setting by setting. {says}".strip()

    @tables.policy(
        "recipe",
        "recipes",
        name=f"{section}_policy",
        reads=Reads(entry=section_entry(section)),
        description=description,
    )
    def policy(context: dg.AssetExecutionContext, here: Declared) -> pl.DataFrame:
        entry = here.entry(context.partition_key)
        assert entry is not None  # a section is declared
        values = [json.dumps(value, sort_keys=True, ensure_ascii=False) for value in entry.content.values()]
        return pl.DataFrame({"setting": list(entry.content), "value": values})

    return policy


policy_tables = [_policy_table(section) for section in SECTIONS]
