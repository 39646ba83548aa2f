"""Decisions run aside: over a project's tables, some of them replaced, without a trace in the project.

A folder of links to the stored tables takes the place of the project's own. What is written there takes the place of a
link, so every read finds the replaced table first and else the stored one, and what lies behind a link is never opened
for writing. Dagster's record of such a run is thrown away with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import polars as pl

from am_assets.config.files import ConfigError
from am_assets.orchestration.resources import TableStore
from am_assets.planning.execution import innermost
from am_assets.planning.plan import Plan
from am_assets.storage.copies import of
from am_assets.storage.segments import write_durably

QUIET: dict = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Overlay:
    def __init__(self, plan: Plan, assets: Path, folder: Path):
        self.plan = plan
        self.folder = folder
        self.store = TableStore(folder)
        of(assets).bring(assets, ".parquet")
        for table in assets.rglob("*.parquet"):
            link = folder / table.relative_to(assets)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(table)

    def replace(self, asset: str, partition: str, table: pl.DataFrame) -> None:
        target = self.folder / asset / f"{partition}.parquet"
        target.parent.mkdir(exist_ok=True)
        write_durably(table, target.with_name(f".{target.name}.aside"), target)

    def run(self, assets: list[str], partition: str) -> None:
        """Materialize one partition of `assets` here; `ConfigError` where a table that they read is not there."""
        if not assets:
            return
        self._need(assets, partition)
        with dg.DagsterInstance.ephemeral() as instance:
            result = dg.materialize(
                [asset for asset in self.plan.definitions.assets or [] if isinstance(asset, dg.AssetsDefinition)],
                selection=assets,
                partition_key=partition,
                instance=instance,
                resources={**(self.plan.definitions.resources or {}), "tables": self.store},
                run_config=QUIET,
                raise_on_error=False,
            )
        if not result.success:
            raise ConfigError(innermost([e.step_failure_data.error for e in result.all_events if e.is_step_failure]))

    def _need(self, assets: list[str], partition: str) -> None:
        missing = []
        for key in map(dg.AssetKey, assets):
            for parent, at in self.plan.staleness.parents(key, partition):
                name = parent.to_user_string()
                optional = name in assets or (key, parent) in self.plan.optional
                if not optional and not (self.folder / name / f"{at}.parquet").exists():
                    missing.append(f"{name}[{at}]")
        if missing:
            raise ConfigError(not_there(list(dict.fromkeys(missing)), partition, assets[-1]))


def not_there(missing: list[str], recipe: str, asset: str) -> str:
    shown = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
    return f"not there yet: {shown}; materialize first: am apply --recipe {recipe} --select '+{asset}'"


@contextmanager
def overlay(plan: Plan, assets: Path) -> Iterator[Overlay]:
    with TemporaryDirectory(prefix="am-preview-") as folder:
        yield Overlay(plan, assets, Path(folder))
