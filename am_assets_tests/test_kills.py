"""Whatever is killed while a backfill runs, it ends, and with what it would have ended with."""

from pathlib import Path

import pytest

from am_assets_tests.bench.kills_in_backfill import STORED_WITHIN, kill_in_backfill


@pytest.mark.slow
def test_a_backfill_outlives_kills_of_its_run_daemon_webserver_and_machine(tmp_path: Path) -> None:
    toll = kill_in_backfill(tmp_path, kills=4, seed=7, pause=(0.5, 5), upto="sft_dataset", start_timeout=30)
    assert toll.status == "COMPLETED_SUCCESS"
    assert toll.differ == []
    assert all(age <= STORED_WITHIN for age in toll.ages), toll
