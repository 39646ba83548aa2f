"""The run launcher, under the module name that the settings (dagster.yaml) of existing projects refers to."""

from am_assets.orchestration.launcher import WatchedRunLauncher

__all__ = ["WatchedRunLauncher"]
