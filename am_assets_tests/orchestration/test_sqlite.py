"""Connections that stay open write the files that Dagster reads, and read what others write."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dagster as dg
import pytest

from am_assets.orchestration.sqlite import keep_open


@dg.asset
def table() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3}, data_version=dg.DataVersion("one"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


@contextmanager
def both(home: Path) -> Iterator[tuple[dg.DagsterInstance, dg.DagsterInstance]]:
    open_one = partial(dg.DagsterInstance.from_config, str(home))
    with open_one() as held, open_one() as plain, keep_open(held):
        yield held, plain


def test_another_instance_sees_every_run_and_event_at_once(home: Path) -> None:
    with both(home) as (held, plain):
        runs = [dg.materialize([table], instance=held).run_id for _ in range(2)]
        for run in runs:
            assert plain.get_run_by_id(run).status == dg.DagsterRunStatus.SUCCESS
            events = [entry.dagster_event_type for entry in plain.all_logs(run)]
            assert (events[0], events[-1]) == (
                dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
                dg.DagsterEventType.RUN_SUCCESS,
            )
        assert plain.get_latest_materialization_event(table.key).run_id == runs[-1]
        assert held.all_logs(runs[0]) == plain.all_logs(runs[0])


def test_what_another_instance_writes_in_between_is_read(home: Path) -> None:
    with both(home) as (held, plain):
        dg.materialize([table], instance=held)
        other = dg.materialize([table], instance=plain).run_id
        assert held.get_latest_materialization_event(table.key).run_id == other
        assert len(held.get_runs()) == 2
        last = dg.materialize([table], instance=held).run_id
        assert plain.get_latest_materialization_event(table.key).run_id == last


def test_files_are_left_whole(home: Path) -> None:
    with both(home) as (held, _):
        dg.materialize([table], instance=held)
    assert not list(home.rglob("*.db-wal"))
