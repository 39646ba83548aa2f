"""The guard beside a run: no two executions of one partition, whatever happens to the machine of the first."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psutil
import pytest

from am_assets.config.cluster import Cluster
from am_assets.orchestration.guard import PLANNED_WITH, TASK
from am_assets.storage.shared.claims import SharedClaims
from am_assets.storage.shared.database import Database, open_database
from am_assets.storage.shared.leases import GUARD_SECONDS, LEASE_SECONDS, Lease, guarded
from am_assets.storage.shared.snapshots import Snapshot, keep, taken
from am_assets.storage.shared.versions import CODE_TAG, CONFIG_TAG
from am_assets_tests.cluster.relay import Relay
from am_assets_tests.desk import RECIPE
from am_assets_tests.server import Postgres
from am_assets_tests.services import environment, until

pytestmark = pytest.mark.slow
RUN = "a-run"
KEYS = pl.DataFrame({"key": ["a", "b"]})
# It claims, notes five times a second that it goes on, and would for ever.
WORK = """
import os, sys, time
from pathlib import Path
import polars as pl
from am_assets.config.cluster import Cluster
from am_assets.storage.shared.claims import SharedClaims
from am_assets.storage.shared.database import open_database
folder = Path(os.environ["AM_DATA"])
with SharedClaims(open_database(Cluster(), folder / "memo")).claimed("x", pl.DataFrame({"key": ["a", "b"]})) as mine:
    with open(folder / "log", "a", buffering=1) as log:
        while True:
            print(time.monotonic(), os.getpid(), mine.height, file=log)
            time.sleep(0.2)
"""

# It tells what the project is to it.
TELLS = """
import os
from pathlib import Path
from am_assets.project import project
here = project()
told = [here.recipe("plain").dedup.threshold, *here.sources, bool(here.exclusions), here.planned.version]
Path(os.environ["AM_DATA"], "log").write_text(" ".join(map(str, [*told, here.sources_file])))
"""


@pytest.fixture
def folder(address: str, tmp_path: Path) -> Path:
    """A project whose database has a run that began."""
    (tmp_path / "cluster.yaml").write_text("{}\n")
    (tmp_path / "instance").mkdir()
    with database(tmp_path).cursor() as cursor:
        cursor.execute("create table public.runs (run_id text, status text)")
        cursor.execute("insert into public.runs values (%s, 'STARTED')", [RUN])
    keep(tmp_path, planned(tmp_path))
    return tmp_path


def planned(folder: Path) -> Snapshot:
    return taken(folder, folder / "sources.yaml")


def database(folder: Path) -> Database:
    opened = open_database(Cluster(), folder / "memo")
    assert opened is not None
    return opened


def status(folder: Path, now: str) -> None:
    with database(folder).cursor() as cursor:
        cursor.execute("update public.runs set status = %s", [now])


@contextmanager
def guard(folder: Path, work: str = WORK, *options: str, **more: str) -> Iterator[subprocess.Popen]:
    """A guard over WORK, with a supervisor that waits for it."""
    command = [sys.executable, "-m", "am_assets.orchestration.guard", *options, RUN, sys.executable, "-c", work]
    more = {PLANNED_WITH: json.dumps({CONFIG_TAG: planned(folder).version})} | more
    waits = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    started = subprocess.Popen(
        [sys.executable, "-c", waits, *command], env=environment(folder) | more, stderr=subprocess.PIPE, text=True
    )
    try:
        yield started
    finally:
        for process in [*psutil.Process(started.pid).children(recursive=True)] if started.poll() is None else []:
            process.kill()
        started.kill()
        started.wait()


def notes(folder: Path) -> list[list[str]]:
    log = folder / "log"
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def works(folder: Path) -> int:
    """The process of the run, once it holds what it claimed."""
    return int(until(lambda: notes(folder), "it works")[0][1])


def test_a_run_that_was_cut_off_ends_before_what_it_claimed_is_given_to_others(
    folder: Path, address: str, postgres: Postgres
) -> None:
    relay = Relay(postgres.port)
    with guard(folder, AM_DATABASE_URL=address.replace(str(postgres.port), str(relay.port))) as run:
        works(folder)
        assert guarded(database(folder), [RUN])
        relay.cut()
        cut = time.monotonic()
        claims, held = SharedClaims(database(folder)), 0
        while held < KEYS.height:
            with claims.claimed("x", KEYS) as mine:
                held, got = mine.height, time.monotonic()
            assert got - cut < GUARD_SECONDS + LEASE_SECONDS + 15
            time.sleep(0.5)
        last = float(notes(folder)[-1][0])
        assert last - cut > GUARD_SECONDS - 10 and last < got - 5, (last - cut, got - cut)
        assert run.wait(10) == 1
        assert not guarded(database(folder), [RUN])
        assert run.stderr is not None and "the database was silent for 30 s" in run.stderr.read()


@pytest.mark.parametrize("how", ["canceled", "canceling", "supervisor", "guard"])
def test_a_run_ends_with_its_record_its_supervisor_and_its_guard(folder: Path, how: str) -> None:
    with guard(folder) as run:
        process = works(folder)
        if how == "supervisor":
            [its_guard] = psutil.Process(run.pid).children()
            run.kill()
            until(lambda: not its_guard.is_running(), "the guard ends", 20)
        elif how == "guard":
            psutil.Process(run.pid).children()[0].send_signal(signal.SIGKILL)
        else:
            status(folder, how.upper())
            assert run.wait(20) == 1
        until(lambda: not psutil.pid_exists(process), "the run ends", 20)


@pytest.mark.parametrize("how", ["done", "guard"])
def test_a_task_ends_with_its_run_whose_guard_is_not_taken_for_alive_by_it(folder: Path, how: str) -> None:
    lease = Lease(database(folder), RUN)
    with guard(folder, WORK, TASK) as task:
        process = works(folder)
        time.sleep(2)
        assert psutil.pid_exists(process)
        if how == "done":
            status(folder, "SUCCESS")
        lease.end()
        assert not guarded(database(folder), [RUN])
        assert task.wait(20) == 1
        assert task.stderr is not None and "its run is over" in task.stderr.read()
        until(lambda: not psutil.pid_exists(process), "the task ends", 20)


def test_a_run_reads_the_config_files_that_it_was_planned_with_whatever_stands_there_now(folder: Path) -> None:
    (folder / "recipes").mkdir()
    elsewhere = folder / "elsewhere" / "pool.yaml"  # of AM_SOURCES
    elsewhere.parent.mkdir()
    elsewhere.write_text("mine: {location: rows.jsonl, adapter: jsonl, rank: 0}\n")
    recipe = folder / "recipes" / "plain.yaml"
    for threshold in (0.7, 0.8):
        recipe.write_text(json.dumps({**RECIPE, "sampling": {}, "evaluation": {}, "dedup": {"threshold": threshold}}))
        keep(folder, before := taken(folder, elsewhere))
    recipe.write_text("dedup: {threshold: 0.9, unknown: 1}\n")
    elsewhere.write_text("other: {}\n")
    (elsewhere.parent / "exclude.txt").write_text("4f0c2a\n")
    (folder / "cluster.yaml").write_text("launcher: {ray: 'http://127.0.0.1:1'}\n")  # which is no part of it
    tags = json.dumps({CONFIG_TAG: before.version})
    with guard(folder, TELLS, AM_SOURCES=str(elsewhere), **{PLANNED_WITH: tags}) as run:
        assert run.wait(60) == 0, run.stderr and run.stderr.read()
    assert notes(folder) == [["0.8", "mine", "False", before.version, str(elsewhere)]]


def test_what_begins_while_the_database_is_away_waits_for_it(folder: Path, postgres: Postgres) -> None:
    settings = folder / "instance" / "dagster.yaml"
    settings.write_text("storage: {postgres: {postgres_url: {env: AM_DATABASE_URL}}}\ntelemetry: {enabled: false}\n")
    command = [sys.executable, "-W", "ignore", "-m", "am_assets.orchestration.waiting", "instance", "info"]
    with database(folder).cursor() as cursor:
        cursor.execute("drop table public.runs")  # Dagster makes its own
    assert subprocess.run(command, env=environment(folder), stdout=subprocess.DEVNULL).returncode == 0
    with database(folder).cursor() as cursor:
        cursor.execute("insert into public.runs (run_id, status) values (%s, 'STARTED')", [RUN])
    postgres.stop("immediate")
    dagster = subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with guard(folder) as run:
        time.sleep(15)
        postgres.start()
        until(lambda: notes(folder) or run.poll() is not None, "it works, or ended", 60)
        assert run.poll() is None
    told = dagster.communicate(timeout=60)[0].decode()
    assert dagster.returncode == 0 and "Traceback" not in told, told


def test_other_code_is_refused_with_both_named_and_so_are_config_files_that_are_not_held(folder: Path) -> None:
    for tag in (CODE_TAG, CONFIG_TAG):
        with guard(folder, **{PLANNED_WITH: json.dumps({CONFIG_TAG: "none", tag: "0123456789ab"})}) as run:
            assert run.wait(60) == 1
            assert run.stderr is not None
            said = run.stderr.read()
        assert "guard: refused: " in said and "0123456789ab" in said and "the run was planned with" in said
        assert ("has the am-assets" if tag == CODE_TAG else "0123456789ab.zip is not there") in said
    assert not notes(folder)
