"""Limits and a budget that processes on several machines share: at most what is allowed, and nearly all of it."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from am_assets.config.cluster import Cluster
from am_assets.engines.llm.limits import Share
from am_assets.engines.llm.money import Budget
from am_assets.engines.llm.shared_budget import SharedBudget, spent_by_all
from am_assets.engines.llm.shared_limits import SharedState
from am_assets.storage.shared.database import Database, open_database
from am_assets.storage.shared.leases import alive, lease_of_process
from am_assets_tests.server import Postgres

pytestmark = pytest.mark.slow
OPENED = """
import sys, time
from pathlib import Path
from am_assets.config.cluster import Cluster
from am_assets.storage.shared.database import open_database
database = open_database(Cluster(), Path(sys.argv[1]) / "memo")
"""
TAKER = f"""{OPENED}
from am_assets.engines.llm.limits import Share
from am_assets.engines.llm.shared_limits import SharedState
share = Share(SharedState(database, "account"), 100, int(sys.argv[2]), None)
start, seconds = float(sys.argv[3]), float(sys.argv[4])
time.sleep(max(0, start - time.time()))
began, granted, last = time.time(), 0, 0.0
while time.time() < start + seconds:
    wait = share.acquire(1)
    if wait:
        time.sleep(min(wait, max(0, start + seconds - time.time())))
    else:
        granted, last = granted + 1, time.time()
        share.release()
print(granted, began, last)
"""
SPENDER = f"""{OPENED}
from am_assets.engines.llm.shared_budget import SharedBudget
budget = SharedBudget(database, float(sys.argv[2]))
print("ready", flush=True)
while budget.reached(0.03) is None:  # up to 0.03, and in the end 0.02
    budget.add(0.02)
    print("spent", flush=True)
if sys.argv[3] == "settle":
    budget.settle()
"""


@pytest.fixture
def database(address: str, tmp_path: Path) -> Database:
    opened = open_database(Cluster(), tmp_path / "memo")
    assert opened is not None
    return opened


def spawn(script: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "."})


def share(database: Database, slots: int = 4, requests_per_minute: int | None = None) -> Share:
    return Share(SharedState(database, "account"), slots, requests_per_minute, None)


def take_all(of: Share, at_most: int = 10) -> int:
    taken = 0
    while taken < at_most and of.acquire(1) == 0.0:
        taken += 1
    return taken


@pytest.mark.alone
def test_six_processes_are_granted_the_rate_and_no_more(database: Database, tmp_path: Path) -> None:
    seconds, a_minute = 10, 600
    start = time.time() + 8  # when all have started
    takers = [spawn(TAKER, tmp_path, a_minute, start, seconds) for _ in range(6)]
    told = [taker.communicate()[0].split() for taker in takers]
    granted = sum(int(number) for number, _, _ in told)
    assert granted >= 0.95 * a_minute / 60 * seconds, told
    began, last = min(float(at) for _, at, _ in told), max(float(at) for _, _, at in told)  # a grant may arrive late
    assert granted <= a_minute / 60 * (last - began) + a_minute / 60 + 1, told  # a second's burst


def test_an_account_that_is_new_to_all_is_limited_from_the_first_request_on(database: Database) -> None:
    for account in map(str, range(60)):
        at_once = threading.Barrier(6)

        def first(account: str = account, at_once: threading.Barrier = at_once) -> int:
            state = SharedState(database, account)
            at_once.wait()
            granted = take_all(Share(state, 100, 1, None))
            state.close()
            return granted

        with ThreadPoolExecutor(6) as pool:
            assert sum(taken.result() for taken in [pool.submit(first) for _ in range(6)]) == 1


def test_streams_on_two_machines_share_slots_and_each_gets_its_part(database: Database) -> None:
    one, other = share(database), share(database)
    assert take_all(one) == 4 and take_all(other) == 0
    one.release()
    assert one.acquire(1) > 0  # the other waits, and has less than its part
    assert other.acquire(1) == 0.0
    other.close()
    assert one.acquire(1) == 0.0


def test_nothing_is_granted_while_the_database_is_away_and_what_is_released_meanwhile_comes_back(
    database: Database, postgres: Postgres
) -> None:
    here = share(database)
    assert take_all(here) == 4
    postgres.stop("immediate")
    try:
        assert here.acquire(1) > 0
        here.release()
        here.heartbeat()
    finally:
        postgres.start()
    assert take_all(here) == 1


def test_a_budget_is_exceeded_by_no_number_of_processes(database: Database, tmp_path: Path) -> None:
    limit = 1.0
    killed = spawn(SPENDER, tmp_path, limit, "settle")
    assert killed.stdout is not None
    assert [killed.stdout.readline() for _ in range(3)][-1] == "spent\n"
    killed.send_signal(signal.SIGKILL)
    killed_spent = 2 + killed.communicate()[0].count("spent")
    others = [spawn(SPENDER, tmp_path, limit, end) for end in ("settle", "settle", "die")]
    spent = 0.02 * (killed_spent + sum(one.communicate()[0].count("spent") for one in others))
    assert spent <= limit + 1e-9
    assert spent > limit - 4 * 0.03 - 0.03  # what each had in flight at the end, and the next
    assert spent - 1e-9 <= spent_by_all(database) <= limit + 1e-9


def test_what_was_kept_for_requests_in_flight_is_free_once_they_are_settled(database: Database) -> None:
    one, other = SharedBudget(database, 1.0), SharedBudget(database, 1.0)
    assert one.reached(0.9) is None
    assert "budget_usd $1.0000 of cluster.yaml is reached" in str(other.reached(0.2))
    assert other.reached(0.0) is None  # what costs nothing is always allowed
    one.add(0.3)
    one.settle()
    assert other.reached(0.2) is None
    assert spent_by_all(database) == pytest.approx(0.5)


def test_a_budget_whose_database_is_away_allows_nothing(database: Database, postgres: Postgres) -> None:
    within = Budget()
    budget = SharedBudget(database, 1.0, within=within)
    postgres.stop("immediate")
    try:
        assert "What all machines spent is not known" in str(budget.reached(0.1))
    finally:
        postgres.start()
    assert budget.reached(0.1) is None
    budget.add(0.1)
    assert within.spent == 0.1


def test_the_runs_of_one_apply_share_its_budget_and_not_that_of_another(database: Database) -> None:
    of_all = SharedBudget(database, 1.5)
    one, same = (SharedBudget(database, 1.0, of_all, name="one") for _ in range(2))
    other = SharedBudget(database, 1.0, name="other")
    assert one.reached(0.7) is None
    assert "The budget of $1.0000 is reached: with what is in flight" in str(same.reached(0.7))
    assert other.reached(0.7) is None
    assert spent_by_all(database, "one") == pytest.approx(0.7)
    assert spent_by_all(database) == pytest.approx(0.7)  # which the first counts for, too


FIRST_FORM = """
create schema am_assets;
create table am_assets.project (id uuid not null, form int not null);
create table am_assets.leases (
    id serial primary key, host text not null, pid int not null, code text not null, until timestamptz not null);
create table am_assets.budget (one bool primary key default true check (one), settled float8 not null);
create table am_assets.spending (id uuid primary key, drawn float8 not null);
insert into am_assets.project values ('6d2f4d0e-8f0c-4c55-9a51-0f6c3b1f2a10', 1);
insert into am_assets.budget (settled) values (1.5);
insert into am_assets.spending values ('0b8d4a0e-5f57-4d2b-8a53-0d5b1c2f3e44', 0.25);
"""


def test_a_database_of_the_first_form_keeps_its_project_and_what_was_spent(address: str, tmp_path: Path) -> None:
    (tmp_path / "PROJECT").write_text("6d2f4d0e-8f0c-4c55-9a51-0f6c3b1f2a10\n")
    with Database(Cluster()).cursor() as cursor:
        cursor.execute(FIRST_FORM)
    for _ in range(2):
        database = Database(Cluster())
        database.prepare(tmp_path)
        assert spent_by_all(database) == 1.75
    lease = lease_of_process(database)
    assert alive(database, lease.id)
    lease.end()
