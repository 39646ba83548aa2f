"""Claims over several machines: no key ever has two holders, and what a killed process held is free in seconds."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from am_assets.config.cluster import Cluster
from am_assets.config.files import ConfigError
from am_assets.orchestration import students
from am_assets.storage.memo import Memo, MemoError
from am_assets.storage.shared import leases
from am_assets.storage.shared.claims import SharedClaims
from am_assets.storage.shared.database import PROJECT, Database, open_database
from am_assets_tests.server import Postgres
from am_assets_tests.services import until

pytestmark = pytest.mark.slow
# Each process notes when it took and left each key, on the one clock of this machine.
WORKER = """
import random, sys, time
from pathlib import Path
import polars as pl
from am_assets.config.cluster import Cluster
from am_assets.storage.shared.claims import SharedClaims
from am_assets.storage.shared.database import open_database
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
draw, claims = random.Random(seed), SharedClaims(open_database(Cluster(), folder / "memo"))
with open(folder / f"{seed}.log", "a", buffering=1) as log:
    while True:
        keys = pl.DataFrame({"key": [f"{key:03}" for key in sorted(draw.sample(range(40), 12))]})
        with claims.claimed("x", keys) as mine:
            print("take", time.monotonic(), *mine["key"], file=log)
            time.sleep(draw.random() / 10)
            print("free" if claims.lost() is None else "lost", time.monotonic(), file=log)
"""


def keys(*names: str) -> pl.DataFrame:
    return pl.DataFrame({"key": names}, schema={"key": pl.String})


def database(folder: Path) -> Database:
    opened = open_database(Cluster(), folder / "memo")
    assert opened is not None
    return opened


def spawn(folder: Path, seed: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), str(seed)], env=os.environ | {"PYTHONPATH": "."}
    )


def held(log: Path, killed: float | None) -> list[tuple[float, float, str]]:
    """When each key was taken and left by one process: at the latest when it was killed."""
    found, taken = [], None
    for line in log.read_text().splitlines():
        what, at, *names = line.split(" ")
        if what == "take":
            taken = (float(at), names)
        elif taken:
            found += [(taken[0], float(at), name) for name in taken[1] if what == "free"]
            taken = None
    if taken and killed:
        found += [(taken[0], killed, name) for name in taken[1]]
    return found


def takes(folder: Path, seed: int) -> bool:
    log = folder / f"{seed}.log"
    return log.exists() and "take" in log.read_text()


def test_no_key_has_two_holders_whoever_is_killed(address: str, tmp_path: Path) -> None:
    database(tmp_path)
    draw = random.Random(0)
    running = {seed: spawn(tmp_path, seed) for seed in range(4)}
    ended: dict[int, float] = {}
    try:
        for seed in range(4, 7):
            victim = draw.choice(sorted(running))
            until(lambda victim=victim: takes(tmp_path, victim), "it claims")
            time.sleep(draw.random())
            running[victim].send_signal(signal.SIGKILL)
            running.pop(victim).wait()
            ended[victim] = time.monotonic()
            running[seed] = spawn(tmp_path, seed)
        for seed in running:
            until(lambda seed=seed: takes(tmp_path, seed), "it claims")
        time.sleep(1)
    finally:
        for seed, process in running.items():
            process.kill()
            process.wait()
            ended[seed] = time.monotonic()
    spans = sorted(span for seed, at in ended.items() for span in held(tmp_path / f"{seed}.log", at))
    last: dict[str, float] = {}
    for taken, left, key in spans:
        assert last.get(key, 0.0) <= taken, key
        last[key] = left
    assert len(spans) > 100 and len(last) == 40


def test_what_a_killed_process_held_is_free_once_its_lease_ran_out(address: str, tmp_path: Path) -> None:
    claims = SharedClaims(database(tmp_path))
    process = spawn(tmp_path, 0)
    until(lambda: takes(tmp_path, 0), "it claims")
    process.kill()
    process.wait()
    everything = keys(*(f"{key:03}" for key in range(40)))
    began = time.monotonic()
    while True:
        with claims.claimed("x", everything) as mine:
            if mine.height == 40:
                break
        assert time.monotonic() - began < leases.LEASE_SECONDS + 5
        time.sleep(0.5)


def test_claims_outlive_a_crash_of_the_database(address: str, tmp_path: Path, postgres: Postgres) -> None:
    first, second = SharedClaims(database(tmp_path)), SharedClaims(Database(Cluster()))
    with first.claimed("x", keys("a", "b")) as mine:
        assert mine["key"].to_list() == ["a", "b"]
        postgres.stop("immediate")
        postgres.start()
        with second.claimed("x", keys("b", "c")) as others:
            assert others["key"].to_list() == ["c"]
        time.sleep(leases.RENEW_SECONDS + 1)  # the session is renewed
        assert first.lost() is None
    with second.claimed("x", keys("a", "b")) as mine:
        assert mine.height == 2


def test_a_jump_of_the_databases_clock_frees_nothing_of_a_living_process(address: str, tmp_path: Path) -> None:
    here = database(tmp_path)
    claims = SharedClaims(here)
    with claims.claimed("x", keys("a")):
        for jump in ("- interval '1 hour'", "+ interval '1 hour'"):  # as if the clock went forward, or back
            with here.cursor() as cursor:
                cursor.execute(f"update am_assets.leases set until = until {jump}")
                cursor.execute("select count(*) from am_assets.leases")
                assert cursor.fetchone()[0] >= 1
            with SharedClaims(here).claimed("x", keys("a")) as others:
                assert others.height == 0
        assert claims.lost() is None


def test_a_process_that_was_taken_for_dead_stores_what_it_has_and_measures_nothing_more(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = database(tmp_path)
    memo = Memo(tmp_path / "memo", SharedClaims(here))
    measured = []

    def measure(missing: pl.DataFrame):
        for key in missing["key"]:
            measured.append(key)
            yield pl.DataFrame({"key": [key], "value": [1]})
            monkeypatch.setattr(leases, "FENCE_SECONDS", -1.0)  # as if nothing was heard for long

    schema = pl.Schema({"key": pl.String, "value": pl.Int64})
    with pytest.raises(MemoError, match="what was measured is stored; the database that AM_DATABASE_URL names was not"):
        memo.fill("x", keys("a", "b", "c"), measure, schema)
    monkeypatch.undo()
    assert measured == ["a", "b"]  # the second was under way
    assert memo.missing("x", keys("a", "b", "c"))["key"].to_list() == ["c"]


def test_a_database_of_another_project_is_refused(address: str, tmp_path: Path) -> None:
    database(tmp_path / "one")
    other = tmp_path / "other" / "memo"
    with pytest.raises(ConfigError, match=r"is another project's than .*name a database of its own"):
        open_database(Cluster(), other)
    assert not (other / PROJECT).exists()


def test_a_student_is_trained_by_one_process_and_found_made_by_the_other(address: str, tmp_path: Path) -> None:
    one, other = (Memo(tmp_path / "memo", SharedClaims(here)) for here in (database(tmp_path), Database(Cluster())))
    made: list[dict[str, Any]] = []

    def found() -> dict[str, Any] | None:
        with students.claimed(other, "student", lambda: made[0] if made else None) as known:
            return known

    with ThreadPoolExecutor(1) as pool:
        with students.claimed(one, "student", lambda: None) as known:
            assert known is None  # this one trains
            waits = pool.submit(found)
            time.sleep(1)
            assert not waits.done()
            made.append({"key": "student"})
        assert waits.result(30) == {"key": "student"}
