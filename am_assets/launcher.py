"""The run launcher under the name that the `dagster.yaml` of existing projects has for it."""

from am_assets.orchestration.launcher import WatchedRunLauncher

__all__ = ["WatchedRunLauncher"]
