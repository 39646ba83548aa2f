"""The sensors that evaluate automation conditions. Both run by default, as they spend nothing."""

from collections.abc import Sequence

import dagster as dg

from am_assets.automation.conditions import follows

SECONDS = 10  # between ticks: a change moves down one level per tick


def condition_sensors(assets: Sequence[dg.AssetsDefinition]) -> list[dg.SensorDefinition]:
    """One sensor for decisions and one for evidence, so that each can be stopped on its own."""
    following = [asset for asset in assets if follows(asset)]
    decisions = [asset for asset in following if "decision" in asset.specs_by_key[asset.key].kinds]
    evidence = [asset for asset in following if asset not in decisions]
    return [
        _sensor("decisions_follow", decisions, "Materializes decisions whose inputs or policy changed."),
        _sensor(
            "free_evidence_follows", evidence, "Materializes evidence that needs no teacher, judge, sandbox or GPU."
        ),
    ]


def _sensor(name: str, assets: list[dg.AssetsDefinition], description: str) -> dg.SensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        name,
        target=assets,
        description=description,
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=SECONDS,
        use_user_code_server=True,  # `OutOfDate` is a custom condition
    )
