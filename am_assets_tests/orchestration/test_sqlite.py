"""Connections that stay open write the files that Dagster reads, and read what others write."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest

from am_assets.orchestration.sqlite import OpenEventLog, OpenSqliteStorage, open_instance


@dg.asset
def table() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3}, data_version=dg.DataVersion("one"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


@contextmanager
def both(home: Path) -> Iterator[tuple[dg.DagsterInstance, dg.DagsterInstance]]:
    with open_instance(home) as held, dg.DagsterInstance.from_config(str(home)) as plain:
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


def test_the_folder_that_the_settings_name_is_used(home: Path) -> None:
    elsewhere = home / "elsewhere"
    (home / "dagster.yaml").write_text(f"storage: {{sqlite: {{base_dir: {elsewhere}}}}}\n")
    with both(home) as (held, plain):
        assert isinstance(held.event_log_storage, OpenEventLog)
        run = dg.materialize([table], instance=held).run_id
        assert plain.get_run_by_id(run).status == dg.DagsterRunStatus.SUCCESS
    assert (elsewhere / "history" / "runs" / f"{run}.db").exists()


@pytest.mark.parametrize(
    "settings",
    [
        "storage: {custom: {module: dagster._core.storage.sqlite_storage, class: DagsterSqliteStorage,"
        " config: {base_dir: BASE}}}",
        "run_storage: {module: dagster._core.storage.runs, class: SqliteRunStorage, config: {base_dir: BASE}}",
    ],
)
def test_another_storage_is_used_as_it_is(home: Path, settings: str) -> None:
    (home / "dagster.yaml").write_text(settings.replace("BASE", str(home / "own")))
    with open_instance(home) as instance:
        assert not isinstance(instance.event_log_storage, OpenEventLog)
        assert dg.materialize([table], instance=instance).success


def test_the_class_can_be_named_in_the_settings(home: Path) -> None:
    named = f"{{module: {OpenSqliteStorage.__module__}, class: OpenSqliteStorage, config: {{base_dir: {home}}}}}"
    (home / "dagster.yaml").write_text(f"storage: {{custom: {named}}}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert isinstance(instance.event_log_storage, OpenEventLog)
        assert dg.materialize([table], instance=instance).success


def test_history_that_dagster_wrote_before_is_read_and_goes_on(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as plain:
        before = dg.materialize([table], instance=plain).run_id
    with open_instance(home) as held:
        assert held.get_latest_materialization_event(table.key).run_id == before
        assert held.all_logs(before)[-1].dagster_event_type == dg.DagsterEventType.RUN_SUCCESS
        after = dg.materialize([table], instance=held).run_id
    with dg.DagsterInstance.from_config(str(home)) as plain:
        assert {run.run_id for run in plain.get_runs()} == {before, after}


def test_threads_take_turns_on_one_connection_while_another_instance_reads(home: Path) -> None:
    def report(number: int) -> None:  # not by runs: Dagster carries out one at a time in a process
        held.report_runless_asset_event(dg.AssetMaterialization(table.key, partition=str(number)))
        assert held.get_latest_materialization_event(table.key) is not None
        assert held.get_runs() == []

    with both(home) as (held, plain), ThreadPoolExecutor(6) as threads:
        written = [threads.submit(report, number) for number in range(12)]
        read = [threads.submit(plain.get_materialized_partitions, table.key) for _ in range(6)]
        for future in [*written, *read]:
            future.result(60)
        assert plain.get_materialized_partitions(table.key) == {str(number) for number in range(12)}


FIRST = """
import sys
from pathlib import Path
from am_assets.orchestration.sqlite import open_instance
print("ready", flush=True)
sys.stdin.readline()
with open_instance(Path(sys.argv[1])) as instance:
    print(len(instance.get_runs()))
"""


@pytest.mark.slow
def test_processes_that_are_the_first_at_once_leave_one_sound_instance(home: Path) -> None:
    command, ends = [sys.executable, "-W", "ignore", "-c", FIRST, str(home)], subprocess.PIPE
    first = [subprocess.Popen(command, stdin=ends, stdout=ends, stderr=ends, text=True) for _ in range(4)]
    for one in first:
        assert one.stdout and one.stdout.readline() == "ready\n"
    for one in first:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    assert [(*one.communicate(), one.returncode) for one in first] == [("0\n", "", 0)] * 4
    for path in home.rglob("*.db"):
        with closing(sqlite3.connect(path)) as database:
            assert len(database.execute("select * from alembic_version").fetchall()) == 1, path
