"""The checks that failed on what a recipe rests on, as Dagster's instance of a project has them."""

from pathlib import Path

import dagster as dg
from sqlalchemy.exc import DBAPIError

from am_assets.config.files import ConfigError
from am_assets.orchestration.sqlite import open_instance
from am_assets.planning.records import Records


def failed_checks(home: Path, built: dg.Definitions, others: set[str]) -> list[tuple[str, str, str]]:
    """(asset, partition, check) of the checks that failed on the latest materialization of partitions, without those of
    `others`, the other recipes. `home`: the folder of the instance; where there is none, nothing has failed.
    `ConfigError` where it can't be read."""
    if not (home / "dagster.yaml").exists():
        return []
    checks = built.resolve_asset_graph().asset_check_keys
    try:
        with open_instance(home) as instance:
            records = Records(instance)
            return [
                (check.asset_key.to_user_string(), partition, check.name)
                for check in sorted(checks, key=lambda check: (check.asset_key, check.name))
                for partition in records.failed(check)
                if not others & {*partition.split("|")}
            ]
    except DBAPIError as error:
        raise ConfigError(f"{home}: the checks can't be read: {error.orig}") from None
