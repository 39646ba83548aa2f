"""The config files of runs on a cluster, held as long as a plan or a run may need them."""

import os
import time
from pathlib import Path

import dagster as dg
import pytest

from am_assets.config.files import ConfigError
from am_assets.orchestration.planned import hold
from am_assets.storage.shared.snapshots import KEPT_SECONDS, Snapshot, unpack
from am_assets.storage.shared.versions import CONFIG_TAG

DAY = 86_400


def test_config_files_go_a_month_after_the_last_plan_with_them_unless_a_run_needs_them(tmp_path: Path) -> None:
    plans = {name: Snapshot({"sources.yaml": name.encode()}) for name in ("ended", "runs", "recent", "again", "now")}
    ages = {"ended": KEPT_SECONDS + DAY, "runs": KEPT_SECONDS + DAY, "recent": KEPT_SECONDS - DAY, "again": 2e7}
    with dg.DagsterInstance.ephemeral() as instance:
        for name in ages:
            hold(instance, tmp_path, plans[name])
        for name, seconds in ages.items():
            os.utime(tmp_path / "snapshots" / f"{plans[name].version}.zip", (time.time() - seconds,) * 2)
        for name, status in {"ended": dg.DagsterRunStatus.SUCCESS, "runs": dg.DagsterRunStatus.STARTED}.items():
            run = dg.DagsterRun("job", tags={CONFIG_TAG: plans[name].version}, status=status)
            instance.run_storage.add_run(run)
        hold(instance, tmp_path, plans["again"])  # its age begins anew, and what is old goes
        hold(instance, tmp_path, plans["now"])
        left = {path.stem for path in (tmp_path / "snapshots").iterdir()}
        assert left == {plans[name].version for name in ("runs", "recent", "again", "now")}
    unpack(tmp_path, plans["runs"].version, tmp_path)
    assert (tmp_path / "sources.yaml").read_text() == "runs"
    with pytest.raises(ConfigError, match=r"it was removed\. Apply again"):
        unpack(tmp_path, plans["ended"].version, tmp_path)
